import Testing

@testable import Gateway

@Suite struct SubchannelStateTests {
    enum Event: String, CaseIterable {
        case connectWanted, anotherWanted, becameReady, attemptFailed, connectionLost
        case backoffElapsed, lostUnproven, replacementWanted, rest, shutDown
    }

    /// A state that was reached by these events.
    static func state(after events: [Event]) -> SubchannelState {
        var state = SubchannelState()
        for event in events { _ = apply(event, to: &state) }
        return state
    }

    static func apply(_ event: Event, to state: inout SubchannelState) -> SubchannelState.Action {
        switch event {
        case .connectWanted: return state.connectWanted()
        case .becameReady: state.becameReady()
        case .anotherWanted: return state.anotherWanted(limit: 2)
        case .replacementWanted: return state.replacementWanted()
        case .attemptFailed: return state.attemptFailed(random: 0.5)
        case .connectionLost: return state.connectionLost(isProven: true, random: 0.5)
        case .lostUnproven: return state.connectionLost(isProven: false, random: 0.5)
        case .backoffElapsed: return state.backoffElapsed()
        case .rest: state.rest()
        case .shutDown: state.shutDown()
        }
        return .none
    }

    static let second: Int64 = 1_000_000_000
    private static let toConnecting: [Event] = [.connectWanted]
    private static let toReady: [Event] = [.connectWanted, .becameReady]
    private static let toFailure: [Event] = [.connectWanted, .attemptFailed]
    private static let toRetry: [Event] = [.connectWanted, .attemptFailed, .backoffElapsed]
    private static let toReplacing: [Event] = toReady + [.replacementWanted]
    private static let toTwo: [Event] = toReady + [.anotherWanted, .becameReady]
    private static let toUnproven: [Event] = toReady + [.lostUnproven]

    @Test(
        arguments: [
            ([], .connectWanted, .connecting, .connect), ([], .becameReady, .idle, .none),
            ([], .attemptFailed, .idle, .none), ([], .connectionLost, .idle, .none),
            ([], .backoffElapsed, .idle, .none), ([], .anotherWanted, .idle, .none),
            ([], .lostUnproven, .idle, .none), ([], .shutDown, .shutdown, .none),
            (toConnecting, .connectWanted, .connecting, .none),
            (toConnecting, .anotherWanted, .connecting, .none),
            (toConnecting, .becameReady, .ready, .none),
            (toConnecting, .attemptFailed, .transientFailure, .wait(second)),
            (toConnecting, .backoffElapsed, .connecting, .none),
            (toConnecting, .rest, .idle, .none),
            (toReady, .connectWanted, .ready, .none), (toReady, .becameReady, .ready, .none),
            (toReady, .attemptFailed, .ready, .none), (toReady, .connectionLost, .idle, .none),
            (toReady, .anotherWanted, .ready, .connect),
            (toReady, .lostUnproven, .transientFailure, .wait(second)),
            (toReady, .backoffElapsed, .ready, .none), (toReady, .rest, .idle, .none),
            (toReady, .shutDown, .shutdown, .none),
            ([], .replacementWanted, .idle, .none),
            (toConnecting, .replacementWanted, .connecting, .none),
            (toFailure, .replacementWanted, .transientFailure, .none),
            (toReady, .replacementWanted, .ready, .connect),
            (toTwo, .replacementWanted, .ready, .connect),
            (toReplacing, .replacementWanted, .ready, .none),
            (toReplacing, .attemptFailed, .ready, .wait(second)),
            (toReplacing + [.attemptFailed], .backoffElapsed, .ready, .connect),
            (toReplacing + [.becameReady], .connectionLost, .ready, .none),
            (toReady + [.anotherWanted], .replacementWanted, .ready, .none),
            (toReady + [.anotherWanted, .attemptFailed], .backoffElapsed, .ready, .none),
            (toReady + [.anotherWanted], .anotherWanted, .ready, .none),
            (toReady + [.anotherWanted], .attemptFailed, .ready, .wait(second)),
            (toReady + [.anotherWanted], .connectionLost, .connecting, .none),
            (toTwo, .anotherWanted, .ready, .none), (toTwo, .connectionLost, .ready, .none),
            (toReady + [.anotherWanted, .attemptFailed], .anotherWanted, .ready, .none),
            (toReady + [.anotherWanted, .attemptFailed], .backoffElapsed, .ready, .none),
            (
                toReady + [.anotherWanted, .attemptFailed, .connectionLost], .connectWanted,
                .connecting, .connect
            ),
            (toTwo, .lostUnproven, .ready, .none),
            (toReady + [.anotherWanted], .lostUnproven, .connecting, .none),
            (toUnproven, .connectWanted, .transientFailure, .none),
            (toUnproven, .backoffElapsed, .connecting, .connect),
            (
                toUnproven + [.backoffElapsed, .becameReady], .lostUnproven, .transientFailure,
                .wait(1_600_000_000)
            ),
            (toUnproven + [.backoffElapsed, .becameReady], .connectionLost, .idle, .none),
            (toReady + [.shutDown], .lostUnproven, .shutdown, .none),
            (toFailure, .connectWanted, .transientFailure, .none),
            (toFailure, .becameReady, .transientFailure, .none),
            (toFailure, .attemptFailed, .transientFailure, .none),
            (toFailure, .connectionLost, .transientFailure, .none),
            (toFailure, .backoffElapsed, .connecting, .connect),
            (toFailure, .rest, .idle, .none), (toFailure, .shutDown, .shutdown, .none),
            (toRetry, .attemptFailed, .transientFailure, .wait(1_600_000_000)),
            (toRetry, .becameReady, .ready, .none),
            ([.shutDown], .connectWanted, .shutdown, .none),
            ([.shutDown], .becameReady, .shutdown, .none),
            ([.shutDown], .attemptFailed, .shutdown, .none),
            ([.shutDown], .backoffElapsed, .shutdown, .none),
            ([.shutDown], .rest, .shutdown, .none),
            (toReady + [.shutDown], .connectionLost, .shutdown, .none),
        ] as [([Event], Event, SubchannelState.Connectivity, SubchannelState.Action)])
    func `an event leads to a state and an action`(
        _ before: [Event], _ event: Event, _ connectivity: SubchannelState.Connectivity,
        _ action: SubchannelState.Action
    ) {
        var state = SubchannelStateTests.state(after: before)
        #expect(SubchannelStateTests.apply(event, to: &state) == action)
        #expect(state.connectivity == connectivity)
    }

