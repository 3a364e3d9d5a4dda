import Logging
import ProtoRuntime
import Transcode

/// One client connection of HTTP/2: turns the session's events into calls, and sends what they answer.
final class HTTP2ClientSide: EventHandler, Flushable, TimerTarget {
    /// Bytes collected for one write; what a slow client does not take stays below this.
    static let outputBytesMax = 256 << 10

    let reactor: Reactor
    private let session: HTTP2Session
    private var transport: Transport
    private var isClosed = false
    private var isFlushQueued = false
    /// Calls that the gateway answers itself; every other stream has an exchange.
    private var localCalls: [Int32: LocalCall] = [:]
    private var idleSince: Int64
    private var timer: EventLoop.TimerID?

    init(_ stream: ByteStream, reactor: Reactor) throws(HTTP2Error) {
        self.reactor = reactor
        transport = Transport(stream, loop: reactor.loop)
        session = try HTTP2Session(
            role: .server, limits: reactor.settings.http2, pool: reactor.streams)
        idleSince = reactor.loop.now
    }

    /// Enters the loop with the bytes that were read to tell the protocol; none when ALPN told it.
    func start(with first: Span<UInt8>) throws(SystemError) {
        try transport.register(self)
        reactor.connectionOpened(self)
        scheduleIdleCheck()
        if first.isEmpty { flushLater() } else { process(first) }
    }

    // MARK: Reading

    func handle(_ readiness: Readiness) {
        if isClosed { return }
        let readiness = transport.translate(readiness)
        if readiness.contains(.writable) { flush() }
        if !isClosed, readiness.contains(.readable) {
            read()
        } else if !isClosed, !readiness.isDisjoint(with: [.failed, .hangUp]) {
            close()
        }
    }

    private func read() {
        var block = reactor.loop.takeInput()
        do throws(TransportError) {
            switch try transport.read(into: &block, atMost: EventLoop.readBytesMax) {
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
            reactor.log.debug("http2 client: \(error.description)")
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
                guard let exchange = stream.exchange else {
                    localCalls[stream.id]?.receive(input.extracting(range))
                    consumeOrWait(stream)
                    continue
                }
                exchange.receiveBody(input.extracting(range))
            case .end:
                guard let exchange = stream.exchange else {
                    localCalls[stream.id]?.receiveEnd()
                    continue
                }
                exchange.receiveEnd()
            case .drained:
                guard let exchange = stream.exchange else {
                    session.consume(stream)
                    localCalls[stream.id]?.drained()
                    continue
                }
                exchange.clientDrained()
            case .closed: streamClosed(stream)
            case .settings, .goAway: break
            }
        }
        session.recycle(events)
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
        if session.streamCount == 0 {
            idleSince = reactor.loop.now
            if reactor.isDraining { flushLater() }
        }
    }

    // MARK: Answering

    /// Sends the head and the whole body; to HEAD only its length (RFC 9110 §9.3.2).
    func respond(_ stream: HTTP2Stream, _ head: borrowing ResponseHead, body: Span<UInt8>) {
        let isEmpty = body.count == 0 || head.status == 204 || head.status == 304
        if isEmpty || stream.request.isMethod("HEAD") {
            session.respond(stream, head, isLast: true, bodyBytes: isEmpty ? nil : body.count)
        } else {
            stream.append(body)
            stream.finish(withTrailers: false)
            session.respond(stream, head, isLast: false, bodyBytes: body.count)
        }
        flushLater()
    }

    /// Sends the head of a body that comes in pieces.
    func beginResponse(_ stream: HTTP2Stream, _ head: borrowing ResponseHead) {
        session.respond(stream, head, isLast: false)
        flushLater()
    }

    /// Sends a piece of the body.
    func send(_ stream: HTTP2Stream, _ bytes: Span<UInt8>) {
        guard !stream.request.isMethod("HEAD") else { return }
        stream.append(bytes)
        session.resume(stream)
        flushLater()
    }

    /// Ends the body; `stream.trailers` follow when `withTrailers`.
    func endResponse(_ stream: HTTP2Stream, withTrailers: Bool) {
        stream.finish(withTrailers: withTrailers)
        session.resume(stream)
        flushLater()
    }

    func abortResponse(_ stream: HTTP2Stream, code: UInt32) {
        session.reset(stream, code: code)
        flushLater()
    }

    /// The bytes received so far are disposed of: the client may send as many again.
    func consume(_ stream: HTTP2Stream) {
        session.consume(stream)
        flushLater()
    }

    // MARK: Writing and closing

    private func flushLater() {
        guard !isFlushQueued else { return }
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
                    into: &transport.output, limit: HTTP2ClientSide.outputBytesMax)
                guard try transport.flush() else { break }
            }
        } catch {
            close()
            return
        }
        dispatch(Span())
        if !session.wantsMore || (reactor.isDraining && session.streamCount == 0) {
            if transport.output.isEmpty { close() }
        }
    }

    private func close() {
        guard !isClosed else { return }
        isClosed = true
        session.abandonStreams(code: HTTP2Code.cancel)
        dispatch(Span())
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        transport.close()
        reactor.connectionClosed(self)
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        let idle = session.streamCount == 0 ? reactor.loop.now - idleSince : 0
        if idle >= reactor.settings.idleNanoseconds {
            session.goAway(code: HTTP2Code.noError)
            flush()
            close()
        } else {
            scheduleIdleCheck()
        }
    }

    private func scheduleIdleCheck() {
        timer = reactor.loop.schedule(after: reactor.settings.idleNanoseconds, self)
    }
}

extension HTTP2ClientSide: DrainingConnection {
    /// Tells the client to open no more streams, and closes after the last one.
    func drain() {
        session.goAway(code: HTTP2Code.noError)
        for call in localCalls.values { call.drain() }
        flushLater()
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

    /// The client may send on, unless it does not read what it is sent: then when that has drained.
    private func consumeOrWait(_ stream: HTTP2Stream) {
        if stream.pendingBytes <= HTTP2Stream.lowWaterBytes {
            session.consume(stream)
        } else {
            stream.wantsDrained = true
        }
    }
}
