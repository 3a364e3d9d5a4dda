import Testing
import Transcode

@testable import Gateway

/// A call of the simulation: what an exchange is towards its upstream, without the bytes.
final class SimulatedCall: UpstreamCall {
    enum Phase: Equatable {
        case queued
        case inFlight
        /// Between two attempts.
        case waiting
        case ended
    }

    let call: UInt64
    let waitsForReady: Bool
    let policy: RetryPolicy
    let deadline: Int64
    var isQueued = false
    var phase = Phase.waiting
    var attempts = CallAttempts()
    /// Attempts that were opened as a stream.
    var streamCount = 0
    /// Attempts that were opened after the answer of another one had begun.
    var streamsAfterCommit = 0
    /// Attempts that the upstream says it has not looked at.
    var unprocessedCount = 0
    var isRetried = false
    var endings = 0
    weak var connection: SimulatedConnection?
    var openedAt: Int64 = 0
    /// The head of its attempt has left.
    var hasLeft = false
    var deadlineTimer: TimerWheel<ChannelSimulation.Timer>.ID?
    var retryTimer: TimerWheel<ChannelSimulation.Timer>.ID?
    /// What comes of a call that no address can take.
    private let whenUnavailable: (SimulatedCall) -> Void

    init(
        _ number: UInt64, deadline: Int64, policy: RetryPolicy, waitsForReady: Bool,
        whenUnavailable: @escaping (SimulatedCall) -> Void
    ) {
        call = number
        self.deadline = deadline
        self.policy = policy
        self.waitsForReady = waitsForReady
        self.whenUnavailable = whenUnavailable
    }

    func upstreamUnavailable(_ status: Status) { whenUnavailable(self) }

    // The simulation has no connections with bytes.
    func openUpstream(on connection: UpstreamConnection) {}
    func upstreamHead(isLast: Bool) {}
    func upstreamBody(_ bytes: Span<UInt8>) {}
    func upstreamDrained() {}
    func upstreamEnd() {}
    func upstreamClosed(code: UInt32, connectionFailure: String?) {}
}

/// A connection of the simulation.
final class SimulatedConnection {
    unowned let endpoint: SimulatedEndpoint
    var calls: [SimulatedCall] = []
    var streamsMax: Int
    var keepalive: Keepalive
    var lastRead: Int64
    let readyAt: Int64
    var hasAnswered = false
    /// Nothing more will come on it.
    var isSilent = false
    var isDraining = false
    var isClosed = false
    var timer: TimerWheel<ChannelSimulation.Timer>.ID?

    init(_ endpoint: SimulatedEndpoint, streamsMax: Int, keepalive: Keepalive, now: Int64) {
        self.endpoint = endpoint
        self.streamsMax = streamsMax
        self.keepalive = keepalive
        lastRead = now
        readyAt = now
    }

    var canOpenStream: Bool { !isDraining && !isClosed && calls.count < streamsMax }

    func isProven(now: Int64) -> Bool {
        hasAnswered || now - readyAt >= UpstreamConnection.provenNanoseconds
    }
}

/// An address of the simulation: its state machine, and what it holds.
final class SimulatedEndpoint {
    let shared: SharedEndpoint
    let obstacles: SharedEndpoint.Obstacles
    var state = SubchannelState()
    var connections: [SimulatedConnection] = []
    var draining: [SimulatedConnection] = []
    /// A connection is being made.
    var isConnecting = false
    var timer: TimerWheel<ChannelSimulation.Timer>.ID?

    init(_ shared: SharedEndpoint, checksHealth: Bool) {
        self.shared = shared
        obstacles = checksHealth ? [.ejected, .health] : .ejected
    }

    var isObstructed: Bool { !shared.obstacles.isDisjoint(with: obstacles) }

    var hasFailed: Bool {
        state.hasFailed
            || !shared.obstacles.intersection(obstacles).isDisjoint(with: [.ejected, .unhealthy])
    }

    var available: SimulatedConnection? {
        isObstructed ? nil : connections.first { $0.canOpenStream }
    }

    var load: Int? {
        available == nil ? nil : connections.reduce(0) { $0 + $1.calls.count }
    }
}
