import CLinux
public import Logging
import Synchronization

/// The gateway as a whole: listening sockets, one reactor a thread, start and graceful stop.
public final class Server {
    /// Connections that the kernel may hold before they are accepted.
    static let backlog: Int32 = 4096

    /// One address to listen on, and how.
    public struct Listener: Sendable {
        public var address: SocketAddress
        /// Nil means plain HTTP.
        public var tls: TLSServerContext?

        public init(_ address: SocketAddress, tls: TLSServerContext? = nil) {
            self.address = address
            self.tls = tls
        }

        /// "https://127.0.0.1:8443"; a Unix socket as it is.
        public var url: String {
            if address.isUnix { return "\(address)" }
            return (tls == nil ? "http://" : "https://") + "\(address)"
        }
    }

    /// What a server is made of.
    public struct Plan: Sendable {
        public var listeners: [Listener]
        /// By the index that `MethodOptions.upstream` names.
        public var upstreams: [UpstreamPlan]
        public var threads: Int
        public var settings: ServerSettings
        public var snapshot: Snapshot
        public var log: Logger
        /// Told, by one reactor, when a connection to the upstream of that name came back after all were lost.
        public var whenUpstreamIsBack: (@Sendable (String) -> Void)?

        public init(
            listeners: [Listener], upstreams: [UpstreamPlan], threads: Int,
            settings: ServerSettings, snapshot: Snapshot, log: Logger
        ) {
            self.listeners = listeners
            self.upstreams = upstreams
            self.threads = threads
            self.settings = settings
            self.snapshot = snapshot
            self.log = log
        }
    }

    /// An address that could not be bound.
    public struct BindFailure: Error, CustomStringConvertible {
        public let address: SocketAddress
        public let error: SystemError

        public var description: String { "cannot listen on \(address): \(error)" }
    }

    private let plan: Plan
    private var sockets: [Socket] = []
    private var targets: [AcceptorTarget] = []
    private var threads: [LoopThread] = []

    /// What is listened on, ports filled in.
    public private(set) var listeners: [Listener] = []
    /// TLS handshakes with clients and upstreams.
    public let tlsCounters = TLSCounters()

    public var addresses: [SocketAddress] { listeners.map(\.address) }

    /// Binds every listener, so that a taken address is known before anything starts.
    public init(_ plan: Plan) throws(BindFailure) {
        self.plan = plan
        for listener in plan.listeners {
            let address = listener.address
            do throws(SystemError) {
                let socket = try Socket(family: address.family)
                sockets.append(socket)
                try socket.listen(on: address, backlog: Server.backlog)
                let bound = try socket.localAddress()?.orUnix(address) ?? address
                listeners.append(Listener(bound, tls: listener.tls))
            } catch {
                for socket in sockets { socket.close() }
                throw BindFailure(address: address, error: error)
            }
        }
    }

    /// Starts the reactors; connections are served from now on.
    public func start() throws(SystemError) {
        Server.keepFreedMemory()
        for _ in 0..<max(1, plan.threads) {
            targets.append(AcceptorTarget(mailbox: try Mailbox(), load: ReactorLoad()))
        }
        for index in targets.indices { threads.append(try startThread(index)) }
        try CertificateWatch.start(plan.upstreams, log: plan.log)
    }

    /// Puts another snapshot of the same upstreams in the place of the one that is served. Safe from any thread.
    public struct SnapshotPublisher: Sendable {
        fileprivate let mailboxes: [Mailbox]

        /// Calls that begin from now on are served by it.
        public func publish(_ snapshot: Snapshot) {
            for mailbox in mailboxes {
                mailbox.send { loop in loop.reactor?.serve(snapshot) }
            }
        }
    }

    /// Of a server that was started.
    public var snapshotPublisher: SnapshotPublisher {
        SnapshotPublisher(mailboxes: targets.map(\.mailbox))
    }

    /// Writes the counters of every upstream, and the state of each of its addresses, to the log.
    public func logUpstreams() {
        let log = plan.log
        let gathered = UpstreamSnapshots(of: targets.count) { snapshots in
            for snapshot in snapshots { snapshot.log(to: log) }
        }
        for target in targets {
            target.mailbox.send { loop in gathered.add(loop.reactor?.upstreamSnapshots ?? []) }
        }
    }

    /// Refuses new connections and lets calls in flight finish, for `drainNanoseconds` at most.
    public func drain() {
        for target in targets {
            target.mailbox.send { loop in
                guard let reactor = loop.reactor else { return }
                reactor.stopAccepting()
                reactor.drain { loop.stop() }
                reactor.stopLater()
            }
        }
    }

    /// Waits until every reactor has stopped.
    public func wait() {
        for thread in threads { thread.join() }
        threads.removeAll()
    }

    /// Large messages come again: memory of a few megabytes is kept by the allocator, not returned to the kernel
    /// and faulted in again page by page for every call (a 1 MB JSON echo takes half the CPU).
    private static func keepFreedMemory() {
        _ = mallopt(M_MMAP_THRESHOLD, 16 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 32 << 20)
    }

    private func startThread(_ index: Int) throws(SystemError) -> LoopThread {
        let plan = plan
        let targets = targets
        let sockets = index == 0 ? Array(zip(sockets, plan.listeners.map(\.tls))) : []
        let tlsCounters = tlsCounters
        return try LoopThread {
            do throws(SystemError) {
                let loop = try EventLoop(mailbox: targets[index].mailbox)
                let reactor = Reactor(
                    loop: loop, settings: plan.settings, snapshot: plan.snapshot,
                    load: targets[index].load, tlsCounters: tlsCounters, log: plan.log)
                loop.reactor = reactor
                if index == 0 { reactor.whenUpstreamIsBack = plan.whenUpstreamIsBack }
                reactor.connect(plan.upstreams)
                let own = targets[index]
                let others = targets.enumerated().filter { $0.offset != index }.map(\.element)
                for (socket, tls) in sockets {
                    let acceptor = Acceptor(
                        socket: socket, tls: tls, reactor: reactor, targets: [own] + others)
                    try acceptor.start()
                    reactor.acceptors.append(acceptor)
                }
                try loop.run()
            } catch {
                plan.log.critical("a reactor ended: \(error)")
            }
        }
    }
}

extension SocketAddress {
    /// The kernel does not tell the path of a Unix socket; `configured` knows it.
    fileprivate func orUnix(_ configured: SocketAddress) -> SocketAddress {
        if case .unix = form { return configured }
        return self
    }
}

extension Server {
    /// CPUs this process may run on, by affinity.
    public static var cpuCount: Int { Int(clinux_cpu_count()) }
}

extension SocketAddress {
    public var isUnix: Bool {
        if case .unix = form { return true }
        return false
    }
}
