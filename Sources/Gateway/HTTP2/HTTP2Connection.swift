import ProtoRuntime
import Transcode

/// What the owner of an HTTP/2 connection does with what comes by it.
protocol HTTP2ConnectionDelegate: AnyObject {
    /// One event, in the order in which they came; its range of bytes lies in `input`. A closed stream is the
    /// delegate's to give back to the pool.
    func receive(_ event: HTTP2Event.Kind, of stream: HTTP2Stream, _ input: Span<UInt8>)
    /// An event that is about no stream.
    func receive(_ event: HTTP2Event.Kind)
    /// The connection is over, for the reason in its `end`. Every stream was reported as closed before.
    func connectionClosed()
}

/// One HTTP/2 connection, either side: its bytes, its session, its end. What the streams mean is its delegate's.
///
///     register ──▶ serving ──drain──▶ announced ──pong, or no time left──▶ leaving ──last stream──▶ closed
///
/// From `register` until it is closed the connection keeps its delegate, as the loop keeps the connection.
final class HTTP2Connection: EventHandler, Flushable, TimerTarget {
    /// Bytes collected for one write; what a slow peer does not take stays below this.
    static let outputBytesMax = 256 << 10
    /// A peer that was asked to open no more streams has this long to say that it knows.
    static let drainNanoseconds: Int64 = 1_000_000_000

    private enum TimerKind { static let (head, drain): (UInt8, UInt8) = (0, 1) }
    private enum DrainPhase { case none, announced, leaving }

    /// Why a connection ended.
    enum End: Equatable {
        case peerClosed
        /// The last stream is closed after one side announced the end.
        case finished
        case cannotRead(TransportError)
        case cannotWrite(String)
        case protocolViolation(HTTP2Error)
        /// A head was begun and not finished in time.
        case headTimeout
        /// Nothing was read for too long after a PING.
        case silent
        /// The owner wants it.
        case closed(String)
    }

    let loop: EventLoop
    private let session: HTTP2Session
    private var transport: Transport
    private var delegate: (any HTTP2ConnectionDelegate)?
    /// Known before the streams that end with the connection are reported as closed.
    private(set) var end: End?
    private(set) var isClosed = false
    /// How many lists of events are being handled, and those that were within another one.
    private var dispatchDepth = 0
    private var nested: [HTTP2EventList] = []
    private var isFlushQueued = false
    private var drainPhase = DrainPhase.none
    private var drainTimer: EventLoop.TimerID?
    /// From the first byte of a head to its last; nil is no limit.
    private let headNanoseconds: Int64?
    private var headTimer: EventLoop.TimerID?
    /// Whether the peer lives; `keepAlive` asks.
    var keepalive = Keepalive(time: nil, timeout: 0)
    /// When the last byte came.
    private var lastRead: Int64
    /// Which head, in the session's count, the timer is for.
    private var watchedHead: UInt32 = 0

    init(
        _ stream: ByteStream, role: HTTP2Session.Role, limits: HTTP2Limits, pool: HTTP2StreamPool,
        loop: EventLoop, headNanoseconds: Int64? = nil
    ) throws(HTTP2Error) {
        self.loop = loop
        lastRead = loop.now
        self.headNanoseconds = headNanoseconds
        transport = Transport(stream, loop: loop)
        session = try HTTP2Session(role: role, limits: limits, pool: pool)
    }

    /// Enters the loop; `begin` must follow.
    func register(_ delegate: any HTTP2ConnectionDelegate) throws(SystemError) {
        try transport.register(self)
        self.delegate = delegate
    }

    /// Sends the SETTINGS, and takes the bytes that were read before the connection was made.
    func begin(with first: Span<UInt8> = Span()) {
        if first.isEmpty { flushLater() } else { process(first) }
        // OpenSSL may hold what came with the end of the handshake.
        if transport.tls != nil, !isClosed { read() }
    }

    var streamCount: Int { session.streamCount }
    /// Client side: whether the peer lets us open one more stream now.
    var hasRoom: Bool { session.streamCount < session.peerStreamsMax }
    /// Client side: so many streams were opened that a new connection should take over.
    var isUsedUp: Bool { session.isUsedUp }

    // MARK: Reading

