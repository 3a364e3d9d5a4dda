import Transcode

// Calls that are made several times side by side: what the exchange does instead of a single attempt.
extension Exchange {
    var hedgingPolicy: HedgingPolicy? {
        methods.methods[Int(plan.method)].options.hedging
    }

    /// Whether the request is gathered before the upstream is asked: it has one message, and may be sent several times.
    var isHedgeable: Bool { hedgingPolicy != nil && !plan.isClientStreaming(in: methods) }

    /// Bytes of a request that are awaited before the upstream is asked.
    var gatheredBytesMax: Int { hedgingPolicy?.requestBytesMax ?? HTTP2Stream.lowWaterBytes }

    /// Makes the first attempt, or the only one.
    func startAttempts(on upstream: Channel) {
        guard let policy = hedgingPolicy, let stream, stream.isFinished,
            stream.pendingBytes <= policy.requestBytesMax
        else { return startAttempt(on: upstream) }
        let begun = HedgedCall(self, policy)
        hedged = begun
        begun.start()
    }

    func cancelHedges() {
        guard let ended = hedged else { return }
        hedged = nil
        ended.cancel()
    }

    /// One attempt has answered, or failed as the last one: the call is as if there had been no other.
    /// - Parameter taken: its stream; nil when it had none.
    func takeOver(_ taken: HTTP2Stream?, on connection: UpstreamConnection?) {
        hedged = nil
        attempts.commit()
        guard let taken else { return }
        leaveStream(isCancelled: true)
        stream = taken
        taken.owner = self
        self.connection = connection
        _ = state.openUpstream()
    }
}
