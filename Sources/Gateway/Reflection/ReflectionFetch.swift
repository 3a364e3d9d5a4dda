public import Logging
import ProtoRuntime
import Transcode

/// Learns what upstreams serve, by their reflection services, before the gateway starts.
public enum ReflectionFetch {
    /// One upstream to be asked.
    public struct Request {
        public let upstream: UpstreamPlan
        public let limits: ReflectionLimits

        public init(_ upstream: UpstreamPlan, timeoutNanoseconds: Int64) {
            self.upstream = upstream
            var limits = ReflectionLimits()
            limits.timeoutNanoseconds = timeoutNanoseconds
            self.limits = limits
        }
    }

    /// Asks all of them at the same time until each has told everything, or its time is over; blocks the calling
    /// thread, on which it runs a loop of its own.
    ///
    /// An upstream that cannot be reached, or says that it is unavailable, is tried again until the time is over.
    /// - Returns: what came of each request, in their order.
    public static func run(_ requests: [Request], log: Logger)
        -> [Result<ReflectedServices, ReflectionError>]
    {
        guard !requests.isEmpty else { return [] }
        do throws(SystemError) {
            let reactor = try makeReactor(log, mailbox: try Mailbox())
            reactor.loop.reactor = reactor
            var pending = requests.count
            let drivers = requests.map { request in
                ReflectionDriver(request.upstream, reactor: reactor, limits: request.limits) {
                    pending -= 1
                    if pending == 0 { reactor.loop.stop() }
                }
            }
            for driver in drivers { driver.start() }
            try reactor.loop.run()
            for driver in drivers { driver.close() }
            return drivers.map { $0.result ?? .failure(.unreachable("the loop ended")) }
        } catch {
            return requests.map { _ in .failure(.unreachable("\(error)")) }
        }
    }

    /// A reactor that serves no clients. What it would log at every attempt is in the error at the end.
    static func makeReactor(_ log: Logger, mailbox: Mailbox) throws(SystemError) -> Reactor {
        var log = log
        log.logLevel = .critical
        let methods: MethodTable
        do {
            methods = try MethodTable(pool: DescriptorPool(fileDescriptorSets: []))
        } catch {
            preconditionFailure("an empty method table cannot be built: \(error)")
        }
        return Reactor(
            loop: try EventLoop(mailbox: mailbox), settings: ServerSettings(),
            snapshot: Snapshot(methods: methods), load: ReactorLoad(), tlsCounters: TLSCounters(),
            log: log)
    }
}
