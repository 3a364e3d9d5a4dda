/// Where one call stands: its two halves towards the client and its upstream stream. Pure: event in, action out.
///
///     request   idle ──head──▶ open ──end──▶ closed          (client → gateway)
///     response  idle ──head──▶ open ──end──▶ closed          (gateway → client)
///     upstream  idle ──start─▶ waiting ─▶ open ──▶ closed
///                                ▲──restart──┘
///
/// A call ends exactly once: the first status wins, whoever brings it, and later ones are dropped.
struct ExchangeState: Equatable {
    enum Half: Equatable { case idle, open, closed }
    enum Upstream: Equatable { case idle, waiting, open, closed }

    /// What becomes of the upstream stream once the client has its answer, or is gone.
    enum UpstreamAction: Equatable {
        case none
        /// Leave the queue for a connection.
        case abandon
        /// RST_STREAM(CANCEL).
        case cancel
    }

    private(set) var request = Half.idle
    private(set) var response = Half.idle
    private(set) var upstream = Upstream.idle

    /// Whether what the client sends is still wanted: the call has not ended, on either side.
    var takesRequest: Bool { response != .closed && upstream != .closed }

    mutating func receiveHead() { request = .open }

    mutating func receiveEnd() { request = .closed }

    /// The call asks for an upstream stream.
    mutating func startUpstream() { if upstream == .idle { upstream = .waiting } }

    /// True when the stream shall be opened: the call still waits for it.
    mutating func openUpstream() -> Bool {
        guard upstream == .waiting else { return false }
        upstream = .open
        return true
    }

    /// The attempt came to nothing: another stream is asked for.
    mutating func restartUpstream() { if upstream != .idle { upstream = .waiting } }

    /// True when the response's head shall be sent.
    mutating func beginResponse() -> Bool {
        guard response == .idle else { return false }
        response = .open
        return true
    }

    /// A status ends the call. `nil`: it had ended before, the status is dropped.
    ///
    /// An upstream that has ended its stream by itself needs no reset.
    mutating func finish(upstreamHasEnded: Bool) -> UpstreamAction? {
        guard response != .closed else { return nil }
        response = .closed
        return leaveUpstream(hasEnded: upstreamHasEnded)
    }

    /// The client is gone: nothing can be answered any more.
    mutating func clientGone() -> UpstreamAction {
        request = .closed
        response = .closed
        return leaveUpstream(hasEnded: false)
    }

    /// The upstream stream is closed; whether an answer is still owed.
    mutating func upstreamClosed() -> Bool {
        upstream = .closed
        return response != .closed
    }

    private mutating func leaveUpstream(hasEnded: Bool) -> UpstreamAction {
        defer { if upstream != .idle { upstream = .closed } }
        switch upstream {
        case .idle, .closed: return .none
        case .waiting: return .abandon
        case .open: return hasEnded ? .none : .cancel
        }
    }
}
