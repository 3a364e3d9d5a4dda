import ProtoRuntime
import Transcode

/// One call: from the client's head to the status that ends it. Pooled; a loop's exchanges never leave its thread.
///
/// The client's side calls `begin`, `receive…`, `client…`; the upstream's side `upstream…` (ExchangeUpstream.swift).
/// Answering may end the call and hand this object to the next one at once, so every answer is the last thing a
/// method does.
///
///     client ──receiveBody──▶ RequestCodec ──▶ stream.outgoing ──▶ upstream
///     client ◀──client.send── ResponseCodec ◀── upstreamBody ◀──── upstream
final class Exchange: TimerTarget {
    /// Unsent bytes on either side above which no further message is made, and the sender is held back.
    static let unsentBytesMax = HTTP2Stream.lowWaterBytes

    let reactor: Reactor
    // Of the reactor. Held here, constants of this object, they are used without a count of references: a call makes half
    // as many of those.
    let loop: EventLoop
    let streams: HTTP2StreamPool
    let codecTools: CodecTools
    let starts: UpstreamStarts
    /// What was served when the call came; indices in its plan are of this generation.
    let methods: MethodTable
    /// Grows with every call that this object serves: tells stale references.
    private(set) var call: UInt64 = 0
    var pooledBytes = 0
    /// `x-request-id`, as the upstream and the client are told.
    var requestID = OutputBlock()
    private(set) var client = ClientSide.none
    var state = ExchangeState()
    private(set) var plan = CallPlan()
    /// What is configured for the call's metadata.
    private(set) var policy: MetadataPolicy?
    let match = RouteMatch()
    var stream: HTTP2Stream?
    var connection: UpstreamConnection?
    private var requestCodec = RequestCodec()
    var responseCodec = ResponseCodec()
    var attempts = CallAttempts()
    /// Whether the call counts as one of its upstream, and as one that is made again.
    private var isAdmitted = false
    var isRetried = false
    /// Set while several attempts are made side by side (ExchangeHedging.swift).
    var hedged: HedgedCall?
    /// Addresses at which attempts have failed.
    var avoided: [SharedEndpoint] = []
    /// How the upstream ended the call while the client had not read all messages yet, and its trailers.
    private(set) var heldStatus: Status?
    private var heldTrailers = Fields()
    /// Monotonic nanoseconds.
    private(set) var deadline = Int64.max
    private var timer: EventLoop.TimerID?
    /// Set while a REST stream's silence is counted, or its end awaited (ExchangeStream.swift).
    var quietTimer: EventLoop.TimerID?
    /// When a REST stream's client was last sent something.
    var lastSent: Int64 = 0

    /// Set while the next attempt is awaited (ExchangeRetry.swift).
    var retryTimer: EventLoop.TimerID?

    enum TimerKind {
        static let (deadline, quiet, breaking, retry): (UInt8, UInt8, UInt8, UInt8) = (0, 1, 2, 3)
    }

    init(reactor: Reactor) {
        self.reactor = reactor
        loop = reactor.loop
        streams = reactor.streams
        codecTools = reactor.codecTools
        starts = reactor.upstreamStarts
        methods = reactor.snapshot.methods
    }

    /// The upstream that serves the call.
    var upstream: Channel {
        reactor.channel(methods.methods[Int(plan.method)].options.upstream)
    }

    /// Whether the call stands in the channel's queue; the channel's to set.
    var isQueued = false

    // MARK: The client's side

    /// Starts a call with the head that `client` has received.
    func begin(_ client: ClientSide) {
        self.client = client
        state.receiveHead()
        takeRequestID(of: client)
        if answerPreflight() { return }
        do throws(Status) {
            try resolve(client)
            if requestCodec.isStreaming, !isHedgeable { startUpstream() }
        } catch {
            finish(error)
        }
    }

    /// Decides what the call is, how it is transcoded and until when it may take.
    private func resolve(_ client: ClientSide) throws(Status) {
        defer {
            responseCodec.start(plan)
            policy = plan.metadataPolicy(in: methods)
        }
        guard !client.isHeadTooLarge else {
            throw Status.headTooLarge(limit: reactor.settings.http2.headerListBytesMax)
        }
        _ = try client.withHead { (head) throws(Status) in
            try plan.resolve(head, methods: methods, match: match)
        }
        try requestCodec.start(
            plan, methods: methods,
            messageBytesMax: min(
                reactor.settings.messageBytesMax, plan.requestBytesMax(in: methods)),
            declaredBytes: client.declaredBytes)
        if plan.clientProtocol == .rest, plan.isClientStreaming(in: methods) {
            _ = try client.withHead { (head) throws(Status) in
                try requestCodec.begin(head, match, methods: methods)
            }
        }
        guard let timeout = plan.timeLimit(in: methods) else { return }
        let sum = loop.now.addingReportingOverflow(timeout)
        deadline = sum.overflow ? .max : sum.partialValue
        if timeout <= 0 { throw Status.deadlineExceeded }
        timer = loop.schedule(at: deadline, self, kind: TimerKind.deadline)
    }

