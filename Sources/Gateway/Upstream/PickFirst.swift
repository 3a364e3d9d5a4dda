/// In which order `pick_first` connects addresses: one after the other, the next one when an attempt fails or takes
/// long, until one is connected (Happy Eyeballs, RFC 8305; A61). Pure: events in, actions out.
///
///     idle ──wanted──▶ trying ──delay, failure──▶ trying more ──ready──▶ chosen ──lost──▶ idle
///
/// Once all were tried, each goes on with its own backoff.
struct PickFirst: Equatable {
    enum Phase: Equatable {
        case idle
        /// The index of the address to be tried next; their count once all are.
        case trying(next: Int)
        case chosen(Int)
    }

    enum Action: Equatable {
        case none
        /// Connect this address; look again after `delayNanoseconds`.
        case attempt(Int)
        /// Calls go to this one, and the others are let go.
        case choose(Int)
    }

    /// How long an attempt may take before the next address is tried as well (A61).
    static let delayNanoseconds: Int64 = 250_000_000

    private(set) var phase = Phase.idle
    private var count = 0

    /// A call, or the start of the gateway, wants a connection.
    mutating func connectWanted() -> Action {
        guard phase == .idle, count > 0 else { return .none }
        phase = .trying(next: 1)
        return .attempt(0)
    }

    /// An attempt failed, or has taken `delayNanoseconds`.
    mutating func proceed() -> Action {
        guard case .trying(let next) = phase, next < count else { return .none }
        phase = .trying(next: next + 1)
        return .attempt(next)
    }

    mutating func becameReady(_ index: Int) -> Action {
        if case .chosen = phase { return .none }
        guard index < count else { return .none }
        phase = .chosen(index)
        return .choose(index)
    }

    /// The last connection to an address is gone.
    mutating func lost(_ index: Int) {
        if phase == .chosen(index) { phase = .idle }
    }

    /// There are other addresses now; `chosen` is the new index of the one that was chosen, nil when it is gone.
    mutating func addressesChanged(count: Int, chosen: Int?) {
        self.count = count
        phase = chosen.map { .chosen($0) } ?? .idle
    }

    /// The order in which addresses of one priority are tried: where they have weights one is drawn by these after the
    /// other (RFC 2782), and both families take turns. The same `seed` gives the same order.
    /// - Parameter isShuffled: the order is drawn where no address has a weight as well.
    static func ordered(
        _ addresses: [ResolvedAddress], isShuffled: Bool = false, seed: UInt64
    ) -> [ResolvedAddress] {
        var random = RandomSource(seed: seed)
        var rest = addresses
        var drawn: [ResolvedAddress] = []
        while rest.contains(where: { isShuffled || $0.weight != nil }) {
            let weights = rest.map { $0.weight ?? ResolvedAddress.usualWeight }
            var mark = Int.random(in: 0..<max(1, weights.reduce(0, +)), using: &random)
            let index = weights.firstIndex { weight in
                mark -= weight
                return mark < 0
            }
            drawn.append(rest.remove(at: index ?? 0))
        }
        return interleaved(drawn + rest)
    }

    /// Addresses of both families by turns, beginning with that of the first one (RFC 8305 §4).
    static func interleaved(_ addresses: [ResolvedAddress]) -> [ResolvedAddress] {
        guard let first = addresses.first else { return [] }
        let same = addresses.filter { $0.address.isIPv6 == first.address.isIPv6 }
        let other = addresses.filter { $0.address.isIPv6 != first.address.isIPv6 }
        var result: [ResolvedAddress] = []
        for index in 0..<max(same.count, other.count) {
            if index < same.count { result.append(same[index]) }
            if index < other.count { result.append(other[index]) }
        }
        return result
    }
}