    @Test func `a failed address counts as failed until it is ready`() {
        var state = SubchannelStateTests.state(after: SubchannelStateTests.toFailure)
        #expect(state.hasFailed)
        _ = state.backoffElapsed()
        #expect(state.hasFailed)
        state.becameReady()
        #expect(!state.hasFailed)
        _ = state.connectionLost(isProven: true, random: 0)
        #expect(!state.hasFailed)
    }

    @Test func `a connection that was ready starts the waits anew`() {
        let events: [Event] = [
            .connectWanted, .attemptFailed, .backoffElapsed, .attemptFailed, .backoffElapsed,
            .becameReady, .connectionLost, .connectWanted,
        ]
        var state = SubchannelStateTests.state(after: events)
        #expect(state.attemptFailed(random: 0.5) == .wait(SubchannelStateTests.second))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `in any order of events attempts never overlap and none follows the end`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var state = SubchannelState()
        var isConnecting = false
        for _ in 0..<500 {
            // The end is rare, or little would be seen before it.
            let events = Event.allCases.filter { $0 != .shutDown || seed.isMultiple(of: 4) }
            guard let event = events.randomElement(using: &random) else { return }
            let before = state
            let action = SubchannelStateTests.apply(event, to: &state)
            if before.connectivity == .shutdown {
                #expect(state.connectivity == .shutdown)
                #expect(action == .none)
            }
            switch action {
            case .connect:
                #expect(!isConnecting)
                isConnecting = true
            case .wait(let wait):
                #expect(wait > 0)
                #expect(wait <= 144 * SubchannelStateTests.second)
                #expect(state.connectivity != .connecting)
                isConnecting = false
            case .none:
                switch event {
                case .becameReady, .rest: isConnecting = false
                default: break
                }
            }
            // Two at a time, and one that takes the place of another.
            #expect((0...3).contains(state.readyCount))
            #expect(state.connectivity != .connecting || isConnecting)
            #expect(state.connectivity != .idle || !isConnecting)
            if state.connectivity != .shutdown {
                #expect((state.connectivity == .ready) == (state.readyCount > 0))
            }
            #expect(state.connectivity != .ready || !state.hasFailed)
            #expect(state.connectivity != .transientFailure || state.hasFailed)
        }
    }

    @Test(arguments: [(0, 1000), (300, 700), (1000, 0), (20_000, 0)] as [(Int64, Int64)])
    func `the wait after a failure counts from the beginning of the attempt`(
        _ lasted: Int64, _ wait: Int64
    ) {
        var state = Self.state(after: Self.toConnecting)
        let millisecond: Int64 = 1_000_000
        #expect(
            state.attemptFailed(random: 0.5, lasted: lasted * millisecond)
                == .wait(wait * millisecond))
    }
}
