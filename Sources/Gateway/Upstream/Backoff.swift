/// How long to wait before the next connection attempt (gRPC connection backoff). Pure.
struct Backoff: Equatable {
    static let initialNanoseconds: Double = 1e9
    static let multiplier = 1.6
    static let maximumNanoseconds: Double = 120e9
    /// Each wait is spread by this fraction to either side, lest many clients return at once.
    static let jitter = 0.2

    private var next = Backoff.initialNanoseconds

    /// The wait before the next attempt, in nanoseconds. `random` lies in 0..<1.
    mutating func wait(random: Double) -> Int64 {
        let spread = 1 + Backoff.jitter * (2 * random - 1)
        let wait = next * spread
        next = min(next * Backoff.multiplier, Backoff.maximumNanoseconds)
        return Int64(wait)
    }

    /// A connection was established: the next failure starts anew.
    mutating func reset() { next = Backoff.initialNanoseconds }
}