    /// A piece of the request's body.
    func receiveBody(_ bytes: Span<UInt8>) {
        guard state.takesRequest else {
            client.resumeReading()
            return
        }
        let stream = takeStream()
        do throws(Status) {
            try stream.withOutgoing { (output) throws(Status) in
                try requestCodec.receive(
                    bytes, methods: methods, tools: codecTools,
                    room: Exchange.unsentBytesMax, into: &output)
            }
        } catch {
            finish(error)
            return
        }
        sendUpstream(stream)
    }

    /// The request's body is complete.
    func receiveEnd() {
        state.receiveEnd()
        guard state.takesRequest else { return }
        let stream = takeStream()
        do throws(Status) {
            let isDone = try client.withHead { (head) throws(Status) in
                try stream.withOutgoing { (output) throws(Status) in
                    try requestCodec.finish(
                        head, match: match, methods: methods,
                        tools: codecTools, into: &output)
                }
            }
            if isDone ?? true { stream.finish(withTrailers: false) }
            connection?.resume(stream)
            if state.upstream == .idle { startUpstream() }
        } catch {
            finish(error)
        }
    }

    /// The request cannot be read on.
    func failRequest(_ status: Status) { finish(status) }

    /// The client closed its connection or reset its stream; it is not called back any more.
    func clientGone() {
        leaveUpstream(state.clientGone(), .cancelled)
    }

    /// Response bytes have left: the upstream may send on.
    func clientDrained() {
        guard state.response != .closed, client.pendingBytes <= HTTP2Stream.lowWaterBytes else {
            return
        }
        if responseCodec.isHolding { resumeResponse() } else { consumeUpstream() }
    }

    // MARK: Towards the upstream

    func takeStream() -> HTTP2Stream {
        if let stream { return stream }
        let taken = streams.take()
        taken.owner = self
        taken.keepSent(upTo: keptRequestBytesMax)
        stream = taken
        return taken
    }

    private func startUpstream() {
        let upstream = upstream
        do throws(Status) {
            try upstream.admit()
        } catch {
            finish(error)
            return
        }
        isAdmitted = true
        if stream == nil { _ = takeStream() }
        state.startUpstream()
        if plan.streamForm != nil { awaitUpstream() }
        startAttempts(on: upstream)
    }

    /// The stream has more to send. The client may send on while that is little.
    private func sendUpstream(_ stream: HTTP2Stream) {
        connection?.resume(stream)
        let limit = state.upstream == .idle ? gatheredBytesMax : HTTP2Stream.lowWaterBytes
        guard stream.pendingBytes > limit || requestCodec.isHolding else {
            client.resumeReading()
            return
        }
        stream.wantsDrained = true
        client.pauseReading()
        // Too much to be sent several times.
        if state.upstream == .idle, requestCodec.isStreaming { startUpstream() }
    }

    /// Request bytes have left: the messages that were held back follow, then the client may send on.
    func upstreamDrained() {
        guard requestCodec.isHolding, let stream else {
            client.resumeReading()
            return
        }
        do throws(Status) {
            let isDone = try stream.withOutgoing { (output) throws(Status) in
                try requestCodec.resume(
                    methods: methods, tools: codecTools,
                    room: Exchange.unsentBytesMax, into: &output)
            }
            if isDone { stream.finish(withTrailers: false) }
        } catch {
            finish(error)
            return
        }
        sendUpstream(stream)
    }

    // MARK: The end

    func timerFired(_ kind: UInt8) {
        if kind == TimerKind.quiet { return quietTimerFired() }
        if kind == TimerKind.breaking { return breakTimerFired() }
        if kind == TimerKind.retry { return startAttempt(on: upstream) }
        timer = nil
        connection?.record(.deadlineExceeded)
        hedged?.record(.deadlineExceeded)
        finish(.deadlineExceeded)
    }

