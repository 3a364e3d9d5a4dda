import Logging
import ProtoRuntime
import Transcode

/// One client connection of HTTP/2: turns the session's events into calls, and sends what they answer.
final class HTTP2ClientSide: HTTP2ConnectionDelegate, TimerTarget {
    let reactor: Reactor
    let peer: Peer
    private let connection: HTTP2Connection
    /// Calls that the gateway answers itself; every other stream has an exchange.
    private var localCalls: [Int32: LocalCall] = [:]
    private var idleSince: Int64
    private var timer: EventLoop.TimerID?

    init(_ stream: ByteStream, peer: Peer, reactor: Reactor) throws(HTTP2Error) {
        self.reactor = reactor
        self.peer = peer
        connection = try HTTP2Connection(
            stream, role: .server, limits: reactor.settings.http2, pool: reactor.streams,
            loop: reactor.loop, headNanoseconds: reactor.settings.headNanoseconds)
        idleSince = reactor.loop.now
        connection.keepalive = reactor.settings.clientKeepalive
    }

    /// Enters the loop with the bytes that were read to tell the protocol; none when ALPN told it.
    func start(with first: Span<UInt8>) throws(SystemError) {
        try connection.register(self)
        reactor.connectionOpened(self)
        scheduleCheck()
        connection.begin(with: first)
    }

    // MARK: What the connection reports

    func receive(_ event: HTTP2Event.Kind) {}

    func receive(_ event: HTTP2Event.Kind, of stream: HTTP2Stream, _ input: Span<UInt8>) {
        switch event {
        case .head: beginCall(stream)
        case .body(let range):
            guard let exchange = stream.exchange else {
                localCalls[stream.id]?.receive(input.extracting(range))
                connection.consumeUnlessFull(stream)
                return
            }
            exchange.receiveBody(input.extracting(range))
        case .end:
            guard let exchange = stream.exchange else {
                localCalls[stream.id]?.receiveEnd()
                return
            }
            exchange.receiveEnd()
        case .drained:
            guard let exchange = stream.exchange else {
                connection.consume(stream)
                localCalls[stream.id]?.drained()
                return
            }
            exchange.clientDrained()
        case .closed: streamClosed(stream)
        case .settings, .goAway, .pong, .broken: break
        }
    }

    private func beginCall(_ stream: HTTP2Stream) {
        if isLocal(stream) {
            let call = LocalCall(stream: stream, host: self)
            localCalls[stream.id] = call
            call.begin()
            return
        }
        let exchange = reactor.takeExchange()
        stream.exchange = exchange
        exchange.begin(.http2(self, stream))
    }

    private func streamClosed(_ stream: HTTP2Stream) {
        if let exchange = stream.exchange {
            stream.exchange = nil
            exchange.clientGone()
            reactor.giveBack(exchange)
        } else {
            localCalls.removeValue(forKey: stream.id)?.streamClosed()
        }
        reactor.streams.giveBack(stream)
        if connection.streamCount == 0 { idleSince = reactor.loop.now }
    }

    func connectionClosed() {
        if case .protocolViolation(let error) = connection.end {
            reactor.log.debug("http2 client: \(error.description)")
        }
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        reactor.connectionClosed(self)
    }

    // MARK: Answering

    /// Sends the head and the whole body; to HEAD only its length.
    func respond(_ stream: HTTP2Stream, _ head: inout ResponseHead, body: Span<UInt8>) {
        connection.respond(stream, &head, body: body)
    }

    /// Sends the head of a body that comes in pieces.
    func beginResponse(_ stream: HTTP2Stream, _ head: inout ResponseHead) {
        connection.beginResponse(stream, &head)
    }

    /// Sends a piece of the body.
    func send(_ stream: HTTP2Stream, _ bytes: Span<UInt8>) {
        guard !stream.request.isMethod("HEAD") else { return }
        connection.send(stream, bytes)
    }

    /// Ends the body; `stream.trailers` follow when `withTrailers`.
    func endResponse(_ stream: HTTP2Stream, withTrailers: Bool) {
        connection.finish(stream, withTrailers: withTrailers)
    }

    /// Ends the body by RST_STREAM(INTERNAL_ERROR), in a write of its own after the last byte has left.
    func breakResponse(_ stream: HTTP2Stream) {
        connection.finishBroken(stream)
    }

    func abortResponse(_ stream: HTTP2Stream, code: UInt32) {
        connection.reset(stream, code: code)
    }

    /// The bytes received so far are disposed of: the client may send as many again.
    func consume(_ stream: HTTP2Stream) { connection.consume(stream) }

    // MARK: The clock

    /// How often the connection is looked at: a stalled stream is noticed at most a quarter of its limit late.
    private var checkNanoseconds: Int64 {
        min(reactor.settings.idleNanoseconds, reactor.settings.stalledNanoseconds / 4)
    }

    private func scheduleCheck() {
        var wait = checkNanoseconds
        if connection.streamCount == 0 {
            let idleUntil = idleSince.addingReportingOverflow(reactor.settings.idleNanoseconds)
            wait = min(wait, max(idleUntil.partialValue - reactor.loop.now, 0))
        }
        wait = min(wait, connection.keepAlive(isNeeded: connection.streamCount > 0))
        guard !connection.isClosed else { return }
        timer = reactor.loop.schedule(after: wait, self)
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        if connection.streamCount > 0 {
            connection.resetStalled(for: reactor.settings.stalledNanoseconds)
        } else if reactor.loop.now - idleSince >= reactor.settings.idleNanoseconds {
            connection.drain()
            idleSince = reactor.loop.now
        }
        scheduleCheck()
    }
}

extension HTTP2ClientSide: DrainingConnection {
    /// Tells the client to open no more streams, and closes after the last one.
    func drain() {
        connection.drain()
        for call in localCalls.values { call.drain() }
    }
}

// Calls that the gateway answers itself: health and reflection, to gRPC clients.
extension HTTP2ClientSide: LocalHost {
    var loop: EventLoop { reactor.loop }

    func localMethod(at path: String) -> LocalMethod? { reactor.localMethods.method(at: path) }

    func send(_ stream: HTTP2Stream, _ message: some WireMessage) {
        let scratch = reactor.takeScratch()
        message.appendEnvelope(to: &scratch.body)
        send(stream, scratch.body.bytes)
        reactor.giveBack(scratch)
    }

    private func isLocal(_ stream: HTTP2Stream) -> Bool {
        guard stream.request.path.hasPrefix(LocalServices.pathPrefix),
            let index = stream.request.fields.firstIndex(of: .contentType),
            LocalRequestHead.isGRPC(stream.request.fields.value(at: index))
        else { return false }
        return localMethod(at: LocalRequestHead.path(stream.request)) != nil
    }
}
