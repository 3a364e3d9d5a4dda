import Testing

@testable import Gateway

private let second: Int64 = 1_000_000_000

@Suite struct RefreshScheduleTests {
    @Test(arguments: [(0.0, 240), (0.5, 300), (1.0, 360)] as [(Double, Int64)])
    func `what is known is asked again after the interval, spread by a fifth`(
        chance: Double, seconds: Int64
    ) {
        let schedule = RefreshSchedule(
            interval: 300 * second, isKnown: true, now: 7, chance: chance)
        #expect(schedule.due == 7 + seconds * second)
    }

    @Test func `without an interval nothing is due until something happens`() {
        var schedule = RefreshSchedule(interval: 0, isKnown: true, now: 0, chance: 0.5)
        #expect(schedule.due == nil)
        schedule.reconnected(now: 10 * second, chance: 0.5)
        #expect(schedule.due == 11 * second)
    }

    @Test func `failures are followed by tries farther and farther apart`() {
        var schedule = RefreshSchedule(interval: 0, isKnown: false, now: 0, chance: 0.5)
        var waits: [Int64] = []
        var now: Int64 = 0
        for _ in 0..<9 {
            let due = schedule.due ?? -1
            waits.append((due - now) / second)
            now = due
            schedule.asked(now: now)
            #expect(schedule.due == nil)
            schedule.failed(now: now, chance: 0.5)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60])
        schedule.succeeded(now: now, chance: 0.5)
        #expect(schedule.due == nil)
        schedule.failed(now: now, chance: 0.5)
        #expect(schedule.due == now + second)
    }

    @Test func `reconnections do not make it be asked more often than every five seconds`() {
        var schedule = RefreshSchedule(
            interval: 300 * second, isKnown: true, now: 0, chance: 0.5)
        schedule.asked(now: 100 * second)
        schedule.succeeded(now: 100 * second, chance: 0.5)
        schedule.reconnected(now: 101 * second, chance: 0.5)
        #expect(schedule.due == 105 * second)
        schedule.reconnected(now: 104 * second, chance: 1)
        #expect(schedule.due == 105 * second)
    }
}
