import Glibc
import ProtoRuntime
import Transcode

@testable import Gateway

/// The far end of one of the gateway's connections: a socket and an HTTP/2 session, in no loop. Both ends are sockets of
/// this process, so that what one writes can be read at once, and nothing comes in another order in another run.
final class SimulatedPeer {
    let session: HTTP2Session
    private let socket: Socket
    private var unsent = ByteBuffer()
    private(set) var isOpen = true
    /// It reads nothing and sends nothing, as a process that was stopped.
    var isStopped: Bool

    init(
        _ socket: Socket, role: HTTP2Session.Role, streamsMax: UInt32, pool: HTTP2StreamPool,
        isStopped: Bool = false
    ) throws {
        self.socket = socket
        self.isStopped = isStopped
        var limits = HTTP2Limits()
        limits.streamsMax = streamsMax
        session = try HTTP2Session(role: role, limits: limits, pool: pool)
    }

    deinit { close() }

    /// Two sockets that are connected with each other.
    static func socketPair() throws(SystemError) -> (near: Socket, far: Socket) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw SystemError("socketpair")
        }
        return (Socket(descriptor: ends[0]), Socket(descriptor: ends[1]))
    }

    /// Reads what has come; the ranges of bodies lie in the bytes that are handed out with them.
    /// - Returns: whether anything happened.
    func receive(_ handle: (HTTP2Event, [UInt8]) -> Void) -> Bool {
        guard !isStopped else { return false }
        var block = OutputBlock()
        do {
            if isOpen {
                switch try socket.read(into: &block, atMost: 64 << 10) {
                case .blocked: break
                case .end: close()
                case .bytes: try session.receive(block.bytes)
                }
            }
        } catch {
            close()
        }
        let bytes = block.bytes.array
        let hasEvents = session.hasEvents
        let events = session.takeEvents()
        for event in events.events { handle(event, bytes) }
        session.recycle(events)
        flush()
        return hasEvents || !bytes.isEmpty
    }

    /// Sends what the session has to send.
    func flush() {
        guard isOpen, !isStopped else { return }
        do {
            _ = try session.collect(into: &unsent, limit: 1 << 20)
            while !unsent.isEmpty, case .bytes(let count) = try socket.write(unsent.readable) {
                unsent.consume(count)
            }
        } catch {
            close()
        }
    }

    /// Says that streams above `last` will not be served, whatever the session thinks.
    func sendGoAway(last: Int32) {
        flush()
        let id = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: last >> $0) }
        let frame: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0] + id + [0, 0, 0, 0]
        unsent.append(frame.span)
        flush()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        session.abandonStreams(code: HTTP2Code.cancel)
        socket.close()
    }
}

extension Fields {
    /// The value of the first field of that name.
    func text(of name: StaticString) -> String? {
        (0..<count).first { self.name(at: $0).isEqual(to: name) }.map { value(at: $0).text }
    }
}

/// Messages of the simulation: one string, which is the number of a call.
enum SimulatedMessage {
    static func envelope(_ text: String) -> [UInt8] {
        let message = [0x0A, UInt8(text.utf8.count)] + Array(text.utf8)
        return [0, 0, 0, 0, UInt8(message.count)] + message
    }

    /// grpc.health.v1.HealthCheckResponse.
    static func health(isServing: Bool) -> [UInt8] { [0, 0, 0, 0, 2, 0x08, isServing ? 1 : 2] }
}