    /// Ends the call with `status`, unless it has ended. Nothing may follow this.
    func finish(_ status: Status, upstreamHasEnded: Bool = false) {
        let hasBegun = state.response == .open
        guard let action = state.finish(upstreamHasEnded: upstreamHasEnded) else { return }
        if !upstreamHasEnded { stream?.forgetUnfinishedFields() }
        let reactor = reactor
        let client = client
        let scratch = reactor.takeScratch()
        var end = ResponseCodec.End.complete
        if hasBegun {
            end = appendEnd(status, to: scratch)
        } else {
            appendResponse(status, to: scratch)
        }
        leaveUpstream(action, status.isOK ? .succeeded : .failed)
        if hasBegun {
            client.send(scratch.body)
            switch end {
            case .complete: client.endResponse(trailers: &scratch.trailers)
            case .broken: breakLater()
            }
        } else {
            appendRequestID(to: &scratch.head)
            appendCORS(to: &scratch.head)
            client.respond(&scratch.head, body: scratch.body.bytes)
        }
        reactor.giveBack(scratch)
    }

    /// The upstream is done, the client is not: what ends the call waits behind the messages.
    func hold(_ status: Status, trailersOf stream: HTTP2Stream?) {
        heldStatus = status
        if let stream { swap(&heldTrailers, &stream.trailers) }
    }

    /// The head is out: the status ends the body, or follows it.
    private func appendEnd(_ status: Status, to scratch: Scratch) -> ResponseCodec.End {
        var status = status
        do throws(Status) {
            if status.isOK { try responseCodec.checkEnd() }
        } catch {
            status = error
        }
        guard let stream, heldStatus == nil else {
            return responseCodec.appendEnd(
                status, metadata: heldTrailers, methods: methods, tools: codecTools,
                trailers: &scratch.trailers, body: &scratch.body)
        }
        // The head may have left before a trailers-only answer came.
        if plan.streamForm != nil,
            ResponseCodec.isTrailersOnly(stream.response.fields, stream.trailers)
        {
            return responseCodec.appendEnd(
                status, metadata: stream.response.fields, methods: methods,
                tools: codecTools, trailers: &scratch.trailers, body: &scratch.body)
        }
        return responseCodec.appendEnd(
            status, metadata: stream.trailers, methods: methods, tools: codecTools,
            trailers: &scratch.trailers, body: &scratch.body)
    }

    /// Nothing was sent: the whole response.
    private func appendResponse(_ status: Status, to scratch: Scratch) {
        let tools = codecTools
        if let stream {
            responseCodec.appendResponse(
                status, leading: stream.response.fields, trailing: stream.trailers,
                methods: methods, tools: tools, to: &scratch.head, body: &scratch.body)
        } else {
            responseCodec.appendResponse(
                status, leading: heldTrailers, trailing: heldTrailers, methods: methods,
                tools: tools, to: &scratch.head, body: &scratch.body)
        }
    }

    /// Lets go of the upstream stream, aborting it where it still runs.
    private func leaveUpstream(_ action: ExchangeState.UpstreamAction, _ outcome: CallOutcome) {
        if let timer { loop.cancel(timer) }
        timer = nil
        if let quietTimer { loop.cancel(quietTimer) }
        quietTimer = nil
        if let retryTimer { loop.cancel(retryTimer) }
        retryTimer = nil
        if isQueued { upstream.leave(self) }
        if hedged != nil { cancelHedges() }
        if isAdmitted { upstream.callEnded(outcome) }
        isAdmitted = false
        endRetries()
        leaveStream(isCancelled: action == .cancel)
    }

    /// Lets go of the upstream stream, whose answer is complete unless `isCancelled`.
    func leaveStream(isCancelled: Bool) {
        guard let stream else { return }
        self.stream = nil
        stream.owner = nil
        let connection = connection
        self.connection = nil
        guard stream.wasOpened, let connection else {
            streams.giveBack(stream)
            return
        }
        if isCancelled {
            connection.reset(stream, code: HTTP2Code.cancel)
        } else if !stream.isFinished || stream.pendingBytes > 0 {
            // The upstream answered before it had the whole request (SEMANTICS d.2).
            connection.reset(stream, code: HTTP2Code.noError)
        }
    }

    /// Makes the object ready for the next call. The client's side calls this when it lets go.
    func reset() {
        leaveUpstream(state.clientGone(), .cancelled)
        call &+= 1
        client = .none
        state = ExchangeState()
        plan = CallPlan()
        policy = nil
        requestCodec.reset()
        responseCodec.reset()
        attempts = CallAttempts()
        if !avoided.isEmpty { avoided = [] }
        heldStatus = nil
        heldTrailers.removeAll()
        deadline = .max
    }
}

extension Exchange: Pooled {
    var memoryBytes: Int {
        4096 + requestCodec.capacity + responseCodec.capacity + heldTrailers.capacity
    }
}
