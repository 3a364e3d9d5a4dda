import Testing

@testable import Gateway

@Suite struct PickerTests {
    @Test func `round robin takes each in turn, wherever it starts`() {
        for seed in 0..<20 as Range<UInt64> {
            var picker = Picker(.roundRobin, seed: seed &* 0x1234_5678_9ABC_DEF1)
            let picks = (0..<9).compactMap { _ in picker.pick(count: 3) { _ in 0 } }
            #expect(picks.count == 9)
            for index in 1..<9 { #expect(picks[index] == (picks[index - 1] + 1) % 3) }
        }
    }

    @Test func `reactors do not all begin with the same address`() {
        var random = RandomSource(seed: 7)
        let first = Set(
            (0..<50).compactMap { _ in
                var picker = Picker(.roundRobin, seed: random.next())
                return picker.pick(count: 4) { _ in 0 }
            })
        #expect(first == [0, 1, 2, 3])
    }

    @Test(arguments: [.roundRobin, .pickFirst, .leastRequest] as [UpstreamOptions.Balance])
    func `what can take no call is never picked`(balance: UpstreamOptions.Balance) {
        var random = RandomSource(seed: 11)
        var picker = Picker(balance, seed: random.next())
        for _ in 0..<2000 {
            let count = Int.random(in: 0...6, using: &random)
            let loads = (0..<count).map { _ in
                Bool.random(using: &random) ? Int.random(in: 0...3, using: &random) : nil
            }
            let pick = picker.pick(count: count) { loads[$0] }
            if let pick {
                #expect(loads[pick] != nil)
            } else {
                #expect(loads.allSatisfy { $0 == nil })
            }
        }
    }

    @Test func `pick first takes the first one`() {
        var picker = Picker(.pickFirst, seed: 5)
        #expect(picker.pick(count: 3) { _ in 9 } == 0)
        #expect(picker.pick(count: 3) { $0 == 0 ? nil : 9 } == 1)
    }

    @Test func `least request avoids the loaded one`() {
        var picker = Picker(.leastRequest, seed: 3)
        var counts = [0, 0, 0]
        for _ in 0..<9000 {
            if let pick = picker.pick(count: 3, load: { $0 == 1 ? 10 : 0 }) { counts[pick] += 1 }
        }
        // It is taken only when it is drawn twice.
        #expect((800...1200).contains(counts[1]))
        #expect(abs(counts[0] - counts[2]) < 500)
    }

    @Test func `of more drawn addresses the least loaded one is taken`() {
        var picker = Picker(.leastRequest, drawnMax: 10, seed: 3)
        let loads = [5, 4, 3, 2]
        var counts = [0, 0, 0, 0]
        for _ in 0..<1000 {
            if let pick = picker.pick(count: 4, load: { loads[$0] }) { counts[pick] += 1 }
        }
        // All ten draws miss the last one in 56 of 1000.
        #expect((900...980).contains(counts[3]))
        #expect(counts[0] == 0 || counts[0] < counts[2])
    }

    /// The 99th percentile in milliseconds: a call comes every 3 ms, two servers take 2 ms for one, the third 12 ms.
    private func slowTail(_ balance: UpstreamOptions.Balance) -> Int {
        let cost = [2, 2, 12]
        var picker = Picker(balance, seed: 99)
        var ends: [[Int]] = [[], [], []]
        var times: [Int] = []
        for now in stride(from: 0, to: 60_000, by: 3) {
            for server in 0..<3 { ends[server].removeAll { $0 <= now } }
            guard let pick = picker.pick(count: 3, load: { ends[$0].count }) else { continue }
            // Each server works on one call after the other.
            let end = max(now, ends[pick].last ?? now) + cost[pick]
            ends[pick].append(end)
            times.append(end - now)
        }
        return times.sorted()[times.count * 99 / 100]
    }

    @Test func `least request beats round robin when one server is slow`() {
        #expect(slowTail(.leastRequest) * 10 < slowTail(.roundRobin))
    }

    @Test func `weights are shares of the calls, spread over the turn`() {
        for seed in 0..<20 as Range<UInt64> {
            var picker = Picker(.roundRobin, seed: seed)
            picker.weigh([80, 16, 16])
            let picks = (0..<700).compactMap { _ in picker.pick(count: 3) { _ in 0 } }
            let counts = (0..<3).map { index in picks.count { $0 == index } }
            #expect(abs(counts[0] - 500) <= 1 && abs(counts[1] - 100) <= 1)
            for start in 0..<690 {
                let turn = picks[start..<start + 7].count { $0 == 0 }
                #expect((4...6).contains(turn), "no run of one address")
            }
        }
    }

    @Test func `the share of an address that takes no calls goes to the others by their weights`() {
        var picker = Picker(.roundRobin, seed: 1)
        picker.weigh([32, 16, 16])
        var counts = [0, 0, 0]
        for _ in 0..<300 {
            if let pick = picker.pick(count: 3, load: { $0 == 2 ? nil : 0 }) { counts[pick] += 1 }
        }
        #expect(abs(counts[0] - 200) <= 1 && counts[2] == 0)
        #expect(picker.pick(count: 3) { _ in nil } == nil)
        // It owes nothing for the time in which it was away, nor is it owed.
        var back = 0
        for _ in 0..<40 where picker.pick(count: 3, load: { _ in 0 }) == 2 { back += 1 }
        #expect((9...11).contains(back))
    }

    @Test func `without weights all are equal again`() {
        var picker = Picker(.roundRobin, seed: 1)
        picker.weigh([160, 16])
        _ = picker.pick(count: 2) { _ in 0 }
        picker.weigh([])
        let picks = (0..<10).compactMap { _ in picker.pick(count: 2) { _ in 0 } }
        #expect(picks.count { $0 == 0 } == 5)
    }
}
