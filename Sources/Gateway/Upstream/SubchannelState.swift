/// The connectivity of one address (gRPC connectivity semantics). Pure: events in, actions out.
///
///     idle ──connect──▶ connecting ──settings──▶ ready ──last connection lost──▶ idle
///                          │  ▲
///                    failure  backoff over
///                          ▼  │
///                    transientFailure
///
/// A ready subchannel may have several connections, and attempt another one. Once failed, it counts as failed until it
/// is ready: calls are refused at once, not queued (A62).
struct SubchannelState: Equatable {
    enum Connectivity: Equatable { case idle, connecting, ready, transientFailure, shutdown }

    enum Action: Equatable {
        case none
        case connect
        /// Report `backoffElapsed` after this many nanoseconds.
        case wait(Int64)
    }

    private enum Attempt { case none, underWay, waiting }

    private var attempt = Attempt.none
    private var isShutDown = false
    /// Connections that take calls.
    private(set) var readyCount = 0
    /// Whether the last attempt failed and none succeeded since.
    private(set) var hasFailed = false
    /// A new connection is to take the place of an old one.
    private var isReplacing = false
    private var backoff = Backoff()

    var connectivity: Connectivity {
        if isShutDown { return .shutdown }
        if readyCount > 0 { return .ready }
        return switch attempt {
        case .none: .idle
        case .underWay: .connecting
        case .waiting: hasFailed ? .transientFailure : .idle
        }
    }

    /// A call, or the start of the gateway, wants a connection.
    mutating func connectWanted() -> Action {
        guard connectivity == .idle else { return .none }
        attempt = .underWay
        return .connect
    }

    /// The connections are full, and there may be `limit` of them.
    mutating func anotherWanted(limit: Int) -> Action {
        guard connectivity == .ready, attempt == .none, readyCount < limit else { return .none }
        attempt = .underWay
        return .connect
    }

    /// A connection is old: another one is to take its place, and is attempted until it is there.
    mutating func replacementWanted() -> Action {
        guard connectivity == .ready else { return .none }
        isReplacing = true
        guard attempt == .none else { return .none }
        attempt = .underWay
        return .connect
    }

    /// The upstream's settings arrived: it speaks HTTP/2.
    mutating func becameReady() {
        guard attempt == .underWay, !isShutDown else { return }
        attempt = .none
        readyCount += 1
        isReplacing = false
        hasFailed = false
    }

    /// Nothing came of the attempt, which lasted so many nanoseconds: the wait for the next one counts from its beginning
    /// (SEMANTICS g.1). `random` lies in 0..<1.
    mutating func attemptFailed(random: Double, lasted: Int64 = 0) -> Action {
        guard attempt == .underWay, !isShutDown else { return .none }
        attempt = .waiting
        if readyCount == 0 { hasFailed = true }
        return .wait(max(0, backoff.wait(random: random) - lasted))
    }

    /// A connection takes no more calls: it ended, or the upstream announced its end. `random` lies in 0..<1.
    /// - Parameter isProven: it was of use. The loss of another one counts as a failed attempt, or an upstream that ends
    ///   every connection at once would be connected without a pause.
    mutating func connectionLost(isProven: Bool, random: Double) -> Action {
        guard readyCount > 0 else { return .none }
        readyCount -= 1
        if isProven { backoff.reset() }
        guard readyCount == 0, attempt == .none, !isProven, !isShutDown else { return .none }
        attempt = .waiting
        hasFailed = true
        return .wait(backoff.wait(random: random))
    }

    mutating func backoffElapsed() -> Action {
        guard attempt == .waiting, !isShutDown else { return .none }
        attempt = .none
        guard readyCount == 0 || isReplacing else { return .none }
        attempt = .underWay
        return .connect
    }

    /// As if nothing had been: another address is preferred, or no call has come for long.
    mutating func rest() {
        if !isShutDown { self = SubchannelState() }
    }

    mutating func shutDown() { isShutDown = true }
}
