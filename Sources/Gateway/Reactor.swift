import Logging
import ProtoRuntime
public import Transcode

/// Limits and times of the gateway; every one has a name and a default.
public struct ServerSettings: Sendable {
    /// Largest message, either way, in bytes.
    public var messageBytesMax = 4 << 20
    /// A connection with no call in flight is closed after this.
    public var idleNanoseconds: Int64 = 60_000_000_000
    /// Time for a request head, from its first byte to its last.
    public var headNanoseconds: Int64 = 10_000_000_000
    /// An answer is aborted of which the client takes no byte for this, though there are some.
    public var stalledNanoseconds: Int64 = 60_000_000_000
    /// A client of HTTP/1.1 that has sent FIN behind its request is answered; otherwise it is gone.
    public var http1AllowsHalfClose = false
    /// On SIGTERM: time for calls in flight.
    public var drainNanoseconds: Int64 = 30_000_000_000
    /// Client connections, over all reactors.
    public var connectionsMax = 10_000
    /// Clients whose word about the clients before them is taken.
    public var trustedProxies = TrustedProxies()
    /// Which pages of other origins may call; nil: the gateway says nothing of that.
    public var cors: CORSPolicy?
    /// PINGs towards clients of HTTP/2 with calls in flight: proxies between keep the connection, and clients that are
    /// gone are found.
    var clientKeepalive = Keepalive(time: 30_000_000_000, timeout: 20_000_000_000)
    var http1 = HTTP1Limits()
    var http2 = HTTP2Limits()
    var upstreamHTTP2 = HTTP2Limits()

    public init() {}
}

/// What all calls of one generation share: immutable, swapped whole.
public final class Snapshot: Sendable {
    public let methods: MethodTable
    /// What the gateway's own reflection and health services tell.
    let index: ReflectionIndex

    public init(methods: MethodTable) {
        self.methods = methods
        index = ReflectionIndex(methods)
    }
}

/// A client connection that can be asked to end.
protocol DrainingConnection: AnyObject {
    /// Serve what is under way, then close.
    func drain()
}

/// One thread's share of the gateway: its loop, its connections to clients and upstreams, its pools.
final class Reactor: TimerTarget {
    /// Bytes of exchanges that are kept for later calls.
    static let exchangeBytesMax = 64 << 20

    let loop: EventLoop
    let settings: ServerSettings
    /// What calls are served by that begin now.
    private(set) var snapshot: Snapshot
    let log: Logger
    let tlsCounters: TLSCounters
    var handshakeLog = HandshakeLog()
    let streams = HTTP2StreamPool()
    /// What the codecs of all calls use while they work.
    let codecTools = CodecTools()
    let upstreamStarts = UpstreamStarts()
    var requestIDs: RequestIDs
    var random: RandomSource
    /// How connections to upstreams are begun.
    let dial: Dial
    /// What the gateway answers itself.
    private(set) var localMethods: LocalMethods
    private(set) var isDraining = false
    private var exchanges = Pool<Exchange>(keptBytesMax: Reactor.exchangeBytesMax)
    private var scratches: [Scratch] = []
    private var connections: [ObjectIdentifier: any DrainingConnection] = [:]
    private var channels: [Channel] = []
    private let load: ReactorLoad
    private var whenDrained: (() -> Void)?

    typealias Dial = (SocketAddress) throws(SystemError) -> Socket

    /// - Parameter random: and `dial` are others where a test plays the world.
    init(
        loop: EventLoop, settings: ServerSettings, snapshot: Snapshot, load: ReactorLoad,
        tlsCounters: TLSCounters, log: Logger, random: RandomSource = RandomSource(),
        dial: @escaping Dial = Socket.dial
    ) {
        self.loop = loop
        self.settings = settings
        self.random = random
        self.dial = dial
        var source = SystemRandomNumberGenerator()
        requestIDs = RequestIDs(seededBy: &source)
        self.snapshot = snapshot
        localMethods = LocalServices.methods(describing: snapshot.index)
        self.load = load
        self.tlsCounters = tlsCounters
        self.log = log
    }

