/// What grpc.health.v1's Watch tells of one address, and when it is asked again (gRFC A17; SEMANTICS g.4). Pure: events
/// in, actions out.
///
///     idle ──connected──▶ watching ──stream ended──▶ waiting ──backoff over──▶ watching
///                            └──UNIMPLEMENTED──▶ off
struct HealthWatchState: Equatable {
    enum Health: Equatable {
        /// Nothing was heard yet.
        case unknown
        case serving
        /// It says so, or says nothing that can be relied upon.
        case notServing
    }

    enum Action: Equatable {
        case none
        /// Ask, by a new stream.
        case open
        /// Report `backoffElapsed` after this many nanoseconds.
        case wait(Int64)
    }

    private enum Phase { case idle, watching, waiting, off }

    /// A stream that lived for so long, and was of use, is made again without a wait.
    static let usefulNanoseconds: Int64 = 1_000_000_000

    private var phase = Phase.idle
    private(set) var health = Health.unknown
    private var hasAnswer = false
    private var backoff = Backoff()

    /// Whether the server has no health service: it counts as healthy.
    var isOff: Bool { phase == .off }

    /// There is a connection to ask by, or another one than before: what was known holds until it is heard again.
    mutating func connected() -> Action {
        phase = .watching
        hasAnswer = false
        return .open
    }

    /// The server tells its state.
    mutating func received(isServing: Bool) {
        guard phase == .watching else { return }
        hasAnswer = true
        backoff.reset()
        health = isServing ? .serving : .notServing
    }

    /// The stream is over. `random` lies in 0..<1.
    /// - Parameter lasted: nanoseconds since it was opened.
    mutating func ended(isUnimplemented: Bool, lasted: Int64, random: Double) -> Action {
        guard phase == .watching else { return .none }
        if isUnimplemented {
            phase = .off
            health = .serving
            return .none
        }
        if hasAnswer, lasted >= HealthWatchState.usefulNanoseconds {
            hasAnswer = false
            health = .unknown
            return .open
        }
        phase = .waiting
        health = .notServing
        return .wait(backoff.wait(random: random))
    }

    mutating func backoffElapsed() -> Action {
        guard phase == .waiting else { return .none }
        phase = .watching
        hasAnswer = false
        return .open
    }
}