    func handle(_ readiness: Readiness) {
        if isClosed { return }
        let readiness = transport.translate(readiness)
        if readiness.contains(.writable) { flush() }
        if !isClosed, readiness.contains(.readable) {
            read()
        } else if !isClosed, !readiness.isDisjoint(with: [.failed, .hangUp]) {
            close(.peerClosed)
        }
    }

    private func read() {
        var block = loop.takeInput()
        do throws(TransportError) {
            switch try transport.read(into: &block, atMost: EventLoop.readBytesMax) {
            case .bytes: process(block.bytes)
            case .blocked: break
            case .end: close(.peerClosed)
            }
        } catch {
            close(.cannotRead(error))
        }
        loop.returnInput(block)
    }

    private func process(_ input: Span<UInt8>) {
        lastRead = loop.now
        do throws(HTTP2Error) {
            try session.receive(input)
        } catch {
            end = .protocolViolation(error)
            dispatch(input)
            flush()
            close(.protocolViolation(error))
            return
        }
        dispatch(input)
        watchHead()
        flushLater()
    }

    private func dispatch(_ input: Span<UInt8>) {
        guard session.hasEvents else { return }
        let list = session.takeEvents()
        dispatchDepth += 1
        if let delegate {
            for event in list.events {
                // What an event led to may have closed the connection, and with it streams that serve others by now.
                if !nested.isEmpty, nested.contains(where: { $0.tellsEnd(of: event) }) { continue }
                let isOfStream = event.withStream { stream in
                    if case .broken = event.kind {
                        reset(stream, code: HTTP2Code.internalError)
                    } else {
                        delegate.receive(event.kind, of: stream, input)
                    }
                }
                if isOfStream { continue }
                if case .pong = event.kind { leave() } else { delegate.receive(event.kind) }
            }
        }
        dispatchDepth -= 1
        guard dispatchDepth == 0 else {
            nested.append(list)
            return
        }
        if !nested.isEmpty { nested = [] }
        session.recycle(list)
    }

    /// No other frame can come between the frames of a head, so that an unfinished one holds up the connection.
    private func watchHead() {
        guard session.isReceivingHead else {
            if let headTimer { loop.cancel(headTimer) }
            headTimer = nil
            return
        }
        guard let headNanoseconds, headTimer == nil || watchedHead != session.headCount else {
            return
        }
        if let headTimer { loop.cancel(headTimer) }
        watchedHead = session.headCount
        headTimer = loop.schedule(after: headNanoseconds, self, kind: TimerKind.head)
    }

    // MARK: Streams

    /// Client side: opens a stream with `head`, which becomes the stream's; its body is what the stream holds and what follows by `send`.
    func open(_ stream: HTTP2Stream, _ head: inout Fields) throws(HTTP2Error) {
        try session.request(stream, &head)
        flushLater()
    }

    /// Server side: sends the head and the whole body; to HEAD only its length (RFC 9110 §9.3.2).
    func respond(_ stream: HTTP2Stream, _ head: inout ResponseHead, body: Span<UInt8>) {
        let isEmpty = body.count == 0 || head.status == 204 || head.status == 304
        if isEmpty || stream.request.isMethod("HEAD") {
            session.respond(stream, &head, isLast: true, bodyBytes: isEmpty ? nil : body.count)
        } else {
            stream.append(body)
            stream.finish(withTrailers: false)
            session.respond(stream, &head, isLast: false, bodyBytes: body.count)
        }
        flushLater()
    }

    /// Server side: sends the head of a body that comes in pieces.
    func beginResponse(_ stream: HTTP2Stream, _ head: inout ResponseHead) {
        session.respond(stream, &head, isLast: false)
        flushLater()
    }

    /// Sends a piece of the body.
    func send(_ stream: HTTP2Stream, _ bytes: Span<UInt8>) {
        stream.append(bytes)
        resume(stream)
    }

    /// Ends the body; `stream.trailers` follow when `withTrailers`.
    func finish(_ stream: HTTP2Stream, withTrailers: Bool) {
        stream.finish(withTrailers: withTrailers)
        resume(stream)
    }

    /// Server side: ends the body by a reset, once its bytes have been written: many clients drop what comes with one.
    func finishBroken(_ stream: HTTP2Stream) {
        stream.finishBroken()
        resume(stream)
    }

    /// The stream's own output was filled, or finished.
    func resume(_ stream: HTTP2Stream) {
        session.resume(stream)
        flushLater()
    }

