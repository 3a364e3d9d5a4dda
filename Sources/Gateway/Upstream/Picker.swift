/// Which of an upstream's addresses gets the next call (SEMANTICS g.3). Pure: the caller tells what each address
/// carries, by its index.
struct Picker {
    private let balance: UpstreamOptions.Balance
    private let drawnMax: Int
    private var last: Int
    private var random: RandomSource
    /// Shares of the calls by index, and what each is owed; empty where all are the same.
    private var weights: [Int] = []
    private var credits: [Int] = []

    /// Starts anywhere, lest all reactors begin with the same address.
    /// - Parameter drawnMax: addresses that `least_request` draws for a call.
    init(_ balance: UpstreamOptions.Balance, drawnMax: Int = 2, seed: UInt64) {
        self.balance = balance
        self.drawnMax = drawnMax
        random = RandomSource(seed: seed)
        last = Int(truncatingIfNeeded: seed >> 33)
    }

    /// From now on `round_robin` gives each address its share of the calls.
    /// - Parameter weights: by index, at least 1 each; empty where all are the same.
    mutating func weigh(_ weights: [Int]) {
        guard weights != self.weights else { return }
        self.weights = weights
        // Anywhere, as `last`.
        credits = weights.map { draw(below: $0) }
    }

    /// The index, below `count`, of the address that gets a call; nil when none can take one.
    /// - Parameter load: the calls that an address carries; nil when it can take none.
    mutating func pick(count: Int, load: (Int) -> Int?) -> Int? {
        guard count > 0 else { return nil }
        switch balance {
        case .roundRobin: return next(count, load)
        case .pickFirst: return (0..<count).first { load($0) != nil }
        case .leastRequest: return leastLoaded(count, load) ?? next(count, load)
        }
    }

    private mutating func leastLoaded(_ count: Int, _ load: (Int) -> Int?) -> Int? {
        var best: Int?
        var least = Int.max
        for _ in 0..<drawnMax {
            let drawn = draw(below: count)
            guard let load = load(drawn), load < least else { continue }
            (best, least) = (drawn, load)
        }
        return best
    }

    private mutating func next(_ count: Int, _ load: (Int) -> Int?) -> Int? {
        if weights.count == count { return nextByWeight(load) }
        for _ in 0..<count {
            last = last < count - 1 ? last + 1 : (last == count - 1 ? 0 : last % count)
            if load(last) != nil { return last }
        }
        return nil
    }

    /// Smooth weighted round robin: whoever is owed most, so that the calls of each are spread over the turn.
    private mutating func nextByWeight(_ load: (Int) -> Int?) -> Int? {
        var best: Int?
        var sum = 0
        for index in weights.indices where load(index) != nil {
            credits[index] += weights[index]
            sum += weights[index]
            if best.map({ credits[index] > credits[$0] }) ?? true { best = index }
        }
        if let best { credits[best] -= sum }
        return best
    }

    private mutating func draw(below count: Int) -> Int {
        Int(truncatingIfNeeded: random.next().multipliedFullWidth(by: UInt64(count)).high)
    }
}
