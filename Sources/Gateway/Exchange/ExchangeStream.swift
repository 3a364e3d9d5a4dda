import ProtoRuntime
import Transcode

// When the head of a streamed response leaves, and what keeps the stream alive while nothing comes.
extension Exchange {
    private var streamOptions: StreamOptions? {
        guard plan.streamForm != nil else { return nil }
        return methods.bindings[Int(plan.route)].stream?.options
    }

    /// The upstream is asked: its silence counts from now. Raw data cannot be begun before its type is known.
    func awaitUpstream() {
        guard let options = streamOptions, responseCodec.isHeadKnown else { return }
        quietTimer = loop.schedule(
            after: options.openAfter, self, kind: Exchange.TimerKind.quiet)
    }

    /// Sends the response's head once it is known, unless it is out.
    /// - Returns: whether the call goes on. HEAD wants no more than this.
    func beginResponse() -> Bool {
        guard responseCodec.isHeadKnown, state.beginResponse() else { return true }
        let scratch = reactor.takeScratch()
        if let stream {
            responseCodec.appendHead(
                of: stream.response.fields, methods: methods, to: &scratch.head)
        } else {
            responseCodec.appendHead(of: Fields(), methods: methods, to: &scratch.head)
        }
        appendRequestID(to: &scratch.head)
        appendCORS(to: &scratch.head)
        client.beginResponse(&scratch.head)
        if plan.streamForm != nil {
            responseCodec.appendPreface(
                methods: methods, tools: codecTools, to: &scratch.body)
            client.send(scratch.body)
        }
        reactor.giveBack(scratch)
        return continueStream()
    }

    private func continueStream() -> Bool {
        guard let options = streamOptions else { return true }
        if client.withHead({ $0.isMethod("HEAD") }) ?? false {
            finish(.ok)
            return false
        }
        if let quietTimer { loop.cancel(quietTimer) }
        quietTimer = nil
        lastSent = loop.now
        if plan.streamForm == .sse, options.heartbeat > 0 { awaitSilence(options.heartbeat) }
        return true
    }

    private func awaitSilence(_ nanoseconds: Int64) {
        quietTimer = loop.schedule(
            after: nanoseconds, self, kind: Exchange.TimerKind.quiet)
    }

    /// Nothing came for a while: the client learns that the call lives.
    func quietTimerFired() {
        quietTimer = nil
        guard let options = streamOptions, state.response != .closed else { return }
        guard state.response == .open else {
            _ = beginResponse()
            return
        }
        let silence = loop.now - lastSent
        guard silence >= options.heartbeat else { return awaitSilence(options.heartbeat - silence) }
        // Who has not read what was sent needs no sign of life.
        if client.pendingBytes == 0 {
            let scratch = reactor.takeScratch()
            responseCodec.appendHeartbeat(tools: codecTools, to: &scratch.body)
            client.send(scratch.body)
            reactor.giveBack(scratch)
        }
        lastSent = loop.now
        awaitSilence(options.heartbeat)
    }

    // MARK: A broken end

    /// Between the last bytes of a body that ends abnormally, which tell why, and that end. Browsers drop what a page
    /// has not read yet when they learn of the end: a write of its own is not enough for them.
    static let breakNanoseconds: Int64 = 250_000_000

    /// Everything is said: the body is broken off once the client has had it, and time to read it. A client that reads
    /// nothing has the limit of stalled ones.
    func breakLater() {
        quietTimer = loop.schedule(
            after: Exchange.breakNanoseconds, self, kind: Exchange.TimerKind.breaking)
    }

    func breakTimerFired() {
        quietTimer = nil
        // On HTTP/1.1 nothing may leave before the end of the request: then it is not waited for.
        if client.pendingBytes > 0, state.request == .closed { return breakLater() }
        client.abortResponse()
    }
}
