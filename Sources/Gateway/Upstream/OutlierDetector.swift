import Synchronization

/// Who of an upstream's addresses is left out for what became of its calls. Looked at by whichever reactor comes first.
final class OutlierDetector: Sendable {
    struct Change: Equatable {
        let address: SocketAddress
        let isEjected: Bool
    }

    private struct Entry {
        let endpoint: SharedEndpoint
        var host = OutlierHost()
    }

    private struct State {
        var entries: [Entry] = []
        var lastSweep = Int64.min
    }

    let options: OutlierOptions
    private let state = Mutex(State())

    init(_ options: OutlierOptions) { self.options = options }

    /// Looks at the calls of the last interval, unless another reactor has.
    func sweep(_ endpoints: SharedEndpoints, now: Int64) -> [Change] {
        state.withLock { state in
            // Timers are a tick late, never early; half an interval tells one look from the next.
            guard state.lastSweep == .min || now - state.lastSweep > options.interval / 2 else {
                return []
            }
            state.lastSweep = now
            state.entries = endpoints.all.map { endpoint in
                state.entries.first { $0.endpoint === endpoint } ?? Entry(endpoint: endpoint)
            }
            for index in state.entries.indices {
                state.entries[index].endpoint.take(into: &state.entries[index].host)
            }
            var hosts = state.entries.map(\.host)
            options.sweep(&hosts, now: now)
            var changes: [Change] = []
            for (index, host) in hosts.enumerated() {
                let endpoint = state.entries[index].endpoint
                if host.isEjected != state.entries[index].host.isEjected {
                    endpoint.set(isEjected: host.isEjected)
                    changes.append(Change(address: endpoint.address, isEjected: host.isEjected))
                }
                state.entries[index].host = host
            }
            return changes
        }
    }
}
