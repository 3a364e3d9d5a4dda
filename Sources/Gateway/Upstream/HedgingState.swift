import Transcode

/// The attempts of one call that are made side by side, until one of them answers (gRFC A6; SEMANTICS g.6). Pure: events
/// in, actions out.
///
///     begin ──▶ attempt ──delay──▶ attempt ──delay──▶ …  up to `attemptsMax`
///                  ├ answer begins: the call stays with it, and nothing more is asked here
///                  ├ non-fatal failure: the next attempt at once, or when the upstream says
///                  └ fatal failure, or that of the last one: the call's end
struct HedgingState: Equatable {
    enum Action: Equatable {
        case none
        /// Start an attempt, and report `delayElapsed` after so many nanoseconds, where more may follow.
        case start(next: Int64?)
        /// Report `delayElapsed` after so many nanoseconds, and not before.
        case wait(Int64)
        /// The failure that was reported is the call's end.
        case finish
    }

    private let policy: HedgingPolicy
    /// Attempts that were started.
    private(set) var started = 0
    /// Attempts that have not failed.
    private(set) var running = 0
    /// The upstream fails as a whole, or wants no more attempts.
    private var isFrozen = false

    init(_ policy: HedgingPolicy) { self.policy = policy }

    private var hasMore: Bool { !isFrozen && started < policy.attemptsMax }

    mutating func begin() -> Action { start() }

    /// It is time for the next attempt.
    /// - Parameter isThrottled: asked when there would be one.
    mutating func delayElapsed(isThrottled: () -> Bool) -> Action {
        guard hasMore else { return .none }
        // Where none is running, it was asked when the last one failed.
        guard running == 0 || !isThrottled() else {
            isFrozen = true
            return .none
        }
        return start()
    }

    /// An attempt failed without an answer to the call.
    /// - Parameter isThrottled: asked once for a failure that counts against the upstream.
    mutating func failed(
        _ code: StatusCode, _ pushback: CallAttempts.Pushback, isThrottled: () -> Bool
    ) -> Action {
        running -= 1
        guard policy.nonFatalCodes.contains(code) else {
            // The upstream says that it is too much, whatever the code.
            if pushback == .never { _ = isThrottled() }
            return .finish
        }
        if isThrottled() || pushback == .never { isFrozen = true }
        guard hasMore else { return running == 0 ? .finish : .none }
        if case .after(let wait) = pushback { return .wait(wait) }
        return start()
    }

    private mutating func start() -> Action {
        started += 1
        running += 1
        return .start(next: hasMore ? policy.delay : nil)
    }
}
