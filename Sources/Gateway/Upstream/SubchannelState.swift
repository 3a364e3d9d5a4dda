/// The connectivity of one address (gRPC connectivity semantics). Pure: events in, actions out.
///
///     idle ──connect──▶ connecting ──settings──▶ ready ──connection lost, drain──▶ idle
///                          │  ▲
///                    failure  backoff over
///                          ▼  │
///                    transientFailure
///
/// An idle subchannel connects when the next call wants it. Once failed, it counts as failed until it is ready:
/// calls are refused at once, not queued.
struct SubchannelState: Equatable {
    enum Connectivity: Equatable { case idle, connecting, ready, transientFailure, shutdown }

    enum Action: Equatable {
        case none
        case connect
        /// Try again after this many nanoseconds.
        case retry(after: Int64)
    }

    private(set) var connectivity = Connectivity.idle
    /// Whether the last attempt failed and none succeeded since.
    private(set) var hasFailed = false
    private var backoff = Backoff()

    /// A call, or the start of the gateway, wants a connection.
    mutating func connectWanted() -> Action {
        guard connectivity == .idle else { return .none }
        connectivity = .connecting
        return .connect
    }

    /// The upstream's settings arrived: it speaks HTTP/2.
    mutating func becameReady() {
        guard connectivity == .connecting else { return }
        connectivity = .ready
        hasFailed = false
        backoff.reset()
    }

    /// The attempt failed, or the connection ended. `random` lies in 0..<1.
    mutating func connectionEnded(random: Double) -> Action {
        switch connectivity {
        case .connecting:
            connectivity = .transientFailure
            hasFailed = true
            return .retry(after: backoff.wait(random: random))
        case .ready:
            connectivity = .idle
            return .none
        case .idle, .transientFailure, .shutdown: return .none
        }
    }

    /// The upstream announced its end: new calls need a new connection.
    mutating func drainAnnounced() {
        if connectivity == .ready { connectivity = .idle }
    }

    mutating func backoffElapsed() -> Action {
        guard connectivity == .transientFailure else { return .none }
        connectivity = .connecting
        return .connect
    }

    mutating func shutDown() { connectivity = .shutdown }
}
