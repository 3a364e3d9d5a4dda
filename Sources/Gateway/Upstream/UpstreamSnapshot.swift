import Logging
import Synchronization

/// One upstream at a moment, as one reactor sees it or all of them together.
struct UpstreamSnapshot: Sendable, Equatable {
    let name: String
    var counters = UpstreamCounters()
    /// Calls that wait for a connection or a free stream.
    var callsWaiting = 0
    var endpoints: [EndpointSnapshot] = []

    /// Adds what another reactor sees of the same upstream.
    mutating func merge(_ other: UpstreamSnapshot) {
        counters += other.counters
        callsWaiting += other.callsWaiting
        for endpoint in other.endpoints {
            if let index = endpoints.firstIndex(where: { $0.address == endpoint.address }) {
                endpoints[index].merge(endpoint)
            } else {
                endpoints.append(endpoint)
            }
        }
    }

    /// By the names of the metrics.
    var metrics: [(name: String, value: Int)] {
        UpstreamCounters.metrics.map { ($0.name, counters[keyPath: $0.counter]) } + [
            ("gateway_upstream_calls_in_flight", counters.callsInFlight),
            ("gateway_upstream_calls_waiting", callsWaiting),
        ]
    }
}

/// One address of an upstream at a moment.
struct EndpointSnapshot: Sendable, Equatable {
    let address: String
    /// `ready` when it is so on any reactor, else `connecting`, and so on.
    var state: SubchannelState.Connectivity
    /// Connections that take calls.
    var connections = 0
    /// Attempts under way.
    var callsInFlight = 0
    /// Left out, as its calls fail.
    var isEjected = false
    /// Its health service has not said otherwise; true where nobody asks it.
    var isHealthy = true

    fileprivate mutating func merge(_ other: EndpointSnapshot) {
        if other.state.rank > state.rank { state = other.state }
        connections += other.connections
        callsInFlight += other.callsInFlight
        isEjected = isEjected || other.isEjected
        isHealthy = isHealthy && other.isHealthy
    }
}

extension SubchannelState.Connectivity {
    /// As gRPC names it.
    var name: String {
        switch self {
        case .idle: "idle"
        case .connecting: "connecting"
        case .ready: "ready"
        case .transientFailure: "transient_failure"
        case .shutdown: "shutdown"
        }
    }

    /// What counts more of two reactors' states.
    fileprivate var rank: Int {
        switch self {
        case .shutdown: 0
        case .idle: 1
        case .transientFailure: 2
        case .connecting: 3
        case .ready: 4
        }
    }
}

/// Gathers what every reactor sees, each on its own thread, into one snapshot of each upstream.
final class UpstreamSnapshots: Sendable {
    private struct State {
        /// Reactors that have not answered.
        var awaited: Int
        var merged: [UpstreamSnapshot] = []
    }

    private let state: Mutex<State>
    private let whenDone: @Sendable ([UpstreamSnapshot]) -> Void

    /// - Parameter whenDone: called once, on the thread of the reactor that answers last.
    init(of reactors: Int, whenDone: @escaping @Sendable ([UpstreamSnapshot]) -> Void) {
        state = Mutex(State(awaited: reactors))
        self.whenDone = whenDone
    }

    /// What one reactor sees of all upstreams.
    func add(_ snapshots: [UpstreamSnapshot]) {
        let done: [UpstreamSnapshot]? = state.withLock { state in
            for snapshot in snapshots {
                if let index = state.merged.firstIndex(where: { $0.name == snapshot.name }) {
                    state.merged[index].merge(snapshot)
                } else {
                    state.merged.append(snapshot)
                }
            }
            state.awaited -= 1
            return state.awaited == 0 ? state.merged : nil
        }
        if let done { whenDone(done) }
    }
}

extension UpstreamSnapshot {
    /// One line for the upstream, and one for each of its addresses.
    func log(to log: Logger) {
        var fields: Logger.Metadata = [:]
        for (name, value) in metrics { fields[name] = "\(value)" }
        log.info("upstream \(name)", metadata: fields)
        for endpoint in endpoints {
            log.info(
                "upstream \(name) (\(endpoint.address))",
                metadata: [
                    "gateway_upstream_endpoint_state": "\(endpoint.state.name)",
                    "gateway_upstream_endpoint_connections": "\(endpoint.connections)",
                    "gateway_upstream_endpoint_calls_in_flight": "\(endpoint.callsInFlight)",
                    "gateway_upstream_endpoint_ejected": "\(endpoint.isEjected ? 1 : 0)",
                    "gateway_upstream_endpoint_healthy": "\(endpoint.isHealthy ? 1 : 0)",
                ])
        }
    }
}
