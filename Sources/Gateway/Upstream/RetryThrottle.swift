import Synchronization

/// Keeps retries from burying an upstream that fails as a whole (gRFC A6): a failure takes a token, a success gives back
/// a part of one, and while half of them are gone there are no retries. One for all reactors.
public final class RetryThrottle: Sendable {
    /// Tokens at the start, and at most.
    public let tokensMax: Int
    /// Thousandths of a token that a success gives back.
    public let ratioThousandths: Int
    private let thousandths: Atomic<Int>

    public init(tokensMax: Int, ratioThousandths: Int) {
        self.tokensMax = tokensMax
        self.ratioThousandths = ratioThousandths
        thousandths = Atomic(tokensMax * 1000)
    }

    /// Whether there are no retries now.
    var isThrottled: Bool { thousandths.load(ordering: .relaxed) <= tokensMax * 500 }

    /// Notes a failure that the policy would retry.
    /// - Returns: whether there are no retries now.
    func failed() -> Bool {
        let left = add(-1000)
        return left <= tokensMax * 500
    }

    func succeeded() {
        if thousandths.load(ordering: .relaxed) < tokensMax * 1000 { _ = add(ratioThousandths) }
    }

    private func add(_ change: Int) -> Int {
        var now = thousandths.load(ordering: .relaxed)
        while true {
            let next = min(max(now + change, 0), tokensMax * 1000)
            let (done, seen) = thousandths.weakCompareExchange(
                expected: now, desired: next, ordering: .relaxed)
            if done { return next }
            now = seen
        }
    }
}