    /// Serves calls that begin from now on by another snapshot; those in flight keep theirs.
    func serve(_ snapshot: Snapshot) {
        self.snapshot = snapshot
        localMethods = LocalServices.methods(describing: snapshot.index)
        // They hold the old one.
        exchanges.removeAll()
    }

    /// Told when a connection to the upstream of that name came back after all were lost.
    var whenUpstreamIsBack: (@Sendable (String) -> Void)?

    /// One of the server's upstreams, by its index.
    func channel(_ upstream: Int) -> Channel { channels[upstream] }

    var upstreamSnapshots: [UpstreamSnapshot] { channels.map(\.snapshot) }

    /// What keeps calls from the addresses of an upstream has changed.
    func endpointsChanged(ofUpstream name: String) {
        channels.first { $0.name == name }?.endpointsChanged()
    }

    /// Connects every upstream. Called once, before the first connection is served.
    func connect(_ upstreams: [UpstreamPlan]) {
        channels = upstreams.map { Channel($0, reactor: self) }
        for channel in channels { channel.connect() }
    }

    /// How names are looked up.
    var makeLookUp: (DNSName, EventLoop, @escaping (NameAnswer) -> Void) -> any NameLookUp = {
        DNSQuery($0, loop: $1, whenDone: $2)
    }
    /// Views of names on this reactor, by their numbers: how mail of other reactors finds them.
    var resolvers: [UInt64: Resolver] = [:]

    // MARK: Pools

    func takeExchange() -> Exchange { exchanges.take() ?? Exchange(reactor: self) }

    func giveBack(_ exchange: Exchange) {
        exchange.reset()
        // Its next call would be served by what is no longer served.
        guard exchange.methods === snapshot.methods else { return }
        exchanges.giveBack(exchange)
    }

    func takeScratch() -> Scratch { scratches.popLast() ?? Scratch() }

    func giveBack(_ scratch: Scratch) {
        scratch.removeAll()
        scratches.append(scratch)
    }

    // MARK: Clients

    /// Answers what never became a call, such as a malformed request.
    func respond(with status: Status, to client: ClientSide) {
        let scratch = takeScratch()
        ResponseCodec().appendError(
            status, methods: snapshot.methods, to: &scratch.head, body: &scratch.body)
        client.respond(&scratch.head, body: scratch.body.bytes)
        giveBack(scratch)
    }

    /// Takes over a connection that was accepted for this reactor.
    func serve(_ accepted: AcceptedConnection) { NewConnection(accepted, reactor: self).start() }

    func connectionOpened(_ connection: any DrainingConnection) {
        connections[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    /// `connection` handed its socket to another object of this reactor.
    func connectionReplaced(_ connection: any DrainingConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    func connectionClosed(_ connection: any DrainingConnection) {
        connections[ObjectIdentifier(connection)] = nil
        load.connectionClosed()
        if isDraining, connections.isEmpty { finishDraining() }
    }

    // MARK: The end

    /// On the thread that keeps reflection fresh.
    var refreshRounds: RefreshRounds?

    /// Listening sockets, on the first reactor only.
    var acceptors: [Acceptor] = []

    func stopAccepting() {
        for acceptor in acceptors { acceptor.stop() }
        acceptors.removeAll()
    }

    /// Stops the loop when draining takes too long.
    func stopLater() {
        _ = loop.schedule(after: settings.drainNanoseconds, self)
    }

    func timerFired(_ kind: UInt8) { loop.stop() }

    /// Serves what is under way and calls `done` when every client connection is closed, or the time is over.
    func drain(_ done: @escaping () -> Void) {
        guard !isDraining else { return }
        isDraining = true
        whenDrained = done
        for connection in connections.values { connection.drain() }
        if connections.isEmpty { finishDraining() }
    }

    private func finishDraining() {
        guard let done = whenDrained else { return }
        whenDrained = nil
        for channel in channels { channel.shutDown() }
        done()
    }
}
