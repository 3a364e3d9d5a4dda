import ProtoRuntime
import Transcode

/// One call: from the client's head to the status that ends it. Pooled; a loop's exchanges never leave its thread.
///
/// The client's side calls `begin`, `receive…`, `client…`; the upstream's side `upstream…`. Answering may end the
/// call and hand this object to the next one at once, so every answer is the last thing a method does.
final class Exchange: UpstreamCall, TimerTarget {
    /// Memory a pooled exchange keeps for the next call.
    static let keptBytesMax = 64 << 10

    let reactor: Reactor
    /// Grows with every call that this object serves: tells stale references.
    private(set) var call: UInt64 = 0
    private(set) var client = ClientSide.none
    private var state = ExchangeState()
    private var plan = CallPlan()
    private var match = RouteMatch()
    private var stream: HTTP2Stream?
    private var connection: UpstreamConnection?
    /// The client's body, while it is collected for a unary codec.
    private var body = OutputBlock()
    /// The upstream's envelopes, while they are collected for a unary codec.
    private var answer = OutputBlock()
    private var requestCodec = RequestCodec.none
    private var responseCodec = ResponseCodec.none
    /// Monotonic nanoseconds.
    private var deadline = Int64.max
    private var timer: EventLoop.TimerID?

    init(reactor: Reactor) { self.reactor = reactor }

    /// Whether the call stands in the channel's queue; the channel's to set.
    var isQueued = false

    // MARK: The client's side

    /// Starts a call with the head that `client` has received.
    func begin(_ client: ClientSide) {
        self.client = client
        state.receiveHead()
        do throws(Status) {
            try resolve(client)
            if requestCodec.isStreaming { try startUpstream() }
        } catch {
            finish(error)
        }
    }

    /// Decides what the call is, how it is transcoded and until when it may take.
    private func resolve(_ client: ClientSide) throws(Status) {
        let methods = reactor.snapshot.methods
        let settings = reactor.settings
        defer { responseCodec = ResponseCodec(plan) }
        guard !client.isHeadTooLarge else {
            throw Status.headTooLarge(limit: settings.http2.headerListBytesMax)
        }
        _ = try client.withHead { (head) throws(Status) in
            try plan.resolve(head, methods: methods, match: &match)
        }
        requestCodec = RequestCodec(
            plan, methods: methods, messageBytesMax: settings.messageBytesMax)
        if !requestCodec.isStreaming {
            let declared = client.declaredBytes
            guard declared <= settings.messageBytesMax else {
                throw Status.messageTooLarge(limit: settings.messageBytesMax)
            }
            body.reserve(declared)
        }
        guard let timeout = plan.timeLimit(in: methods) else { return }
        let sum = reactor.loop.now.addingReportingOverflow(timeout)
        deadline = sum.overflow ? .max : sum.partialValue
        if timeout <= 0 { throw Status.deadlineExceeded }
        timer = reactor.loop.schedule(at: deadline, self)
    }

    /// A piece of the request's body.
    func receiveBody(_ bytes: Span<UInt8>) {
        guard state.response != .closed else {
            client.resumeReading()
            return
        }
        do throws(Status) {
            if requestCodec.isStreaming {
                try requestCodec.check(bytes)
                sendUpstream(bytes)
            } else {
                guard bytes.count <= reactor.settings.messageBytesMax - body.count else {
                    throw Status.messageTooLarge(limit: reactor.settings.messageBytesMax)
                }
                body.append(bytes)
                client.resumeReading()
            }
        } catch {
            finish(error)
        }
    }

    /// The request's body is complete.
    func receiveEnd() {
        state.receiveEnd()
        guard state.response != .closed else { return }
        do throws(Status) {
            if requestCodec.isStreaming {
                try requestCodec.checkEnd()
            } else {
                try encodeRequest()
            }
            guard let stream else { return }
            stream.finish(withTrailers: false)
            connection?.resume(stream)
            if state.upstream == .idle { try startUpstream() }
        } catch {
            finish(error)
        }
    }

    /// The request cannot be read on.
    func failRequest(_ status: Status) { finish(status) }

    /// The client closed its connection or reset its stream; it is not called back any more.
    func clientGone() {
        leaveUpstream(state.clientGone())
    }

    /// Response bytes have left: the upstream may send on.
    func clientDrained() {
        guard let stream, let connection, client.pendingBytes <= HTTP2Stream.lowWaterBytes else {
            return
        }
        connection.consume(stream)
    }

    // MARK: Towards the upstream

