import Gateway
import Glibc
import Logging
import ProtoRuntime
import Transcode

/// Runs a gateway from start to graceful stop.
enum GatewayRun {
    /// Serves one upstream without a configuration file.
    /// - Parameter whenReady: called with the bound addresses before `ready` is printed.
    static func serve(
        schema: UpstreamSchema, options: JSONOptions, upstream: UpstreamPlan,
        listening: [Server.Listener], threads: Int?, settings: ServerSettings,
        signals: Signals = Signals(), reflection: ReflectionRefresher.Subject? = nil,
        whenReady: ([SocketAddress]) -> Void = { _ in }
    ) throws(CommandFailure) {
        let methods = try methodTable(schema.pool, options, includes: schema.includes)
        for line in schema.report(methods, target: upstream.name) { Terminal.printError(line) }
        let plan = Server.Plan(
            listeners: listening,
            upstreams: [upstream],
            threads: threads ?? Server.cpuCount, settings: settings,
            snapshot: Snapshot(methods: methods), log: Logger(label: "gateway"))
        try serve(
            plan, upkeep: try upkeep(reflection, options, methods, plan.log), signals: signals,
            whenReady: whenReady)
    }

    /// Keeps the services of the one upstream fresh.
    private static func upkeep(
        _ subject: ReflectionRefresher.Subject?, _ options: JSONOptions, _ methods: MethodTable,
        _ log: Logger
    ) throws(CommandFailure) -> ReflectionUpkeep? {
        guard let subject, let known = subject.known else { return nil }
        return try ReflectionUpkeep(
            [subject], known: [subject.index: known], methods: methods, log: log
        ) { known in
            guard let services = known[subject.index] else { return methods }
            let schema = try UpstreamSchema(services)
            return try methodTable(schema.pool, options, includes: schema.includes)
        }
    }

    /// Binds, serves, says so, and returns after SIGTERM or SIGINT once calls in flight are done.
    static func serve(
        _ plan: Server.Plan, upkeep: ReflectionUpkeep? = nil, signals: Signals,
        whenReady: ([SocketAddress]) -> Void = { _ in }
    ) throws(CommandFailure) {
        var plan = plan
        if let refresher = upkeep?.refresher {
            plan.whenUpstreamIsBack = { refresher.upstreamIsBack($0) }
        }
        defer { LogWriter.standardError.flush() }
        let server: Server
        do throws(Server.BindFailure) {
            server = try Server(plan)
        } catch {
            throw CommandFailure(status: ExitStatus.cannotBind, message: error.description)
        }
        do throws(SystemError) {
            try server.start()
            try upkeep?.start(server)
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: "cannot start: \(error)")
        }
        announce(plan, server.listeners)
        whenReady(server.addresses)
        Terminal.printError("ready")
        signals.wait { server.logUpstreams() }
        plan.log.info("draining: no new connections, calls in flight are finished")
        server.drain()
        signals.exitOnNext()
        server.wait()
        plan.log.info("stopped")
    }

    /// What runs, for the log; where it listens, in the lines of the contract.
    private static func announce(_ plan: Server.Plan, _ listeners: [Server.Listener]) {
        let methods = plan.snapshot.methods
        let upstreams = plan.upstreams.map { upstream in
            let targets = upstream.targets.map(\.description).joined(separator: ",")
            return upstream.name == targets ? targets : "\(upstream.name)=\(targets)"
        }
        plan.log.info(
            "gateway \(VersionCommand.number) started",
            metadata: [
                "listeners": "\(listeners.map(\.url).joined(separator: " "))",
                "upstreams": "\(upstreams.joined(separator: " "))",
                "files": "\(methods.pools.reduce(0) { $0 + $1.files.count })",
                "methods": "\(methods.methods.count)",
                "routes": "\(methods.routes.patterns.count)",
                "threads": "\(plan.threads)",
            ])
        LogWriter.standardError.flush()
        for listener in listeners { Terminal.printError("listening \(listener.url)") }
    }

    /// The one upstream of a gateway without a configuration file.
    static func upstream(
        _ target: String, tls: TLSClientContext? = nil
    ) throws(CommandFailure) -> UpstreamPlan {
        do throws(SocketAddress.ParseError) {
            let parsed = try UpstreamTarget(target)
            return UpstreamPlan(name: parsed.authority, targets: [parsed], tls: tls)
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: error.description)
        }
    }

    static func methodTable(
        _ pool: DescriptorPool, _ options: JSONOptions,
        includes: (MethodDescriptor) -> Bool = { _ in true }
    ) throws(CommandFailure) -> MethodTable {
        do throws(MethodTableError) {
            return try MethodTable(
                pool: pool, includes: includes,
                options: { _ in
                    var method = MethodOptions()
                    method.json = options
                    return method
                })
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: "\(error)")
        }
    }
}

/// SIGTERM, SIGINT and SIGUSR1, taken by waiting for them instead of by a handler. Made before any thread starts.
struct Signals {
    private let set: sigset_t

    init() {
        signal(SIGPIPE, SIG_IGN)
        var set = sigset_t()
        _ = unsafe sigemptyset(&set)
        _ = unsafe sigaddset(&set, SIGTERM)
        _ = unsafe sigaddset(&set, SIGINT)
        _ = unsafe sigaddset(&set, SIGUSR1)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        self.set = set
    }

    /// Returns when SIGTERM or SIGINT has come; `report` is called with every SIGUSR1.
    func wait(_ report: () -> Void) {
        var set = set
        while true {
            var number: Int32 = 0
            guard unsafe sigwait(&set, &number) == 0 else { continue }
            guard number == SIGUSR1 else { return }
            report()
        }
    }

    /// A second signal ends the process at once.
    func exitOnNext() {
        var set = set
        _ = signal(SIGUSR1, SIG_IGN)
        _ = signal(SIGTERM, SIG_DFL)
        _ = signal(SIGINT, SIG_DFL)
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
