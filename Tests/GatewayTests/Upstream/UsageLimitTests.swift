import Testing

@testable import Gateway

@Suite struct UsageLimitTests {
    @Test func `so many and no more, until one is given back`() {
        let limit = UsageLimit(2)
        #expect(limit.take())
        #expect(limit.take())
        #expect(!limit.take())
        #expect(limit.count == 2)
        limit.giveBack()
        #expect(limit.take())
        #expect(!limit.take())
    }

    @Test func `none at all`() {
        #expect(!UsageLimit(0).take())
    }

    @Test func `without a limit nothing is counted`() {
        let limit = UsageLimit(nil)
        for _ in 0..<1000 { #expect(limit.take()) }
        #expect(limit.count == 0)
        limit.giveBack()
        #expect(limit.count == 0)
    }

    @Test func `threads together take no more than there are`() async {
        let limit = UsageLimit(100)
        let taken = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { (0..<50).reduce(0) { sum, _ in sum + (limit.take() ? 1 : 0) } }
            }
            return await group.reduce(0, +)
        }
        #expect(taken == limit.count)
        #expect(taken <= 100)
        #expect(taken > 90, "a taker may see another's attempt, which is undone at once")
    }
}
