import ProtoRuntime
import Transcode

/// One client connection of HTTP/1.1: parses requests one after the other, sends their responses in order.
///
/// A pipelined request waits, unparsed, until the response before it is complete. A client that closes after a
/// complete request is gone, and so is its call.
final class HTTP1Connection: EventHandler, Flushable, TimerTarget {
    /// Pipelined bytes that are kept while a call is under way; then reading pauses.
    static let pipelinedBytesMax = 64 << 10
    /// Unsent response bytes above which no further request is taken up.
    static let outputBytesMax = 256 << 10
    /// After an early answer: bytes and nanoseconds that the rest of the request is read and dropped for.
    static let lingerBytesMax = 16 << 20
    static let lingerNanoseconds: Int64 = 2_000_000_000

    enum Phase: Equatable {
        /// Between requests, or within a head.
        case idle
        /// A request is being received, answered, or both.
        case call
        /// The last response is being flushed; what still comes is dropped.
        case lingering(dropped: Int)
        case closed
    }

    enum TimerKind {
        static let idle: UInt8 = 0
        static let linger: UInt8 = 1
    }

    let reactor: Reactor
    let loop: EventLoop
    let peer: Peer
    private(set) var head = RequestHead()
    var transport: Transport
    private var parser: HTTP1Parser
    var phase = Phase.idle
    private(set) var exchange: Exchange?
    private(set) var isRequestComplete = false
    private(set) var isResponseComplete = false
    private var framing = HTTP1Writer.Framing.none
    private var isHeadRequest = false
    var closesAfterResponse = false
    /// The client sent more than the last request that is served.
    private(set) var hasExtraInput = false
    /// FIN is sent; the rest of the input is dropped.
    var hasFinishedSending = false
    /// Bytes received and not parsed yet.
    private var pending = ByteBuffer()
    private var isFlushQueued = false
    private var isContinueQueued = false
    var timer: EventLoop.TimerID?
    /// When the connection became idle, received the first byte of an incomplete head, or last got rid of bytes.
    var idleSince: Int64
    /// When response bytes were first seen to wait since the client last took some; 0 for not at all.
    var waitsSince: Int64 = 0
    private(set) var hasPartialHead = false

    init(_ stream: ByteStream, peer: Peer, reactor: Reactor) {
        self.reactor = reactor
        loop = reactor.loop
        self.peer = peer
        transport = Transport(stream, loop: loop)
        parser = HTTP1Parser(limits: reactor.settings.http1)
        idleSince = loop.now
    }

    /// Enters the loop with the bytes that were read to tell the protocol.
    func start(with first: Span<UInt8>) throws(SystemError) {
        try transport.register(self)
        reactor.connectionOpened(self)
        guard phase != .closed else { return }
        scheduleIdleCheck()
        process(first)
    }

    // MARK: Reading

    func handle(_ readiness: Readiness) {
        guard phase != .closed else { return }
        if readiness.isEmpty {
            isContinueQueued = false
            processPending()
            return
        }
        let readiness = transport.translate(readiness)
        if readiness.contains(.writable) { flush() }
        if phase != .closed, readiness.contains(.readable) {
            read()
        } else if phase != .closed, readiness.contains(.failed) {
            clientLeft()
        } else if phase != .closed, readiness.contains(.hangUp) {
            // Reading is paused. With the request complete the client is gone; else its bytes are read later.
            if isRequestComplete {
                clientFinished()
            } else {
                transport.setReading(false, hangUp: false)
            }
        }
    }

    private func read() {
        var block = loop.takeInput()
        do throws(TransportError) {
            switch try transport.read(into: &block, atMost: EventLoop.readBytesMax) {
            case .bytes: process(block.bytes)
            case .blocked: break
            case .end: clientFinished()
            }
        } catch {
            clientLeft()
        }
        loop.returnInput(block)
    }

    private func process(_ input: Span<UInt8>) {
        if case .lingering(let dropped) = phase {
            drop(input.count, behind: dropped)
            return
        }
        guard pending.isEmpty else {
            pending.append(input)
            processPending()
            return
        }
        let used = parse(input)
        if used < input.count, phase != .closed {
            pending.append(input.extracting(used..<input.count))
        }
        pauseIfFull()
    }

