import Synchronization
import Transcode

/// What became of the calls of one address, counted by all reactors, and whether it is ejected.
final class EndpointStatistics: Sendable {
    let address: SocketAddress
    private let successes = Atomic(0)
    private let failures = Atomic(0)
    private let ejected = Atomic(false)

    init(_ address: SocketAddress) { self.address = address }

    var isEjected: Bool { ejected.load(ordering: .relaxed) }

    /// Counts a call that ended with `code`. A failure is what would be a 5xx, but for UNIMPLEMENTED: the client's own
    /// mistakes say nothing of the address.
    func record(_ code: StatusCode) {
        if code.httpStatus >= 500, code != .unimplemented {
            failures.add(1, ordering: .relaxed)
        } else {
            successes.add(1, ordering: .relaxed)
        }
    }

    fileprivate func take(into host: inout OutlierHost) {
        host.successes = successes.exchange(0, ordering: .relaxed)
        host.failures = failures.exchange(0, ordering: .relaxed)
    }

    fileprivate func set(isEjected: Bool) { ejected.store(isEjected, ordering: .relaxed) }
}

/// The addresses of one upstream, and who of them is left out. Looked at by whichever reactor comes first; a pick reads no
/// more than one flag.
final class OutlierDetector: Sendable {
    struct Change: Equatable {
        let address: SocketAddress
        let isEjected: Bool
    }

    private struct Entry {
        let statistics: EndpointStatistics
        var host = OutlierHost()
        var users = 1
    }

    private struct State {
        var entries: [Entry] = []
        var lastSweep = Int64.min
    }

    let options: OutlierOptions
    private let state = Mutex(State())

    init(_ options: OutlierOptions) { self.options = options }

    /// A reactor has that address; `leave` must follow.
    func join(_ address: SocketAddress) -> EndpointStatistics {
        state.withLock { state in
            if let index = state.entries.firstIndex(where: { $0.statistics.address == address }) {
                state.entries[index].users += 1
                return state.entries[index].statistics
            }
            let statistics = EndpointStatistics(address)
            state.entries.append(Entry(statistics: statistics))
            return statistics
        }
    }

    func leave(_ statistics: EndpointStatistics) {
        state.withLock { state in
            guard let index = state.entries.firstIndex(where: { $0.statistics === statistics })
            else { return }
            state.entries[index].users -= 1
            if state.entries[index].users == 0 { state.entries.remove(at: index) }
        }
    }

    /// Looks at the calls of the last interval, unless another reactor has.
    func sweep(now: Int64) -> [Change] {
        state.withLock { state in
            // Timers are a tick late, never early; half an interval tells one look from the next.
            guard state.lastSweep == .min || now - state.lastSweep > options.interval / 2 else {
                return []
            }
            state.lastSweep = now
            var hosts: [OutlierHost] = []
            for index in state.entries.indices {
                state.entries[index].statistics.take(into: &state.entries[index].host)
                hosts.append(state.entries[index].host)
            }
            options.sweep(&hosts, now: now)
            var changes: [Change] = []
            for (index, host) in hosts.enumerated() {
                let statistics = state.entries[index].statistics
                if host.isEjected != state.entries[index].host.isEjected {
                    statistics.set(isEjected: host.isEjected)
                    changes.append(
                        Change(address: statistics.address, isEjected: host.isEjected))
                }
                state.entries[index].host = host
            }
            return changes
        }
    }
}
