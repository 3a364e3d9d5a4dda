import Logging
import ProtoRuntime

/// What runs on the demo's thread: its loop, its listening socket, its connections and its services.
final class DemoReactor: EventHandler, TimerTarget {
    /// Connections served at a time; further ones are closed at once.
    static let connectionsMax = 1024
    static let acceptsPerTurn = 16
    /// How long accepting rests when the process is out of descriptors.
    static let restNanoseconds: Int64 = 100_000_000
    /// Scratch memory that is kept between messages.
    static let keptBytesMax = 256 << 10

    let loop: EventLoop
    let log: Logger
    let streams = HTTP2StreamPool()
    let methods: LocalMethods
    private let socket: Socket
    private var token: LoopToken?
    private var connections: [ObjectIdentifier: DemoConnection] = [:]

    init(loop: EventLoop, socket: Socket, index: ReflectionIndex, log: Logger) {
        self.loop = loop
        self.socket = socket
        self.log = log
        var methods = DemoMethods.make()
        LocalServices.add(to: &methods, describing: index)
        self.methods = methods
    }

    /// Serves until the loop is stopped, and leaves no connection open. The listening socket is the owner's.
    func run() throws(SystemError) {
        token = try loop.register(socket, interest: .readable, handler: self)
        try loop.run()
        for connection in connections.values { connection.close() }
        if let token { loop.unregister(socket, token: token) }
        token = nil
    }

    func connectionClosed(_ connection: DemoConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    // MARK: Accepting

    func handle(_ readiness: Readiness) {
        do throws(SystemError) {
            for _ in 0..<DemoReactor.acceptsPerTurn {
                guard let accepted = try socket.accept() else { return }
                serve(accepted.socket)
            }
        } catch {
            log.warning("demo server: \(error)")
            setAccepting(false)
            _ = loop.schedule(after: DemoReactor.restNanoseconds, self)
        }
    }

    func timerFired(_ kind: UInt8) { setAccepting(true) }

    private func setAccepting(_ accepting: Bool) {
        guard let token else { return }
        do throws(SystemError) {
            try loop.setInterest(accepting ? .readable : [], of: socket, token: token)
        } catch {
            log.warning("demo server: \(error)")
        }
    }

    private func serve(_ socket: Socket) {
        guard connections.count < DemoReactor.connectionsMax else {
            socket.close()
            return
        }
        socket.disableDelay()
        do {
            let connection = try DemoConnection(socket: socket, reactor: self)
            try connection.start()
            connections[ObjectIdentifier(connection)] = connection
        } catch {
            log.warning("demo server: a new connection was dropped: \(error)")
            socket.close()
        }
    }
}
