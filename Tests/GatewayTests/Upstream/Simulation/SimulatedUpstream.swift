import ProtoRuntime
import Transcode

@testable import Gateway

/// An address of the simulated fleet.
final class SimulatedUpstream {
    let address: SocketAddress
    var connections: [SimulatedConnection] = []
    /// Nobody listens.
    var refuses = false
    /// It has ended the last watch itself: the gateway need not ask again soon.
    var hasEndedWatch = false
    /// What the last watch was told; nil before that.
    var isServing: Bool?

    /// The reactor that was seen to watch it last.
    var watcher: Int?
    /// As snapshots have it.
    let name: String

    init(_ address: SocketAddress) {
        self.address = address
        name = address.description
    }

    var watches: [SimulatedConnection] { connections.filter { $0.watch != nil } }
}

/// A connection that the gateway has made.
final class SimulatedConnection: CustomStringConvertible {
    let peer: SimulatedPeer
    unowned let upstream: SimulatedUpstream
    /// Whose it is.
    let gateway: Int
    let streamsMax: Int
    /// The upstream has said that it speaks HTTP/2.
    var isAccepted = false
    /// It has said that it takes no more streams.
    var isLeaving = false
    var attempts: [SimulatedAttempt] = []
    var watch: HTTP2Stream?

    init(_ peer: SimulatedPeer, to upstream: SimulatedUpstream, gateway: Int, streamsMax: Int) {
        self.peer = peer
        self.upstream = upstream
        self.gateway = gateway
        self.streamsMax = streamsMax
    }

    var description: String { "\(upstream.name) by \(gateway)" }
    var isOpen: Bool { peer.isOpen }
    var isStopped: Bool { isAccepted && peer.isStopped }
    /// Those that the upstream works at.
    var openAttempts: [SimulatedAttempt] { attempts.filter { !$0.isOver } }

    func attempt(of stream: HTTP2Stream) -> SimulatedAttempt? {
        attempts.first { $0.stream === stream }
    }

    func beginWatch(_ stream: HTTP2Stream) {
        watch = stream
        upstream.hasEndedWatch = false
        upstream.isServing = nil
    }
}

/// A question of a reactor what the name stands for.
final class SimulatedLookUp: NameLookUp {
    private let whenDone: (NameAnswer) -> Void
    var whenStarted: () -> Void = {}
    /// Somebody waits for the answer.
    private(set) var isOpen = true

    init(_ whenDone: @escaping (NameAnswer) -> Void) { self.whenDone = whenDone }

    func start() { whenStarted() }
    func cancel() { isOpen = false }

    func finish(_ answer: NameAnswer) {
        isOpen = false
        whenDone(answer)
    }
}

/// A stream that has come for a call.
final class SimulatedAttempt {
    /// Counts all of them.
    let serial: Int
    let call: SimulatedCall
    unowned let connection: SimulatedConnection
    let stream: HTTP2Stream
    let id: Int32
    var request: [UInt8] = []
    var hasRequest = false
    var hasHead = false
    var messages = 0
    /// The upstream is done with it, or it was aborted.
    var isOver = false

    init(_ serial: Int, of call: SimulatedCall, by stream: HTTP2Stream, _ on: SimulatedConnection) {
        self.serial = serial
        self.call = call
        self.stream = stream
        connection = on
        id = stream.id
    }

    private var session: HTTP2Session { connection.peer.session }

    func sendHead() {
        guard !hasHead else { return }
        hasHead = true
        var head = ResponseHead()
        head.fields.append("content-type", "application/grpc")
        head.fields.append("x-attempt", text: "\(serial)")
        session.respond(stream, &head, isLast: false)
        connection.peer.flush()
    }

    func sendMessage() {
        sendHead()
        messages += 1
        stream.append(SimulatedMessage.envelope("\(call.number)/\(serial)").span)
        session.resume(stream)
        connection.peer.flush()
    }

    /// Ends it with a status: in the trailers, or in a head of its own.
    func end(_ code: StatusCode, pushback: String? = nil) {
        isOver = true
        var fields = Fields()
        fields.append("grpc-status", text: "\(code.rawValue)")
        if let pushback { fields.append("grpc-retry-pushback-ms", text: pushback) }
        if hasHead {
            swap(&stream.trailers, &fields)
            stream.finish(withTrailers: true)
            session.resume(stream)
        } else {
            var head = ResponseHead()
            head.fields.append("content-type", "application/grpc")
            head.fields.append(contentsOf: fields)
            session.respond(stream, &head, isLast: true)
        }
        connection.peer.flush()
    }

    /// Ends it as no gRPC server would.
    func end(httpStatus: Int) {
        isOver = true
        var head = ResponseHead()
        head.status = httpStatus
        session.respond(stream, &head, isLast: true)
        connection.peer.flush()
    }

    func reset(_ code: UInt32) {
        isOver = true
        if code == HTTP2Code.refusedStream, !hasHead { call.unprocessed += 1 }
        session.reset(stream, code: code)
        connection.peer.flush()
    }
}
