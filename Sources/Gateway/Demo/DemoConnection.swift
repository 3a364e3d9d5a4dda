import Logging
import ProtoRuntime
import Transcode

/// One connection to the demo: turns the session's events into calls, and sends what they answer.
final class DemoConnection: EventHandler, Flushable, LocalHost {
    /// Bytes collected for one write; what a slow client does not take stays below this.
    static let outputBytesMax = 256 << 10

    let reactor: DemoReactor
    private let session: HTTP2Session
    private var transport: Transport
    private var calls: [Int32: LocalCall] = [:]
    /// Room in which a message is put together before its stream takes it.
    private var scratch = OutputBlock()
    private var isClosed = false
    private var isFlushQueued = false

    init(socket: Socket, reactor: DemoReactor) throws(HTTP2Error) {
        self.reactor = reactor
        transport = Transport(socket: socket, loop: reactor.loop)
        session = try HTTP2Session(role: .server, limits: HTTP2Limits(), pool: reactor.streams)
    }

    /// Enters the loop, and sends the server's SETTINGS.
    func start() throws(SystemError) {
        try transport.register(self)
        flushLater()
    }

    // MARK: Reading

    func handle(_ readiness: Readiness) {
        if isClosed { return }
        if readiness.contains(.writable) { flush() }
        if !isClosed, readiness.contains(.readable) {
            read()
        } else if !isClosed, !readiness.isDisjoint(with: [.failed, .hangUp]) {
            close()
        }
    }

    private func read() {
        var block = reactor.loop.takeInput()
        do throws(SystemError) {
            switch try transport.socket.read(into: &block, atMost: EventLoop.readBytesMax) {
            case .bytes: process(block.bytes)
            case .blocked: break
            case .end: close()
            }
        } catch {
            close()
        }
        reactor.loop.returnInput(block)
    }

    private func process(_ input: Span<UInt8>) {
        do throws(HTTP2Error) {
            try session.receive(input)
        } catch {
            reactor.log.debug("demo server: \(error.description)")
            dispatch(input)
            flush()
            close()
            return
        }
        dispatch(input)
        flushLater()
    }

    /// Does what the session's events mean.
    private func dispatch(_ input: Span<UInt8>) {
        let events = session.takeEvents()
        for event in events {
            guard let stream = event.stream else { continue }
            switch event.kind {
            case .head: beginCall(stream)
            case .body(let range):
                calls[stream.id]?.receive(input.extracting(range))
                consumeOrWait(stream)
            case .end: calls[stream.id]?.receiveEnd()
            case .drained:
                session.consume(stream)
                calls[stream.id]?.drained()
            case .closed: streamClosed(stream)
            case .settings, .goAway: break
            }
        }
        session.recycle(events)
    }

    private func beginCall(_ stream: HTTP2Stream) {
        let call = LocalCall(stream: stream, host: self)
        calls[stream.id] = call
        call.begin()
    }

    /// The client may send on, unless it does not read what it is sent: then when that has drained.
    private func consumeOrWait(_ stream: HTTP2Stream) {
        if stream.pendingBytes <= HTTP2Stream.lowWaterBytes {
            session.consume(stream)
        } else {
            stream.wantsDrained = true
        }
    }

    private func streamClosed(_ stream: HTTP2Stream) {
        calls.removeValue(forKey: stream.id)?.streamClosed()
        reactor.streams.giveBack(stream)
    }

    // MARK: Answering

    var loop: EventLoop { reactor.loop }

    func localMethod(at path: String) -> LocalMethod? { reactor.methods.method(at: path) }

    func beginResponse(_ stream: HTTP2Stream, _ head: borrowing ResponseHead) {
        session.respond(stream, head, isLast: false)
        flushLater()
    }

    func respond(_ stream: HTTP2Stream, _ head: borrowing ResponseHead, body: Span<UInt8>) {
        if body.count > 0 {
            stream.append(body)
            stream.finish(withTrailers: false)
        }
        session.respond(stream, head, isLast: body.count == 0)
        flushLater()
    }

    func send(_ stream: HTTP2Stream, _ message: some WireMessage) {
        scratch.removeAll()
        message.appendEnvelope(to: &scratch)
        stream.append(scratch.bytes)
        scratch.removeAll()
        scratch.shrink(toAtMost: DemoReactor.keptBytesMax)
        session.resume(stream)
        flushLater()
    }

    func endResponse(_ stream: HTTP2Stream, withTrailers: Bool) {
        stream.finish(withTrailers: withTrailers)
        session.resume(stream)
        flushLater()
    }

    func abortResponse(_ stream: HTTP2Stream, code: UInt32) {
        session.reset(stream, code: code)
        flushLater()
    }

    // MARK: Writing and closing

    private func flushLater() {
        guard !isFlushQueued, !isClosed else { return }
        isFlushQueued = true
        reactor.loop.flushLater(client: self)
    }

    func flush() {
        isFlushQueued = false
        guard !isClosed else { return }
        do {
            var more = true
            while more {
                more = try session.collect(
                    into: &transport.output, limit: DemoConnection.outputBytesMax)
                guard try transport.flush() else { break }
            }
        } catch {
            close()
            return
        }
        dispatch(Span())
        if !session.wantsMore, transport.output.isEmpty { close() }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        session.abandonStreams(code: HTTP2Code.cancel)
        dispatch(Span())
        transport.close()
        reactor.connectionClosed(self)
    }
}
