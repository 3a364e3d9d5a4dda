import Transcode

/// The attempts of one call, and whether another one follows when one fails (gRFC A6; SEMANTICS g.6). Pure.
///
/// Once a response head has come, the call is committed to that attempt. What the upstream has not seen is made again
/// whatever the policy says: without limit when nothing has left, once when the upstream refused it.
struct CallAttempts: Equatable {
    /// How an attempt failed.
    enum Failure: Equatable {
        /// Its stream was queued on a connection that ended before the head had left.
        case unsent
        /// The upstream says that it did not look at it: REFUSED_STREAM, or above the last stream of a GOAWAY.
        case refused
        case status(StatusCode, Pushback)

        fileprivate var code: StatusCode {
            if case .status(let code, _) = self { return code }
            return .unavailable
        }
    }

    /// What the upstream says of another attempt, by `grpc-retry-pushback-ms`.
    enum Pushback: Equatable {
        case none
        /// Nanoseconds.
        case after(Int64)
        case never

        /// No number, or a negative one, forbids another attempt.
        init(_ value: Span<UInt8>) {
            guard let milliseconds = HTTP1HeadReader.decimal(value), milliseconds < 1 << 40 else {
                self = .never
                return
            }
            self = .after(Int64(milliseconds) * 1_000_000)
        }
    }

    /// Attempts that failed and were followed by another one by the policy: `grpc-previous-rpc-attempts`.
    private(set) var previous = 0
    /// No other attempt follows.
    private(set) var isCommitted = false
    private var wasRefused = false
    /// Retries since the upstream last said when.
    private var backoffs = 0

    mutating func commit() { isCommitted = true }

    /// Nanoseconds until the next attempt; nil when there is none. `random` lies in 0..<1.
    /// - Parameter isThrottled: asked once for a failure that counts against the upstream.
    mutating func waitAfter(
        _ failure: Failure, policy: RetryPolicy, random: Double, isThrottled: () -> Bool
    ) -> Int64? {
        guard !isCommitted else { return nil }
        switch failure {
        case .unsent: return 0
        case .refused where !wasRefused:
            wasRefused = true
            return 0
        case .refused, .status: break
        }
        guard policy.attemptsMax > 1 else { return nil }
        var pushback = Pushback.none
        if case .status(_, let said) = failure { pushback = said }
        guard policy.codes.contains(failure.code) || pushback == .never else { return nil }
        guard !isThrottled(), pushback != .never, previous + 1 < policy.attemptsMax else {
            return nil
        }
        previous += 1
        if case .after(let wait) = pushback {
            backoffs = 0
            return wait
        }
        backoffs += 1
        return policy.wait(beforeRetry: backoffs, random: random)
    }
}