    private func encodeRequest() throws(Status) {
        let stream = takeStream()
        let scratch = reactor.takeScratch()
        defer { reactor.giveBack(scratch) }
        body.seal()
        _ = try client.withHead { (head) throws(Status) in
            try stream.withOutgoing { (output) throws(Status) in
                try requestCodec.encode(
                    head, body: body, plan: plan, match: match, methods: reactor.snapshot.methods,
                    scratch: &scratch.binding, into: &output)
            }
        }
    }

    private func takeStream() -> HTTP2Stream {
        if let stream { return stream }
        let taken = reactor.streams.take()
        taken.owner = self
        stream = taken
        return taken
    }

    private func startUpstream() throws(Status) {
        _ = takeStream()
        state.startUpstream()
        try reactor.channel(ofMethod: plan.method).start(self)
    }

    /// A connection has room: open the stream.
    func openUpstream(on connection: UpstreamConnection) {
        guard let stream, state.openUpstream() else { return }
        let remaining = deadline == .max ? nil : deadline - reactor.loop.now
        guard remaining ?? 1 > 0 else {
            finish(.deadlineExceeded)
            return
        }
        let scratch = reactor.takeScratch()
        defer { reactor.giveBack(scratch) }
        let channel = reactor.channel(ofMethod: plan.method)
        _ = client.withHead { head in
            plan.appendUpstreamHead(
                from: head, methods: reactor.snapshot.methods, authority: channel.authority,
                scheme: channel.scheme, remainingNanoseconds: remaining, to: &scratch.head.fields)
        }
        do throws(HTTP2Error) {
            self.connection = connection
            try connection.open(stream, scratch.head.fields)
        } catch {
            self.connection = nil
            finish(
                Status(
                    .unavailable, "the upstream connection takes no stream",
                    reason: "upstream_unreachable"))
        }
    }

    private func sendUpstream(_ bytes: Span<UInt8>) {
        let stream = takeStream()
        if let connection { connection.send(stream, bytes) } else { stream.append(bytes) }
        if stream.pendingBytes <= HTTP2Stream.lowWaterBytes {
            client.resumeReading()
        } else {
            stream.wantsDrained = true
            client.pauseReading()
        }
    }

    /// Request bytes have left: the client may send on.
    func upstreamDrained() { client.resumeReading() }

    func upstreamUnavailable(_ status: Status) { finish(status) }

    // MARK: From the upstream

    /// The upstream's head is in the stream; `isLast`: it is a trailers-only answer.
    func upstreamHead(isLast: Bool) {
        guard let stream, state.response != .closed else { return }
        guard !stream.isHeadTooLarge else {
            finish(.upstreamHeadTooLarge(limit: reactor.settings.upstreamHTTP2.headerListBytesMax))
            return
        }
        if isLast { return }
        guard stream.response.status == 200, GRPC.isContentType(of: stream.response.fields) else {
            finish(
                GRPC.statusWithoutGRPC(
                    httpStatus: stream.response.status, hasGRPCContentType: false,
                    hasTrailers: false))
            return
        }
        responseCodec.begin(
            stream.response.fields, isSingle: !plan.isServerStreaming(in: reactor.snapshot.methods),
            messageBytesMax: reactor.settings.messageBytesMax)
        guard responseCodec.isStreaming, state.beginResponse() else { return }
        let scratch = reactor.takeScratch()
        defer { reactor.giveBack(scratch) }
        responseCodec.appendHead(of: stream.response.fields, to: &scratch.head)
        client.beginResponse(scratch.head)
    }

    /// A piece of the upstream's body.
    func upstreamBody(_ bytes: Span<UInt8>) {
        guard let stream, let connection else { return }
        guard state.response != .closed else {
            connection.consume(stream)
            return
        }
        do throws(Status) {
            try responseCodec.check(bytes)
            guard responseCodec.isStreaming else {
                answer.append(bytes)
                try responseCodec.checkGrowing(
                    answer, messageBytesMax: reactor.settings.messageBytesMax)
                connection.consume(stream)
                return
            }
        } catch {
            finish(error)
            return
        }
        client.send(bytes)
        if client.pendingBytes <= HTTP2Stream.lowWaterBytes {
            connection.consume(stream)
        } else {
            client.notifyWhenDrained()
        }
    }

