import Testing
import Transcode

@testable import Gateway

@Suite struct CallAttemptsTests {
    private static func policy(_ attempts: Int) -> RetryPolicy {
        var policy = RetryPolicy()
        policy.attemptsMax = attempts
        return policy
    }

    private static let millisecond: Int64 = 1_000_000

    private func wait(
        _ attempts: inout CallAttempts, _ failure: CallAttempts.Failure,
        _ policy: RetryPolicy = policy(3), isThrottled: Bool = false
    ) -> Int64? {
        attempts.waitAfter(failure, policy: policy, random: 0.5) { isThrottled }
    }

    @Test func `waits grow up to a limit, and end with the attempts`() {
        var attempts = CallAttempts()
        var policy = CallAttemptsTests.policy(5)
        policy.maxBackoff = 300 * CallAttemptsTests.millisecond
        let waits = (0..<6).map { _ in
            wait(&attempts, .status(.unavailable, .none), policy).map {
                $0 / CallAttemptsTests.millisecond
            }
        }
        #expect(waits == [100, 200, 300, 300, nil, nil])
        #expect(attempts.previous == 4)
    }

    @Test(arguments: [(0.0, 80), (0.5, 100), (0.999_999, 119)] as [(Double, Int64)])
    func `waits are spread by a fifth`(_ random: Double, _ milliseconds: Int64) {
        let wait = RetryPolicy().wait(beforeRetry: 1, random: random)
        #expect(wait / CallAttemptsTests.millisecond == milliseconds)
    }

    @Test func `only codes of the policy are retried`() {
        var policy = CallAttemptsTests.policy(3)
        policy.codes = [StatusCodeSet(.aborted), StatusCodeSet(.internal)]
        for code in StatusCode.allCases where code != .ok {
            var attempts = CallAttempts()
            let isRetried = wait(&attempts, .status(code, .none), policy) != nil
            #expect(isRetried == (code == .aborted || code == .internal))
        }
    }

    @Test func `without a policy only what the upstream has not seen is made again`() {
        let none = RetryPolicy()
        var attempts = CallAttempts()
        #expect(wait(&attempts, .status(.unavailable, .none), none) == nil)
        #expect(wait(&attempts, .status(.unavailable, .after(0)), none) == nil)
        #expect(wait(&attempts, .refused, none) == 0)
        #expect(wait(&attempts, .refused, none) == nil, "once")
        for _ in 0..<9 { #expect(wait(&attempts, .unsent, none) == 0) }
        #expect(attempts.previous == 0)
    }

    @Test func `a second refusal is an UNAVAILABLE to the policy`() {
        var attempts = CallAttempts()
        #expect(wait(&attempts, .refused) == 0)
        #expect(wait(&attempts, .refused) == 100 * CallAttemptsTests.millisecond)
        #expect(attempts.previous == 1)
    }

    @Test func `nothing follows once the answer has begun`() {
        var attempts = CallAttempts()
        attempts.commit()
        let failures: [CallAttempts.Failure] = [
            .unsent, .refused, .status(.unavailable, .none), .status(.unavailable, .after(0)),
        ]
        for failure in failures { #expect(wait(&attempts, failure) == nil) }
    }

    @Test func `pushback says when, and the waits begin anew`() {
        var attempts = CallAttempts()
        let policy = CallAttemptsTests.policy(5)
        #expect(wait(&attempts, .status(.unavailable, .none), policy) != nil)
        #expect(wait(&attempts, .status(.unavailable, .after(7)), policy) == 7)
        #expect(
            wait(&attempts, .status(.unavailable, .none), policy)
                == 100 * CallAttemptsTests.millisecond)
    }

    @Test func `pushback does not make a code retryable, and may forbid it`() {
        var attempts = CallAttempts()
        #expect(wait(&attempts, .status(.notFound, .after(1))) == nil)
        #expect(wait(&attempts, .status(.unavailable, .never)) == nil)
    }

    @Test(
        arguments: [
            ("0", .after(0)), ("15", .after(15_000_000)), ("-1", .never), ("", .never),
            ("1.5", .never), ("x", .never), ("99999999999999", .never), (" 1", .never),
        ] as [(String, CallAttempts.Pushback)])
    func `pushback is a number of milliseconds`(_ text: String, _ expected: CallAttempts.Pushback) {
        #expect(CallAttempts.Pushback(text.utf8Span.span) == expected)
    }

    @Test func `a throttled upstream gets no retries, but what it has not seen`() {
        var attempts = CallAttempts()
        #expect(wait(&attempts, .status(.unavailable, .none), isThrottled: true) == nil)
        #expect(wait(&attempts, .unsent, isThrottled: true) == 0)
        #expect(wait(&attempts, .refused, isThrottled: true) == 0)
    }

    @Test func `failures count against the upstream even when they are the last`() {
        var attempts = CallAttempts()
        var counted = 0
        for _ in 0..<3 {
            _ = attempts.waitAfter(
                .status(.unavailable, .none), policy: CallAttemptsTests.policy(2), random: 0
            ) {
                counted += 1
                return false
            }
        }
        #expect(counted == 3)
        _ = attempts.waitAfter(
            .status(.notFound, .none), policy: CallAttemptsTests.policy(2), random: 0
        ) {
            counted += 1
            return false
        }
        #expect(counted == 3)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `in any order of failures attempts are bounded and a commitment is the end`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        for _ in 0..<500 {
            var attempts = CallAttempts()
            let policy = CallAttemptsTests.policy(Int.random(in: 1...5, using: &random))
            var made = 1
            var isCommitted = false
            for _ in 0..<30 {
                let failure: CallAttempts.Failure =
                    switch Int.random(in: 0...3, using: &random) {
                    case 0: .refused
                    case 1: .status(.unavailable, .after(5))
                    case 2: .status(.internal, .none)
                    default: .status(.unavailable, .none)
                    }
                if Int.random(in: 0...15, using: &random) == 0 {
                    attempts.commit()
                    isCommitted = true
                }
                guard let wait = wait(&attempts, failure, policy) else { continue }
                #expect(!isCommitted)
                #expect((0...1_200_000_000).contains(wait))
                made += 1
            }
            #expect(made <= policy.attemptsMax + 1, "and one that was refused")
            #expect(attempts.previous < policy.attemptsMax)
        }
    }
}

@Suite struct RetryThrottleTests {
    @Test func `half of the tokens gone, there are no retries until successes bring some back`() {
        let throttle = RetryThrottle(tokensMax: 10, ratioThousandths: 100)
        #expect((0..<4).allSatisfy { _ in !throttle.failed() })
        #expect(throttle.failed(), "5 left of 10")
        for _ in 0..<10 { throttle.succeeded() }
        #expect(throttle.failed(), "6 less 1")
        for _ in 0..<11 { throttle.succeeded() }
        #expect(!throttle.failed(), "6.1 less 1")
    }

    @Test func `tokens lie between none and all`() {
        let throttle = RetryThrottle(tokensMax: 2, ratioThousandths: 1500)
        for _ in 0..<100 { throttle.succeeded() }
        #expect(throttle.failed(), "1 of 2 is half")
        for _ in 0..<100 { _ = throttle.failed() }
        throttle.succeeded()
        throttle.succeeded()
        #expect(throttle.failed(), "2 less 1")
    }
}
