/// When a name is looked up again. Pure.
struct ResolverSchedule: Equatable {
    static let second: Int64 = 1_000_000_000
    /// Where the answer tells no time to live, as /etc/hosts does.
    static let usualNanoseconds = 30 * second
    /// No time to live is taken for longer.
    static let maximumNanoseconds = 300 * second
    /// Waits after failures: doubled each time.
    static let failureRange = second...30 * second

    /// Nanoseconds from a look-up to the next one, whatever comes of it and whichever connections fail.
    let intervalMin: Int64
    private var nextFailureWait = failureRange.lowerBound

    init(intervalMin: Int64) { self.intervalMin = intervalMin }

    /// Nanoseconds from an answer to the next look-up.
    mutating func waitAfterAnswer(timeToLive: Int64?) -> Int64 {
        nextFailureWait = ResolverSchedule.failureRange.lowerBound
        let wait = timeToLive ?? ResolverSchedule.usualNanoseconds
        return max(min(wait, ResolverSchedule.maximumNanoseconds), intervalMin)
    }

    mutating func waitAfterFailure() -> Int64 {
        defer {
            nextFailureWait = min(nextFailureWait * 2, ResolverSchedule.failureRange.upperBound)
        }
        return max(nextFailureWait, intervalMin)
    }
}
