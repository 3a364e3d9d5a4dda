public import Logging

/// The demo's upstream: a gRPC server over a real socket, on a loop and a thread of its own.
///
/// It stands on the same `HTTP2Session` as the gateway's front, and serves `Protos/gateway/demo/v1`. Used by
/// `gateway demo` and by tests; not `Sendable`: one thread starts and stops it.
public final class DemoServer {
    static let backlog: Int32 = 128

    /// Where it listens, its port filled in.
    public let address: SocketAddress
    private let socket: Socket
    private let mailbox: Mailbox
    private let log: Logger
    private let index: ReflectionIndex
    private var thread: LoopThread?
    private var isStopped = false

    /// Binds and listens at `address`, or on a free port of 127.0.0.1. Connections wait until `start`.
    public init(
        address: SocketAddress? = nil, log: Logger = Logger(label: "gateway.demo")
    ) throws(SystemError) {
        let wanted = address ?? SocketAddress(form: .ip4([127, 0, 0, 1], port: 0))
        self.log = log
        index = DemoDescriptors.reflectionIndex()
        mailbox = try Mailbox()
        socket = try Socket(family: wanted.family)
        do throws(SystemError) {
            try socket.listen(on: wanted, backlog: DemoServer.backlog)
            // The kernel does not tell the path of a Unix socket.
            if case .unix = wanted.form {
                self.address = wanted
            } else {
                self.address = try socket.localAddress() ?? wanted
            }
        } catch {
            socket.close()
            throw error
        }
    }

    deinit { stop() }

    /// Starts to serve. Once only.
    public func start() throws(SystemError) {
        precondition(thread == nil && !isStopped, "DemoServer.start is called once")
        let socket = socket
        let mailbox = mailbox
        let log = log
        let index = index
        thread = try LoopThread {
            do throws(SystemError) {
                let reactor = DemoReactor(
                    loop: try EventLoop(mailbox: mailbox), socket: socket, index: index, log: log)
                try reactor.run()
            } catch {
                log.critical("the demo server ended: \(error)")
            }
        }
    }

    /// Closes the listening socket and every connection, and waits for the thread. May be called again.
    public func stop() {
        guard !isStopped else { return }
        isStopped = true
        if let thread {
            mailbox.send { loop in loop.stop() }
            thread.join()
        }
        thread = nil
        socket.close()
    }
}