    private func processPending() {
        var taken = ByteBuffer()
        swap(&taken, &pending)
        taken.consume(parse(taken.readable))
        if phase == .closed { return }
        swap(&taken, &pending)
        pending.shrink(toAtMost: 0)
        pauseIfFull()
    }

    private func pauseIfFull() {
        guard phase == .call, isRequestComplete else { return }
        if pending.count > HTTP1Connection.pipelinedBytesMax { transport.setReading(false) }
    }

    /// Whether the client leaves too much of its answers unread to be given more.
    private var isOutputFull: Bool { transport.output.count > HTTP1Connection.outputBytesMax }

    /// Between requests: goes on with what was received, unless the client has to read first.
    private func goOn() {
        if isOutputFull {
            transport.setReading(false)
            return
        }
        if !transport.isReading { transport.setReading(true) }
        if !pending.isEmpty { continueLater() }
    }

    /// Parses requests until bytes run out or a call is to be answered first; returns how many bytes it used.
    private func parse(_ input: Span<UInt8>) -> Int {
        var offset = 0
        while (phase == .idle && !isOutputFull) || (phase == .call && !isRequestComplete) {
            let event: HTTP1Parser.Event
            do throws(HTTP1Error) {
                event = try parser.next(input, &offset, head: &head)
            } catch {
                refuse(error)
                return input.count
            }
            switch event {
            case .needMore:
                notePartialHead(offset < input.count)
                return offset
            case .head: beginCall()
            case .body(let range): exchange?.receiveBody(input.extracting(range))
            case .end:
                isRequestComplete = true
                // What was answered so far has waited for this.
                if !transport.output.isEmpty { flushLater() }
                exchange?.receiveEnd()
                finishIfComplete()
            }
        }
        guard case .lingering = phase else { return offset }
        if offset < input.count { hasExtraInput = true }
        return input.count
    }

    /// The time for a head runs from its first byte, however slowly the others follow.
    private func notePartialHead(_ isPartial: Bool) {
        guard phase == .idle else { return }
        if isPartial, !hasPartialHead { idleSince = loop.now }
        hasPartialHead = isPartial
    }

    private func beginCall() {
        phase = .call
        hasPartialHead = false
        // Known before the answer: an early one need not close the connection then.
        isRequestComplete = parser.skipEmptyBody()
        isResponseComplete = false
        isHeadRequest = head.isMethod("HEAD")
        let exchange = reactor.takeExchange()
        self.exchange = exchange
        exchange.begin(.http1(self))
        if parser.expectsContinue, !isResponseComplete {
            transport.output.withBlock { HTTP1Writer.appendContinue(to: &$0) }
            flushLater()
        }
        if isRequestComplete { self.exchange?.receiveEnd() }
    }

    /// A request that cannot be parsed: say why, then close.
    private func refuse(_ error: HTTP1Error) {
        guard !isAnsweredEarly else {
            closesAfterResponse = true
            finishResponse()
            return
        }
        let status = Status(
            error.status == 501 ? .unimplemented : .invalidArgument, error.message,
            httpStatus: error.status, reason: "malformed_request")
        if let exchange {
            exchange.failRequest(status)
        } else {
            phase = .call
            isRequestComplete = false
            isResponseComplete = false
            isHeadRequest = false
            reactor.respond(with: status, to: .http1(self))
        }
    }

    // MARK: Answering

    /// Sends the head and the whole body.
    func respond(_ head: borrowing ResponseHead, body: Span<UInt8>) {
        let hasNoBody = head.status == 204 || head.status == 304
        framing = hasNoBody ? .none : .length(body.count)
        appendHead(head)
        if !hasNoBody, !isHeadRequest { transport.output.append(body) }
        finishResponse()
    }

    /// Sends the head of a body that comes in pieces.
    ///
    /// While the client still sends, the answer waits: many clients read nothing before they have sent all, and some
    /// take an early answer for a refusal. So bidi is half-duplex here, as long as the answer is small enough to wait:
    /// beyond that an upstream that wants its answers read could bring the call to a stand.
    func beginResponse(_ head: borrowing ResponseHead) {
        framing = self.head.version == .http10 ? .untilClose : .chunked
        appendHead(head, mayAwaitEnd: true)
        if !isHoldingBack { flushLater() }
    }

