public import Logging
import ProtoRuntime
import Transcode

/// Learns what an upstream serves, by its reflection service, before the gateway starts.
public enum ReflectionFetch {
    /// Asks until everything is known; blocks the calling thread, on which it runs a loop of its own.
    ///
    /// An upstream that cannot be reached, or says that it is unavailable, is tried again until the time is over.
    public static func run(
        _ upstream: UpstreamPlan,
        limits: ReflectionLimits = ReflectionLimits(), log: Logger
    ) throws(ReflectionError) -> ReflectedServices {
        let driver: ReflectionDriver
        do throws(SystemError) {
            let reactor = try makeReactor(log)
            driver = ReflectionDriver(reactor: reactor, limits: limits) { reactor in
                let channel = Channel(upstream, reactor: reactor)
                channel.connect()
                return channel
            }
            driver.start()
            try reactor.loop.run()
        } catch {
            throw .unreachable("\(error)")
        }
        driver.close()
        guard let result = driver.result else { throw .unreachable("the loop ended") }
        return try result.get()
    }

    /// A reactor that serves no clients. What it would log at every attempt is in the error at the end.
    private static func makeReactor(_ log: Logger) throws(SystemError) -> Reactor {
        var log = log
        log.logLevel = .critical
        let methods: MethodTable
        do {
            methods = try MethodTable(pool: DescriptorPool(fileDescriptorSets: []))
        } catch {
            preconditionFailure("an empty method table cannot be built: \(error)")
        }
        return Reactor(
            loop: try EventLoop(mailbox: try Mailbox()), settings: ServerSettings(),
            snapshot: Snapshot(methods: methods), load: ReactorLoad(), tlsCounters: TLSCounters(),
            log: log)
    }
}
