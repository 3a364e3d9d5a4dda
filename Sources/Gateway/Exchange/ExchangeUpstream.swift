import ProtoRuntime
import Transcode

// What the upstream's side tells a call.
extension Exchange: UpstreamCall {
    /// A connection has room: open the stream.
    func openUpstream(on connection: UpstreamConnection) {
        guard let stream, state.openUpstream() else { return }
        do throws(Status) {
            self.connection = connection
            try open(stream, on: connection, previousAttempts: attempts.previous)
        } catch {
            self.connection = nil
            finish(error)
        }
    }

    /// Opens the stream of an attempt.
    func open(
        _ stream: HTTP2Stream, on connection: UpstreamConnection, previousAttempts: Int
    ) throws(Status) {
        let remaining = deadline == .max ? nil : deadline - loop.now
        guard remaining ?? 1 > 0 else { throw .deadlineExceeded }
        let scratch = reactor.takeScratch()
        defer { reactor.giveBack(scratch) }
        appendUpstreamHead(
            remainingNanoseconds: remaining, previousAttempts: previousAttempts, to: scratch)
        do throws(HTTP2Error) {
            try connection.open(stream, &scratch.head.fields)
        } catch .headTooLarge {
            throw .headTooLarge(limit: HTTP2Session.sentHeadBytesMax)
        } catch {
            throw Status(
                .unavailable, "the upstream connection takes no stream",
                reason: "upstream_unreachable")
        }
    }

    var waitsForReady: Bool { methods.methods[Int(plan.method)].options.waitsForReady }

    /// No connection can be had.
    func upstreamUnavailable(_ status: Status) {
        if let stream, attemptAgain(stream, by: nil, after: .status(status.code, .none)) {
            return
        }
        finish(status)
    }

    /// The upstream's head is in the stream; `isLast`: it is a trailers-only answer.
    func upstreamHead(isLast: Bool) {
        guard let stream, state.response != .closed else { return }
        guard !stream.isHeadTooLarge else {
            stream.response.removeAll()
            finish(.upstreamHeadTooLarge(limit: reactor.settings.upstreamHTTP2.headerListBytesMax))
            return
        }
        filter(&stream.response.fields)
        if isLast { return }
        guard stream.response.status == 200, GRPC.isContentType(of: stream.response.fields) else {
            let status = GRPC.statusWithoutGRPC(
                httpStatus: stream.response.status, hasGRPCContentType: false, hasTrailers: false)
            connection?.record(status.code)
            if !attemptAgain(afterAnswer: status) { finish(status) }
            return
        }
        commitAttempt()
        do throws(Status) {
            try responseCodec.begin(
                stream.response.fields, methods: methods,
                messageBytesMax: min(
                    reactor.settings.messageBytesMax, plan.responseBytesMax(in: methods)))
        } catch {
            finish(error)
            return
        }
        if responseCodec.isStreaming { _ = beginResponse() }
    }

    /// A piece of the upstream's body.
    func upstreamBody(_ bytes: Span<UInt8>) {
        guard let stream, let connection else { return }
        guard state.response != .closed else {
            connection.consume(stream)
            return
        }
        let scratch = reactor.takeScratch()
        defer { reactor.giveBack(scratch) }
        do throws(Status) {
            try responseCodec.receive(
                bytes, methods: methods, tools: codecTools,
                room: Exchange.unsentBytesMax, into: &scratch.body)
        } catch {
            fail(error, after: scratch)
            return
        }
        if sendClient(scratch) { connection.consume(stream) }
    }

    /// The client has read: the messages that were held back follow.
    func resumeResponse() {
        let scratch = reactor.takeScratch()
        defer { reactor.giveBack(scratch) }
        do throws(Status) {
            try responseCodec.resume(
                methods: methods, tools: codecTools,
                room: Exchange.unsentBytesMax, into: &scratch.body)
        } catch {
            fail(error, after: scratch)
            return
        }
        if sendClient(scratch) { consumeUpstream() }
        if let heldStatus, !responseCodec.isHolding { finish(heldStatus, upstreamHasEnded: true) }
    }

    /// What was made before the error is still the client's.
    private func fail(_ error: Status, after scratch: Scratch) {
        if send(scratch) { finish(error) }
    }

    /// - Returns: whether the upstream may send on: the call does, and the client keeps up.
    private func sendClient(_ scratch: Scratch) -> Bool {
        guard send(scratch) else { return false }
        if client.pendingBytes <= HTTP2Stream.lowWaterBytes, !responseCodec.isHolding {
            return true
        }
        client.notifyWhenDrained()
        return false
    }

    /// Sends what the codec has made; before the first of it the head, which may have waited for it.
    /// - Returns: whether the call goes on.
    private func send(_ scratch: Scratch) -> Bool {
        if scratch.body.isEmpty { return true }
        guard beginResponse() else { return false }
        if quietTimer != nil { lastSent = loop.now }
        client.send(scratch.body)
        return true
    }

    /// The upstream may send on.
    func consumeUpstream() {
        guard let stream, let connection else { return }
        connection.consume(stream)
    }

    /// The upstream ended its stream: its status is in the trailers, or in the head of a trailers-only answer.
    func upstreamEnd() {
        guard let stream, state.response != .closed else { return }
        // Timers may be a tick late; an answer after the deadline is none.
        guard deadline > loop.now else {
            finish(.deadlineExceeded)
            return
        }
        if stream.isHeadTooLarge { stream.trailers.removeAll() }
        filter(&stream.trailers)
        let status =
            stream.isHeadTooLarge
            ? .upstreamHeadTooLarge(limit: reactor.settings.upstreamHTTP2.headerListBytesMax)
            : GRPC.finalStatus(stream.response, trailers: stream.trailers)
        connection?.record(status.code)
        if status.isOK {
            noteSuccess()
        } else if attemptAgain(afterAnswer: status) {
            return
        }
        guard responseCodec.isHolding else {
            finish(status, upstreamHasEnded: true)
            return
        }
        hold(status, trailersOf: stream)
    }

    /// The stream is gone and will be used again for another call.
    func upstreamClosed(code: UInt32, connectionFailure: String?) {
        let owesAnswer = state.upstreamClosed()
        let (closed, connection) = (stream, connection)
        stream = nil
        self.connection = nil
        guard owesAnswer, heldStatus == nil else { return }
        guard deadline > loop.now else {
            finish(.deadlineExceeded)
            return
        }
        let status = Status(resetCode: code, connectionFailure: connectionFailure)
        connection?.record(status.code)
        if let closed {
            let failure = CallAttempts.Failure(closing: closed, code: code, status)
            if attemptAgain(closed, by: connection, after: failure) { return }
        }
        if responseCodec.isHolding { hold(status, trailersOf: nil) } else { finish(status) }
    }
}
