import Transcode

/// Runs `HedgingState` for one call: its attempts, their timer, and who of them has answered.
///
/// The exchange keeps the request, in a stream that is never opened; every attempt has a copy of it. Once it is decided,
/// the exchange takes over one attempt's stream as if there had been no other.
final class HedgedCall: TimerTarget {
    private unowned let exchange: Exchange
    private let upstream: Channel
    private var state: HedgingState
    private var attempts: [HedgedAttempt] = []
    private var timer: EventLoop.TimerID?
    /// Addresses that have an attempt: the others are asked first.
    var used: [SharedEndpoint] = []

    init(_ exchange: Exchange, _ policy: HedgingPolicy) {
        self.exchange = exchange
        upstream = exchange.upstream
        state = HedgingState(policy)
    }

    func start() { perform(state.begin()) }

    /// Ends every attempt but `kept`. Nothing is told of them any more.
    func cancel(except kept: HedgedAttempt? = nil) {
        cancelTimer()
        let ended = attempts
        attempts = []
        for attempt in ended where attempt !== kept { attempt.cancel() }
    }

    /// Counts what became of the attempts that run.
    func record(_ code: StatusCode) {
        for attempt in attempts { attempt.connection?.record(code) }
    }

    /// An attempt failed.
    /// - Returns: whether that is the call's end, and the caller's to tell; else `attempt` is let go.
    func isEnd(
        _ attempt: HedgedAttempt, _ code: StatusCode, _ pushback: CallAttempts.Pushback
    ) -> Bool {
        let action = state.failed(code, pushback) {
            let isThrottled = upstream.shared.throttle.failed()
            return isThrottled || !exchange.countRetry()
        }
        if action == .finish { return true }
        attempts.removeAll { $0 === attempt }
        attempt.connection?.record(code)
        attempt.cancel()
        if action != .none { perform(action) }
        return false
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        perform(delayElapsed())
    }

    private func delayElapsed() -> HedgingState.Action {
        state.delayElapsed {
            upstream.shared.throttle.isThrottled || !exchange.countRetry()
        }
    }

    private func perform(_ first: HedgingState.Action) {
        var action = first
        // An attempt that fails at once may end the call, and with it all that holds the exchange.
        let exchange = exchange
        while exchange.hedged === self {
            switch action {
            case .none, .finish: return
            case .wait(let nanoseconds): return awaitNext(nanoseconds)
            case .start(let next):
                startAttempt()
                guard let next else { return }
                if next > 0 { return awaitNext(next) }
                action = delayElapsed()
            }
        }
    }

    private func awaitNext(_ nanoseconds: Int64) {
        cancelTimer()
        if exchange.hedged === self {
            timer = exchange.loop.schedule(after: nanoseconds, self)
        }
    }

    private func cancelTimer() {
        if let timer { exchange.loop.cancel(timer) }
        timer = nil
    }

    private func startAttempt() {
        if state.started > 1 { upstream.counters.hedges &+= 1 }
        let attempt = HedgedAttempt(of: self, exchange, number: state.started - 1)
        attempts.append(attempt)
        attempt.start(on: upstream, avoiding: used)
    }
}
