import Testing
import Transcode

@testable import Gateway

@Suite struct HedgingStateTests {
    enum Event {
        case begin, delay, throttledDelay, fatal, nonFatal, throttled, pushback(Int64), never
    }

    private static let millisecond: Int64 = 1_000_000

    private static func policy(_ attempts: Int, delay: Int64 = 50) -> HedgingPolicy {
        var policy = HedgingPolicy()
        policy.attemptsMax = attempts
        policy.delay = delay
        policy.nonFatalCodes = [.unavailable, StatusCodeSet(.aborted)]
        return policy
    }

    private static func apply(_ event: Event, to state: inout HedgingState) -> HedgingState.Action {
        switch event {
        case .begin: state.begin()
        case .delay: state.delayElapsed { false }
        case .throttledDelay: state.delayElapsed { true }
        case .fatal: state.failed(.internal, .none) { false }
        case .nonFatal: state.failed(.aborted, .none) { false }
        case .throttled: state.failed(.unavailable, .none) { true }
        case .pushback(let wait): state.failed(.unavailable, .after(wait)) { false }
        case .never: state.failed(.unavailable, .never) { false }
        }
    }

    @Test(
        arguments: [
            (
                [.begin, .delay, .delay, .delay],
                [.start(next: 50), .start(next: 50), .start(next: nil), .none]
            ),
            (
                [.begin, .nonFatal, .delay],
                [.start(next: 50), .start(next: 50), .start(next: nil)]
            ),
            ([.begin, .fatal], [.start(next: 50), .finish]),
            ([.begin, .delay, .fatal], [.start(next: 50), .start(next: 50), .finish]),
            (
                [.begin, .nonFatal, .nonFatal, .nonFatal],
                [.start(next: 50), .start(next: 50), .start(next: nil), .finish]
            ),
            (
                [.begin, .delay, .delay, .nonFatal, .nonFatal, .nonFatal],
                [.start(next: 50), .start(next: 50), .start(next: nil), .none, .none, .finish]
            ),
            (
                [.begin, .throttledDelay, .delay, .nonFatal],
                [.start(next: 50), .none, .none, .finish]
            ),
            ([.begin, .throttled], [.start(next: 50), .finish]),
            (
                [.begin, .delay, .throttled, .delay, .nonFatal],
                [.start(next: 50), .start(next: 50), .none, .none, .finish]
            ),
            ([.begin, .pushback(7), .delay], [.start(next: 50), .wait(7), .start(next: 50)]),
            (
                [.begin, .pushback(7), .throttledDelay],
                [.start(next: 50), .wait(7), .start(next: 50)]
            ),
            ([.begin, .never], [.start(next: 50), .finish]),
            (
                [.begin, .delay, .never, .delay, .nonFatal],
                [.start(next: 50), .start(next: 50), .none, .none, .finish]
            ),
            (
                [.begin, .delay, .delay, .pushback(7)],
                [.start(next: 50), .start(next: 50), .start(next: nil), .none]
            ),
        ] as [([Event], [HedgingState.Action])])
    func `attempts follow each other until one is the call's end`(
        events: [Event], actions: [HedgingState.Action]
    ) {
        var state = HedgingState(HedgingStateTests.policy(3))
        #expect(events.map { HedgingStateTests.apply($0, to: &state) } == actions)
    }

    @Test func `without a delay each attempt is followed by the next at once`() {
        var state = HedgingState(HedgingStateTests.policy(2, delay: 0))
        #expect(state.begin() == .start(next: 0))
        #expect(state.delayElapsed { false } == .start(next: nil))
    }

    @Test func `only failures that do not end the call count against the upstream`() {
        for code in StatusCode.allCases where code != .ok {
            var state = HedgingState(HedgingStateTests.policy(3))
            _ = state.begin()
            var asked = 0
            let action = state.failed(code, .none) {
                asked += 1
                return false
            }
            let isFatal = code != .unavailable && code != .aborted
            #expect(asked == (isFatal ? 0 : 1))
            #expect((action == .finish) == isFatal)
        }
    }

    @Test(arguments: 0..<50)
    func `in any order of events a call ends once, with no attempt left`(seed: UInt64) {
        var state = HedgingState(HedgingStateTests.policy(4))
        var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        _ = state.begin()
        var isOver = false
        for _ in 0..<60 where !isOver {
            random = random &* 6_364_136_223_846_793_005 &+ 1
            let events: [Event] = [
                .delay, .throttledDelay, .nonFatal, .throttled, .pushback(1), .never,
            ]
            let event = events[Int(random >> 33) % events.count]
            if state.running == 0 {
                // The upstream asked for a wait, which ends with an attempt.
                #expect(HedgingStateTests.apply(.throttledDelay, to: &state) != .none)
                continue
            }
            let action = HedgingStateTests.apply(event, to: &state)
            #expect(state.running >= 0 && state.started <= 4)
            if action == .finish {
                isOver = true
                #expect(state.running == 0)
            }
        }
    }
}