    /// Aborts the stream.
    func reset(_ stream: HTTP2Stream, code: UInt32) {
        session.reset(stream, code: code)
        flushLater()
    }

    /// What was received on the stream is disposed of: the peer may send as much again.
    func consume(_ stream: HTTP2Stream) {
        session.consume(stream)
        flushLater()
    }

    /// The same, unless the peer does not read what it is sent: then once that has drained.
    func consumeUnlessFull(_ stream: HTTP2Stream) {
        if stream.pendingBytes <= HTTP2Stream.lowWaterBytes {
            consume(stream)
        } else {
            stream.wantsDrained = true
        }
    }

    /// Aborts the streams of which the peer has taken no byte for so long although there are some. A wait counts from
    /// the first of these calls that sees it.
    func resetStalled(for nanoseconds: Int64) {
        if session.resetStalled(now: loop.now, limit: nanoseconds) { flushLater() }
    }

    // MARK: Writing and closing

    private func flushLater() {
        guard !isFlushQueued, !isClosed else { return }
        isFlushQueued = true
        switch session.role {
        case .server: loop.flushLater(client: self)
        case .client: loop.flushLater(upstream: self)
        }
    }

    func flush() {
        isFlushQueued = false
        guard !isClosed else { return }
        do {
            var more = true
            while more {
                more = try session.collect(
                    into: &transport.output, limit: HTTP2Connection.outputBytesMax)
                guard try transport.flush() else { break }
            }
        } catch {
            close(.cannotWrite("\(error)"))
            return
        }
        dispatch(Span())
        closeIfFinished()
    }

    /// Sends a PING when nothing came for long, and closes when nothing came after it.
    /// - Parameter isNeeded: somebody waits for the peer.
    /// - Returns: the nanoseconds after which to ask again.
    func keepAlive(isNeeded: Bool) -> Int64 {
        switch keepalive.check(now: loop.now, lastRead: lastRead, isNeeded: isNeeded) {
        case .wait(let until): return until - loop.now
        case .ping:
            session.ping()
            flushLater()
            return keepalive.timeout
        case .dead:
            close(.silent)
            return .max
        }
    }

    private func closeIfFinished() {
        guard !session.wantsMore || (drainPhase == .leaving && session.streamCount == 0) else {
            return
        }
        // A client must get what it was answered; an upstream has nothing to expect.
        if session.role == .client || transport.output.isEmpty { close(.finished) }
    }

    /// Server side: asks the client to open no more streams, and closes after the last one (RFC 9113 §6.8). Streams
    /// that it opens before it knows are served.
    func drain() {
        guard drainPhase == .none, !isClosed else { return }
        drainPhase = .announced
        session.announceShutdown()
        drainTimer = loop.schedule(
            after: HTTP2Connection.drainNanoseconds, self, kind: TimerKind.drain)
        flushLater()
    }

    /// Client side: closes after the last stream.
    func closeWhenUnused() {
        drainPhase = .leaving
        flushLater()
    }

    /// The client knows by now: what it opens later is not served.
    private func leave() {
        guard drainPhase == .announced else { return }
        drainPhase = .leaving
        session.goAway(code: HTTP2Code.noError)
        flushLater()
    }

    func timerFired(_ kind: UInt8) {
        if kind == TimerKind.head {
            headTimer = nil
            session.goAway(code: HTTP2Code.enhanceYourCalm)
            end = .headTimeout
            flush()
            close(.headTimeout)
            return
        }
        drainTimer = nil
        // Whoever takes neither the GOAWAY nor the end of an answer is not waited for.
        if drainPhase == .leaving, session.streamCount == 0 { return close(.finished) }
        leave()
        drainTimer = loop.schedule(
            after: HTTP2Connection.drainNanoseconds, self, kind: TimerKind.drain)
    }

    /// Ends the connection; its streams are reported as closed.
    func close(_ reason: End) {
        guard !isClosed else { return }
        isClosed = true
        if end == nil { end = reason }
        session.abandonStreams(code: HTTP2Code.cancel)
        dispatch(Span())
        for timer in [headTimer, drainTimer] {
            if let timer { loop.cancel(timer) }
        }
        transport.close()
        let delegate = delegate
        self.delegate = nil
        delegate?.connectionClosed()
    }
}
