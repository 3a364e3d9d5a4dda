import Testing

@testable import Gateway

@Suite struct PickFirstTests {
    private func state(_ count: Int) -> PickFirst {
        var state = PickFirst()
        state.addressesChanged(count: count, chosen: nil)
        return state
    }

    @Test func `addresses are tried one after the other`() {
        var state = state(3)
        #expect(state.connectWanted() == .attempt(0))
        #expect(state.connectWanted() == .none)
        #expect(state.proceed() == .attempt(1))
        #expect(state.proceed() == .attempt(2))
        #expect(state.proceed() == .none)
    }

    @Test func `the first that is ready wins, whichever it is`() {
        var state = state(3)
        _ = state.connectWanted()
        _ = state.proceed()
        #expect(state.becameReady(1) == .choose(1))
        #expect(state.phase == .chosen(1))
        #expect(state.becameReady(0) == .none)
        #expect(state.proceed() == .none)
    }

    @Test func `a failed pass leaves each address to its own backoff, and any may win`() {
        var state = state(2)
        _ = state.connectWanted()
        _ = state.proceed()
        #expect(state.proceed() == .none)
        #expect(state.connectWanted() == .none)
        #expect(state.becameReady(0) == .choose(0))
    }

    @Test func `when the chosen one is lost the next call begins anew`() {
        var state = state(2)
        _ = state.connectWanted()
        _ = state.becameReady(0)
        state.lost(1)
        #expect(state.phase == .chosen(0))
        state.lost(0)
        #expect(state.phase == .idle)
        #expect(state.connectWanted() == .attempt(0))
    }

    @Test func `other addresses begin anew, unless the chosen one stays`() {
        var state = state(2)
        _ = state.connectWanted()
        _ = state.becameReady(0)
        state.addressesChanged(count: 3, chosen: 2)
        #expect(state.phase == .chosen(2))
        #expect(state.connectWanted() == .none)
        state.addressesChanged(count: 1, chosen: nil)
        #expect(state.connectWanted() == .attempt(0))
        state.addressesChanged(count: 0, chosen: nil)
        #expect(state.connectWanted() == .none)
    }

    @Test(
        arguments: [
            ([], []), (["4a"], ["4a"]),
            (["4a", "4b", "6a", "6b", "6c"], ["4a", "6a", "4b", "6b", "6c"]),
            (["6a", "4a", "4b"], ["6a", "4a", "4b"]),
        ] as [([String], [String])])
    func `families take turns`(_ given: [String], _ expected: [String]) {
        func address(_ name: String) -> ResolvedAddress? {
            let last = name.utf8.last.map(Int.init) ?? 0
            return SocketAddress(
                numericHost: name.hasPrefix("4") ? "10.0.0.\(last)" : "fd00::\(last)", port: 1
            ).map { ResolvedAddress($0) }
        }
        #expect(PickFirst.interleaved(given.compactMap(address)) == expected.compactMap(address))
    }

    private func weighted(_ weights: [Int?]) -> [ResolvedAddress] {
        weights.enumerated().map { index, weight in
            ResolvedAddress(SocketAddress(form: .unix("/run/\(index).sock")), weight: weight)
        }
    }

    @Test func `without weights the order stays`() {
        let addresses = weighted([nil, nil, nil, nil])
        for seed in 0..<20 as Range<UInt64> {
            #expect(PickFirst.ordered(addresses, seed: seed) == addresses)
        }
    }

    @Test func `an order may be drawn without weights`() {
        let addresses = weighted([nil, nil, nil])
        var firsts = [0, 0, 0]
        for seed in 0..<3000 as Range<UInt64> {
            let first = PickFirst.ordered(addresses, isShuffled: true, seed: seed)[0]
            if let index = addresses.firstIndex(of: first) { firsts[index] += 1 }
        }
        #expect(firsts.allSatisfy { (850...1150).contains($0) })
    }

    @Test func `weights say how often an address is the first one`() {
        let addresses = weighted([960, 320, 1])
        var firsts = [0, 0, 0]
        for seed in 0..<4000 as Range<UInt64> {
            let ordered = PickFirst.ordered(addresses, seed: seed)
            #expect(ordered == PickFirst.ordered(addresses, seed: seed), "and it stays so")
            #expect(ordered.sorted { $0.address.order < $1.address.order } == addresses)
            if let index = addresses.firstIndex(of: ordered[0]) { firsts[index] += 1 }
        }
        #expect((2900...3100).contains(firsts[0]))
        #expect((0...15).contains(firsts[2]))
    }
}
