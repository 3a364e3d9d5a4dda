import Testing

@testable import Gateway

@Suite struct SubchannelStateTests {
    enum Event: String, CaseIterable {
        case connectWanted, becameReady, connectionEnded, drainAnnounced, backoffElapsed, shutDown
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
        case .connectionEnded: return state.connectionEnded(random: 0.5)
        case .drainAnnounced: state.drainAnnounced()
        case .backoffElapsed: return state.backoffElapsed()
        case .shutDown: state.shutDown()
        }
        return .none
    }

    private static let second: Int64 = 1_000_000_000
    private static let toConnecting: [Event] = [.connectWanted]
    private static let toReady: [Event] = [.connectWanted, .becameReady]
    private static let toFailure: [Event] = [.connectWanted, .connectionEnded]
    private static let toRetry: [Event] = [.connectWanted, .connectionEnded, .backoffElapsed]

    @Test(
        arguments: [
            ([], .connectWanted, .connecting, .connect), ([], .becameReady, .idle, .none),
            ([], .connectionEnded, .idle, .none), ([], .drainAnnounced, .idle, .none),
            ([], .backoffElapsed, .idle, .none), ([], .shutDown, .shutdown, .none),
            (toConnecting, .connectWanted, .connecting, .none),
            (toConnecting, .becameReady, .ready, .none),
            (toConnecting, .connectionEnded, .transientFailure, .retry(after: second)),
            (toConnecting, .drainAnnounced, .connecting, .none),
            (toConnecting, .backoffElapsed, .connecting, .none),
            (toReady, .connectWanted, .ready, .none), (toReady, .becameReady, .ready, .none),
            (toReady, .connectionEnded, .idle, .none), (toReady, .drainAnnounced, .idle, .none),
            (toReady, .backoffElapsed, .ready, .none), (toReady, .shutDown, .shutdown, .none),
            (toFailure, .connectWanted, .transientFailure, .none),
            (toFailure, .becameReady, .transientFailure, .none),
            (toFailure, .connectionEnded, .transientFailure, .none),
            (toFailure, .drainAnnounced, .transientFailure, .none),
            (toFailure, .backoffElapsed, .connecting, .connect),
            (toFailure, .shutDown, .shutdown, .none),
            (toRetry, .connectionEnded, .transientFailure, .retry(after: 1_600_000_000)),
            (toRetry, .becameReady, .ready, .none), ([.shutDown], .connectWanted, .shutdown, .none),
            ([.shutDown], .becameReady, .shutdown, .none),
            ([.shutDown], .connectionEnded, .shutdown, .none),
            ([.shutDown], .backoffElapsed, .shutdown, .none),
            ([.shutDown], .drainAnnounced, .shutdown, .none),
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
        _ = state.connectionEnded(random: 0)
        #expect(!state.hasFailed)
    }

    @Test func `a connection that was ready starts the waits anew`() {
        let events: [Event] = [
            .connectWanted, .connectionEnded, .backoffElapsed, .connectionEnded, .backoffElapsed,
            .becameReady, .connectionEnded, .connectWanted,
        ]
        var state = SubchannelStateTests.state(after: events)
        #expect(state.connectionEnded(random: 0.5) == .retry(after: SubchannelStateTests.second))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `in any order of events attempts never overlap and none follows the end`(seed: UInt64) {
        var random = SeededRandom(seed)
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
                #expect(state.connectivity == .connecting)
                isConnecting = true
            case .retry(let wait):
                #expect(before.connectivity == .connecting)
                #expect(wait >= SubchannelStateTests.second)
                #expect(wait <= 120 * SubchannelStateTests.second)
                #expect(state.hasFailed)
                isConnecting = false
            case .none:
                if state.connectivity != .connecting { isConnecting = false }
            }
            #expect(isConnecting == (state.connectivity == .connecting))
            #expect(state.connectivity != .ready || !state.hasFailed)
            #expect(state.connectivity != .transientFailure || state.hasFailed)
        }
    }
}
