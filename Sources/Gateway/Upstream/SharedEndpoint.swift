import Synchronization
import Transcode

/// One address of an upstream as all reactors share it: what became of its calls, and what keeps calls from it. A pick
/// reads no more than one byte of it.
final class SharedEndpoint: Sendable {
    /// What keeps calls from an address although it is connected.
    struct Obstacles: OptionSet, Sendable {
        let rawValue: UInt8

        /// Its calls fail (gRFC A50).
        static let ejected = Obstacles(rawValue: 1)
        /// Its health service says that it does not serve (gRFC A17).
        static let unhealthy = Obstacles(rawValue: 2)
        /// Its health service has not been heard yet: calls wait.
        static let unheard = Obstacles(rawValue: 4)

        static let health: Obstacles = [.unhealthy, .unheard]
    }

    let address: SocketAddress
    private let successes = Atomic(0)
    private let failures = Atomic(0)
    private let current: Atomic<UInt8>
    private let hasWatcher = Atomic(false)

    init(_ address: SocketAddress, checksHealth: Bool) {
        self.address = address
        current = Atomic(checksHealth ? Obstacles.unheard.rawValue : 0)
    }

    var obstacles: Obstacles { Obstacles(rawValue: current.load(ordering: .relaxed)) }
    var isEjected: Bool { obstacles.contains(.ejected) }

    // MARK: Calls

    /// Counts a call that ended with `code`. A failure is what would be a 5xx, but for UNIMPLEMENTED: the client's own
    /// mistakes say nothing of the address.
    func record(_ code: StatusCode) {
        if code.httpStatus >= 500, code != .unimplemented {
            failures.add(1, ordering: .relaxed)
        } else {
            successes.add(1, ordering: .relaxed)
        }
    }

    /// Takes what was counted since the last time.
    func take(into host: inout OutlierHost) {
        host.successes = successes.exchange(0, ordering: .relaxed)
        host.failures = failures.exchange(0, ordering: .relaxed)
    }

    func set(isEjected: Bool) { set(isEjected ? .ejected : [], of: .ejected) }

    // MARK: Health

    /// One reactor watches the health of the address, and tells the others by it.
    /// - Returns: whether it is the caller, who must call `releaseWatch`.
    func claimWatch() -> Bool {
        hasWatcher.compareExchange(
            expected: false, desired: true, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Nobody knows how it is, until somebody watches it again.
    func releaseWatch() {
        set(.unheard, of: .health)
        hasWatcher.store(false, ordering: .releasing)
    }

    /// What its watcher has heard.
    func set(_ health: HealthWatchState.Health) {
        let obstacle: Obstacles =
            switch health {
            case .unknown: .unheard
            case .serving: []
            case .notServing: .unhealthy
            }
        set(obstacle, of: .health)
    }

    private func set(_ bits: Obstacles, of mask: Obstacles) {
        var now = current.load(ordering: .relaxed)
        while true {
            let (done, seen) = current.weakCompareExchange(
                expected: now, desired: now & ~mask.rawValue | bits.rawValue, ordering: .relaxed)
            if done { return }
            now = seen
        }
    }
}
