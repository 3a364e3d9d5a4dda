import Testing

@testable import Gateway

@Suite struct BackoffTests {
    @Test func `the wait grows by the multiplier from one second to two minutes`() {
        var backoff = Backoff()
        var expected = 1e9
        for _ in 0..<20 {
            let wait = Double(backoff.wait(random: 0.5))
            #expect(abs(wait - expected) < 2)
            expected = min(expected * 1.6, 120e9)
        }
        #expect(backoff.wait(random: 0.5) == 120_000_000_000)
    }

    @Test(
        arguments: [
            (0, 800_000_000), (0.25, 900_000_000), (0.5, 1_000_000_000), (0.75, 1_100_000_000),
        ] as [(Double, Int64)])
    func `each wait is spread by a fifth to either side`(random: Double, wait: Int64) {
        var backoff = Backoff()
        #expect(abs(backoff.wait(random: random) - wait) <= 1)
    }

    @Test func `the spread of one wait does not change the next`() {
        var low = Backoff()
        var high = Backoff()
        #expect(low.wait(random: 0) < high.wait(random: 0.999))
        #expect(low.wait(random: 0.5) == high.wait(random: 0.5))
    }

    @Test func `after a success the waits start anew`() {
        var backoff = Backoff()
        let first = backoff.wait(random: 0.5)
        for _ in 0..<5 { #expect(backoff.wait(random: 0.5) > first) }
        backoff.reset()
        #expect(backoff.wait(random: 0.5) == first)
        #expect(backoff != Backoff())
    }
}
