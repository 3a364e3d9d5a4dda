import Testing

@testable import Gateway

@Suite struct HealthWatchStateTests {
    enum Event: CaseIterable {
        case connected, serving, notServing, ended, endedLate, unimplemented, backoffElapsed
    }

    static let second: Int64 = 1_000_000_000

    static func apply(_ event: Event, to state: inout HealthWatchState) -> HealthWatchState.Action {
        switch event {
        case .connected: return state.connected()
        case .serving: state.received(isServing: true)
        case .notServing: state.received(isServing: false)
        case .ended: return state.ended(isUnimplemented: false, lasted: 0, random: 0.5)
        case .endedLate: return state.ended(isUnimplemented: false, lasted: second, random: 0.5)
        case .unimplemented: return state.ended(isUnimplemented: true, lasted: 0, random: 0.5)
        case .backoffElapsed: return state.backoffElapsed()
        }
        return .none
    }

    private static func state(after events: [Event]) -> HealthWatchState {
        events.reduce(into: HealthWatchState()) { state, event in _ = apply(event, to: &state) }
    }

    @Test(
        arguments: [
            ([], .connected, .unknown, .open), ([], .serving, .unknown, .none),
            ([], .ended, .unknown, .none), ([], .unimplemented, .unknown, .none),
            ([], .backoffElapsed, .unknown, .none),
            ([.connected], .serving, .serving, .none),
            ([.connected], .notServing, .notServing, .none),
            ([.connected], .backoffElapsed, .unknown, .none),
            ([.connected], .unimplemented, .serving, .none),
            ([.connected], .ended, .notServing, .wait(second)),
            ([.connected], .endedLate, .notServing, .wait(second)),
            ([.connected, .serving], .notServing, .notServing, .none),
            ([.connected, .serving], .connected, .serving, .open),
            ([.connected, .serving], .ended, .notServing, .wait(second)),
            ([.connected, .serving], .endedLate, .unknown, .open),
            ([.connected, .serving], .unimplemented, .serving, .none),
            ([.connected, .serving, .endedLate], .endedLate, .notServing, .wait(second)),
            ([.connected, .notServing], .serving, .serving, .none),
            ([.connected, .ended], .serving, .notServing, .none),
            ([.connected, .ended], .ended, .notServing, .none),
            ([.connected, .ended], .backoffElapsed, .notServing, .open),
            ([.connected, .ended], .connected, .notServing, .open),
            ([.connected, .ended, .backoffElapsed], .serving, .serving, .none),
            ([.connected, .unimplemented], .notServing, .serving, .none),
            ([.connected, .unimplemented], .ended, .serving, .none),
            ([.connected, .unimplemented], .backoffElapsed, .serving, .none),
            ([.connected, .unimplemented], .connected, .serving, .open),
        ] as [([Event], Event, HealthWatchState.Health, HealthWatchState.Action)])
    func `each event leads to one state and one action`(
        events: [Event], event: Event, health: HealthWatchState.Health,
        action: HealthWatchState.Action
    ) {
        var state = HealthWatchStateTests.state(after: events)
        #expect(HealthWatchStateTests.apply(event, to: &state) == action)
        #expect(state.health == health)
    }

    @Test func `waits grow until something was heard`() {
        var state = HealthWatchStateTests.state(after: [.connected])
        var waits: [HealthWatchState.Action] = []
        for _ in 0..<3 {
            waits.append(HealthWatchStateTests.apply(.ended, to: &state))
            #expect(HealthWatchStateTests.apply(.backoffElapsed, to: &state) == .open)
        }
        #expect(waits == [.wait(1_000_000_000), .wait(1_600_000_000), .wait(2_560_000_000)])
        _ = HealthWatchStateTests.apply(.notServing, to: &state)
        #expect(HealthWatchStateTests.apply(.ended, to: &state) == .wait(1_000_000_000))
    }

    @Test func `only a server without a health service switches it off`() {
        for event in Event.allCases {
            let state = HealthWatchStateTests.state(after: [.connected, event])
            #expect(state.isOff == (event == .unimplemented))
        }
        #expect(
            !HealthWatchStateTests.state(after: [.connected, .unimplemented, .connected]).isOff)
    }
}
