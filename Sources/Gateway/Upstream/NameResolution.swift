/// One name as all reactors know it: what it stands for, which of them asks for it, and when. Pure: users are numbers,
/// and the caller tells the time in monotonic nanoseconds, which all threads have in common.
///
///     free ──first to look──▶ waiting ──due──▶ asking ──answer, failure──▶ waiting
///       ▲──────────── the asker leaves ───────────┘
struct NameResolution {
    /// What all users go by.
    struct Outcome: Equatable, Sendable {
        /// None before the first answer; those of the last answer while look-ups fail.
        var addresses: [ResolvedAddress] = []
        /// Why the last look-up failed.
        var failure: String?
    }

    enum Action: Equatable {
        /// Another user asks.
        case none
        /// Ask now, and report what comes of it.
        case ask
        /// Look again at that time.
        case wait(until: Int64)
    }

    private(set) var outcome = Outcome()
    private(set) var asker: UInt64?
    private var schedule: ResolverSchedule
    private var isAsking = false
    /// When the last look-up ended, or was begun where it has not.
    private var lastAt: Int64?
    private var due = Int64.min

    /// - Parameter intervalMin: nanoseconds from a look-up to the next one.
    init(intervalMin: Int64) { schedule = ResolverSchedule(intervalMin: intervalMin) }

    /// What a user is to do. The first one that looks while nobody asks is the one who asks, until it leaves.
    mutating func look(_ user: UInt64, now: Int64) -> Action {
        if asker == nil { asker = user }
        guard asker == user, !isAsking else { return .none }
        guard due <= now else { return .wait(until: due) }
        isAsking = true
        lastAt = now
        return .ask
    }

    /// - Returns: whether nobody asks now, which the other users must be told.
    mutating func leave(_ user: UInt64) -> Bool {
        guard asker == user else { return false }
        asker = nil
        // A look-up that was given up was one all the same.
        if isAsking, let lastAt { due = lastAt &+ schedule.intervalMin }
        isAsking = false
        return true
    }

    /// A connection failed: the name may stand for other addresses by now.
    /// - Returns: whether that changes when it is looked up, which the asker must be told.
    mutating func refresh(now: Int64) -> Bool {
        guard !isAsking, outcome.failure == nil, let lastAt else { return false }
        let soonest = max(now, lastAt &+ schedule.intervalMin)
        guard soonest < due else { return false }
        due = soonest
        return true
    }

    /// The look-up found at least one address.
    /// - Returns: whether the outcome is another one, which the other users must be told.
    mutating func answered(
        _ addresses: [ResolvedAddress], timeToLive: Int64?, by user: UInt64, now: Int64
    ) -> Bool {
        let found = Outcome(addresses: addresses)
        return end(found, by: user, now: now) { $0.waitAfterAnswer(timeToLive: timeToLive) }
    }

    /// - Returns: as `answered`.
    mutating func failed(_ reason: String, by user: UInt64, now: Int64) -> Bool {
        let failure = Outcome(addresses: outcome.addresses, failure: reason)
        return end(failure, by: user, now: now) { $0.waitAfterFailure() }
    }

    private mutating func end(
        _ new: Outcome, by user: UInt64, now: Int64, wait: (inout ResolverSchedule) -> Int64
    ) -> Bool {
        guard asker == user, isAsking else { return false }
        isAsking = false
        lastAt = now
        due = now &+ wait(&schedule)
        defer { outcome = new }
        return new != outcome
    }
}
