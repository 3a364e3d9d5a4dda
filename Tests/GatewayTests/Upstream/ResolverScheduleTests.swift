import Testing

@testable import Gateway

@Suite struct ResolverScheduleTests {
    private static let second: Int64 = 1_000_000_000

    @Test(
        arguments: [
            (nil, 30), (0, 5), (1, 5), (5, 5), (6, 6), (300, 300), (86_400, 300),
        ] as [(Int64?, Int64)])
    func `an answer lives its time, within bounds`(_ timeToLive: Int64?, _ wait: Int64) {
        var schedule = ResolverSchedule(intervalMin: 5 * ResolverScheduleTests.second)
        let nanoseconds = timeToLive.map { $0 * ResolverScheduleTests.second }
        #expect(
            schedule.waitAfterAnswer(timeToLive: nanoseconds) == wait * ResolverScheduleTests.second
        )
    }

    @Test func `an interval longer than any time to live holds`() {
        var schedule = ResolverSchedule(intervalMin: 600 * ResolverScheduleTests.second)
        #expect(schedule.waitAfterAnswer(timeToLive: 1) == 600 * ResolverScheduleTests.second)
    }

    @Test func `failures are repeated ever more slowly, until an answer`() {
        var schedule = ResolverSchedule(intervalMin: ResolverScheduleTests.second)
        let waits = (0..<7).map { _ in schedule.waitAfterFailure() / ResolverScheduleTests.second }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30])
        _ = schedule.waitAfterAnswer(timeToLive: nil)
        #expect(schedule.waitAfterFailure() == ResolverScheduleTests.second)
    }

    @Test func `failures are not repeated sooner than the interval either`() {
        var schedule = ResolverSchedule(intervalMin: 5 * ResolverScheduleTests.second)
        let waits = (0..<6).map { _ in schedule.waitAfterFailure() / ResolverScheduleTests.second }
        #expect(waits == [5, 5, 5, 8, 16, 30])
    }
}