    /// Sends a piece of the body.
    func send(_ bytes: Span<UInt8>) {
        guard !isHeadRequest else { return }
        if framing == .chunked {
            transport.output.withBlock { HTTP1Writer.appendChunk(bytes, to: &$0) }
        } else {
            transport.output.append(bytes)
        }
        if !isHoldingBack { flushLater() }
    }

    /// Ends a body that came in pieces.
    func endResponse() {
        if framing == .chunked, !isHeadRequest {
            transport.output.withBlock { HTTP1Writer.appendLastChunk(to: &$0) }
        }
        finishResponse()
    }

    /// Whether the answer waits for the end of the request.
    var isHoldingBack: Bool {
        phase == .call && !isRequestComplete && !isResponseComplete
            && transport.output.count <= HTTP2Stream.lowWaterBytes
    }

    /// The length of the request's body by its head; 0 when it does not tell.
    var declaredBytes: Int { parser.contentLength ?? 0 }

    /// Unsent bytes of the response.
    var pendingBytes: Int { transport.output.count }

    /// Stops or starts reading the request's body, for a slow upstream.
    func setReading(_ reading: Bool) {
        guard phase == .call, !isRequestComplete, transport.isReading != reading else { return }
        transport.setReading(reading)
        if reading, !pending.isEmpty { continueLater() }
    }

    private var keepsAlive: Bool {
        parser.keepsAlive && !closesAfterResponse && !reactor.isDraining
    }

    /// - Parameter mayAwaitEnd: the connection is kept although the request is not complete: its end is on its way,
    ///   and is waited for. Otherwise an early answer is a refusal, and what the client still sends is not wanted.
    private func appendHead(_ head: borrowing ResponseHead, mayAwaitEnd: Bool = false) {
        let keeps =
            framing != .untilClose && keepsAlive && (isRequestComplete || mayAwaitEnd)
        if !keeps { closesAfterResponse = true }
        let framing = framing
        let date = loop.date.text
        transport.output.withBlock { output in
            HTTP1Writer.appendHead(
                head, framing: framing, keepsAlive: keeps, date: date, to: &output)
        }
    }

    func finishResponse() {
        isResponseComplete = true
        flushLater()
        finishIfComplete()
    }

    /// Goes on with the next request once this one is received and answered.
    private func finishIfComplete() {
        guard phase == .call, isResponseComplete else { return }
        if let exchange {
            self.exchange = nil
            reactor.giveBack(exchange)
        }
        idleSince = loop.now
        // Answered before the end of the request: what is left of it is read and dropped.
        if !isRequestComplete, !closesAfterResponse { return }
        guard !closesAfterResponse else {
            if !pending.isEmpty || !transport.isReading { hasExtraInput = true }
            phase = .lingering(dropped: 0)
            return
        }
        phase = .idle
        goOn()
    }

    // MARK: Writing and closing

    func flushLater() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        loop.flushLater(client: self)
    }

    private func continueLater() {
        guard !isContinueQueued else { return }
        isContinueQueued = true
        loop.continueLater(self)
    }

    func flush() {
        isFlushQueued = false
        guard phase != .closed else { return }
        do throws(TransportError) {
            let before = transport.output.count
            let isDone = try transport.flush()
            if transport.output.count < before {
                waitsSince = 0
                if !hasPartialHead { idleSince = loop.now }
            }
            guard isDone else { return }
        } catch {
            clientLeft()
            return
        }
        switch phase {
        case .lingering: beginLinger()
        case .idle: if !transport.isReading { goOn() }
        case .call: exchange?.clientDrained()
        case .closed: break
        }
    }

    func clientLeft() {
        if phase == .closed { return }
        if let exchange {
            self.exchange = nil
            exchange.clientGone()
            reactor.giveBack(exchange)
        }
        close()
    }

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        if let exchange {
            self.exchange = nil
            exchange.clientGone()
            reactor.giveBack(exchange)
        }
        cancelTimer()
        transport.close()
        reactor.connectionClosed(self)
    }
}