    /// The upstream ended its stream: its status is in the trailers, or in the head of a trailers-only answer.
    func upstreamEnd() {
        guard let stream, state.response != .closed else { return }
        // Timers may be a tick late; an answer after the deadline is none.
        guard deadline > reactor.loop.now else {
            finish(.deadlineExceeded)
            return
        }
        guard !stream.isHeadTooLarge else {
            finish(
                .upstreamHeadTooLarge(limit: reactor.settings.upstreamHTTP2.headerListBytesMax),
                upstreamHasEnded: true)
            return
        }
        finish(
            GRPC.finalStatus(stream.response, trailers: stream.trailers), upstreamHasEnded: true)
    }

    /// The stream is gone and will be used again for another call.
    func upstreamClosed(code: UInt32, connectionFailure: String?) {
        let owesAnswer = state.upstreamClosed()
        stream = nil
        connection = nil
        guard owesAnswer else { return }
        if let connectionFailure {
            finish(Status(.unavailable, connectionFailure, reason: "upstream_connection_lost"))
        } else if deadline <= reactor.loop.now {
            finish(.deadlineExceeded)
        } else {
            finish(GRPC.status(resetCode: code))
        }
    }

    // MARK: The end

    func timerFired(_ kind: UInt8) {
        timer = nil
        finish(.deadlineExceeded)
    }

    /// Ends the call with `status`, unless it has ended. Nothing may follow this.
    private func finish(_ status: Status, upstreamHasEnded: Bool = false) {
        let hasBegun = state.response == .open
        guard let action = state.finish(upstreamHasEnded: upstreamHasEnded) else { return }
        let reactor = reactor
        let client = client
        let scratch = reactor.takeScratch()
        if hasBegun {
            appendTrailers(status, to: &scratch.trailers)
        } else {
            appendResponse(status, to: scratch)
        }
        leaveUpstream(action)
        if hasBegun {
            client.endResponse(trailers: scratch.trailers)
        } else {
            client.respond(scratch.head, body: scratch.body.bytes)
        }
        reactor.giveBack(scratch)
    }

    /// The head is out: the status goes into the trailers.
    private func appendTrailers(_ status: Status, to trailers: inout Fields) {
        var status = status
        do throws(Status) {
            if status.isOK { try responseCodec.checkEnd() }
        } catch {
            status = error
        }
        if let stream {
            responseCodec.appendTrailers(status, metadata: stream.trailers, to: &trailers)
        } else {
            let none = Fields()
            responseCodec.appendTrailers(status, metadata: none, to: &trailers)
        }
    }

    private func appendResponse(_ status: Status, to scratch: Scratch) {
        let methods = reactor.snapshot.methods
        do throws(Status) {
            guard status.isOK, !responseCodec.isStreaming, let stream else { throw status }
            try responseCodec.appendAnswer(
                answer, leading: stream.response.fields, plan: plan, methods: methods,
                to: &scratch.head, body: &scratch.body)
        } catch {
            scratch.removeAll()
            responseCodec.appendError(
                error, plan: plan, methods: methods, to: &scratch.head, body: &scratch.body)
        }
        guard let stream else { return }
        responseCodec.appendMetadata(
            leading: stream.response.fields, trailing: stream.trailers,
            isTrailersOnly: stream.trailers.isEmpty
                && stream.response.fields.firstIndex(of: .grpcStatus) != nil,
            plan: plan, methods: methods, to: &scratch.head)
    }

    /// Lets go of the upstream stream, aborting it where it still runs.
    private func leaveUpstream(_ action: ExchangeState.UpstreamAction) {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        if isQueued { reactor.channel(ofMethod: plan.method).leave(self) }
        guard let stream else { return }
        self.stream = nil
        stream.owner = nil
        let connection = connection
        self.connection = nil
        guard stream.wasOpened, let connection else {
            reactor.streams.giveBack(stream)
            return
        }
        if action == .cancel {
            connection.reset(stream, code: HTTP2Code.cancel)
        } else if !stream.isFinished || stream.pendingBytes > 0 {
            // The upstream answered before it had the whole request (SEMANTICS d.2).
            connection.reset(stream, code: HTTP2Code.noError)
        }
    }

    /// Makes the object ready for the next call. The client's side calls this when it lets go.
    func reset() {
        leaveUpstream(state.clientGone())
        call &+= 1
        client = .none
        state = ExchangeState()
        plan = CallPlan()
        requestCodec = .none
        responseCodec = .none
        deadline = .max
        body.removeAll()
        body.shrink(toAtMost: Exchange.keptBytesMax)
        answer.removeAll()
        answer.shrink(toAtMost: Exchange.keptBytesMax)
    }
}
