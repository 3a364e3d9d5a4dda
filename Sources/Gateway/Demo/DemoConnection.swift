import Logging
import ProtoRuntime
import Transcode

/// One connection to the demo: turns the session's events into calls, and sends what they answer.
final class DemoConnection: HTTP2ConnectionDelegate, LocalHost {
    let reactor: DemoReactor
    private let connection: HTTP2Connection
    private var calls: [Int32: LocalCall] = [:]
    /// Room in which a message is put together before its stream takes it.
    private var scratch = OutputBlock()

    init(socket: Socket, reactor: DemoReactor) throws(HTTP2Error) {
        self.reactor = reactor
        connection = try HTTP2Connection(
            ByteStream(socket), role: .server, limits: HTTP2Limits(), pool: reactor.streams,
            loop: reactor.loop)
    }

    /// Enters the loop, and sends the server's SETTINGS.
    func start() throws(SystemError) {
        try connection.register(self)
        connection.begin()
    }

    func close() { connection.close(.closed("the demo is stopping")) }

    // MARK: What the connection reports

    func receive(_ event: HTTP2Event.Kind) {}

    func receive(_ event: HTTP2Event.Kind, of stream: HTTP2Stream, _ input: Span<UInt8>) {
        switch event {
        case .head:
            let call = LocalCall(stream: stream, host: self)
            calls[stream.id] = call
            call.begin()
        case .body(let range):
            calls[stream.id]?.receive(input.extracting(range))
            connection.consumeUnlessFull(stream)
        case .end: calls[stream.id]?.receiveEnd()
        case .drained:
            connection.consume(stream)
            calls[stream.id]?.drained()
        case .closed:
            calls.removeValue(forKey: stream.id)?.streamClosed()
            reactor.streams.giveBack(stream)
        case .settings, .goAway, .pong, .broken: break
        }
    }

    func connectionClosed() {
        if case .protocolViolation(let error) = connection.end {
            reactor.log.debug("demo server: \(error.description)")
        }
        reactor.connectionClosed(self)
    }

    // MARK: Answering

    var loop: EventLoop { reactor.loop }

    func localMethod(at path: String) -> LocalMethod? { reactor.methods.method(at: path) }

    func beginResponse(_ stream: HTTP2Stream, _ head: inout ResponseHead) {
        connection.beginResponse(stream, &head)
    }

    func respond(_ stream: HTTP2Stream, _ head: inout ResponseHead, body: Span<UInt8>) {
        connection.respond(stream, &head, body: body)
    }

    func send(_ stream: HTTP2Stream, _ message: some WireMessage) {
        scratch.removeAll()
        message.appendEnvelope(to: &scratch)
        connection.send(stream, scratch.bytes)
        scratch.removeAll()
        scratch.shrink(toAtMost: DemoReactor.keptBytesMax)
    }

    func endResponse(_ stream: HTTP2Stream, withTrailers: Bool) {
        connection.finish(stream, withTrailers: withTrailers)
    }

    func abortResponse(_ stream: HTTP2Stream, code: UInt32) {
        connection.reset(stream, code: code)
    }
}
