import Testing

@testable import Gateway

@Suite struct TimerWheelTests {
    private static let millisecond: Int64 = 1_000_000

    @Test(arguments: [1, 2, 50, 63, 64, 65, 4095, 4096, 4097, 100_000] as [Int64])
    func `a timer fires in its tick and not before`(milliseconds: Int64) {
        var wheel = TimerWheel<Int>(now: 0)
        _ = wheel.schedule(at: milliseconds * TimerWheelTests.millisecond, 7)
        #expect(wheel.expire(now: milliseconds * TimerWheelTests.millisecond - 1) == nil)
        #expect(wheel.expire(now: milliseconds * TimerWheelTests.millisecond) == 7)
        #expect(wheel.count == 0)
    }

    @Test(arguments: [1, 2, 50, 64, 1000, 4095] as [Int64])
    func `the wait for a timer of the next round ends when it is due`(milliseconds: Int64) {
        var wheel = TimerWheel<Int>(now: 0)
        _ = wheel.schedule(at: milliseconds * TimerWheelTests.millisecond, 7)
        #expect(wheel.wait(now: 0) == milliseconds * TimerWheelTests.millisecond)
    }

    @Test func `a turn in the millisecond before a timer does not delay it`() {
        var wheel = TimerWheel<Int>(now: 0)
        _ = wheel.schedule(at: 10 * TimerWheelTests.millisecond, 7)
        let now = 9 * TimerWheelTests.millisecond + 500_000
        #expect(wheel.expire(now: now) == nil)
        #expect(wheel.wait(now: now) == 500_000)
    }

    @Test func `random timers fire once each, in the tick of their deadline`() {
        var random = RandomSource(seed: 20_261_122)
        var wheel = TimerWheel<Int64>(now: 0)
        var open: Set<Int64> = []
        var cancelled: [TimerWheel<Int64>.ID] = []
        var now: Int64 = 0
        for _ in 0..<3000 {
            if Bool.random(using: &random) {
                let range: Int64 = Bool.random(using: &random) ? 5_000_000 : 20_000_000_000
                let deadline = now + Int64.random(in: 0...range, using: &random)
                if open.insert(deadline).inserted { _ = wheel.schedule(at: deadline, deadline) }
                cancelled.append(wheel.schedule(at: deadline, -1))
                if cancelled.count > 10 { wheel.cancel(cancelled.removeFirst()) }
            }
            let wait = wheel.wait(now: now) ?? 1_000_000
            if let first = open.min() {
                #expect(now + wait < first + TimerWheelTests.millisecond)
            }
            // As the loop does it: never later than the wheel says, often earlier.
            now += Bool.random(using: &random) ? wait : Int64.random(in: 0...wait, using: &random)
            while let deadline = wheel.expire(now: now) {
                guard deadline >= 0 else { continue }
                #expect(open.remove(deadline) != nil)
                #expect(deadline <= now)
            }
            let late = open.filter { $0 + TimerWheelTests.millisecond <= now }
            #expect(late.isEmpty)
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `the wheel does what a plain list of timers does`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var wheel = TimerWheel<Int>(now: 5_000_000_000)
        var model = TimerModel(now: 5_000_000_000)
        var ids: [Int: TimerWheel<Int>.ID] = [:]
        var now: Int64 = 5_000_000_000
        for name in 0..<4000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let spans: [Int64] = [
                    -3_000_000, 900_000, 4_000_000, 4_100_000_000, 90_000_000_000,
                ]
                let span = spans[Int.random(in: 0..<spans.count, using: &random)]
                let deadline = now + Int64.random(in: min(0, span)...max(0, span), using: &random)
                ids[name] = wheel.schedule(at: deadline, name)
                model.schedule(at: deadline, name)
            case 5..<8:
                // Also those that have fired or were cancelled before: nothing may happen then.
                guard let (other, id) = ids.randomElement(using: &random) else { continue }
                wheel.cancel(id)
                model.cancel(other)
            default:
                now += Int64.random(in: 0...300_000_000, using: &random)
                var fired: Set<Int> = []
                while let name = wheel.expire(now: now) {
                    #expect(fired.insert(name).inserted)
                }
                #expect(fired == model.expire(now: now))
            }
            #expect(wheel.count == model.ticks.count)
            // Nobody sleeps beyond the nearest timer; one whose round has not come may wake the loop early.
            let wake = wheel.wait(now: now).map { now + $0 }
            #expect((wake == nil) == model.ticks.isEmpty)
            if let wake, let nearest = model.ticks.values.min() {
                #expect(wake <= max(now, nearest * TimerWheelTests.millisecond))
            }
        }
    }

    @Test func `a timer cancelled twice does not take its successor along`() {
        var wheel = TimerWheel<Int>(now: 0)
        let first = wheel.schedule(at: 5_000_000, 1)
        wheel.cancel(first)
        _ = wheel.schedule(at: 5_000_000, 2)
        wheel.cancel(first)
        #expect(wheel.count == 1)
        #expect(wheel.expire(now: 5_000_000) == 2)
        wheel.cancel(first)
        #expect(wheel.expire(now: 9_000_000) == nil)
    }

    @Test func `a deadline at the end of time is never due`() {
        var wheel = TimerWheel<Int>(now: 0)
        _ = wheel.schedule(at: .max, 1)
        #expect(wheel.expire(now: 1_000_000_000_000) == nil)
        #expect(wheel.count == 1)
    }

    @Test func `a timer set while others expire waits for the next tick`() {
        var wheel = TimerWheel<Int>(now: 0)
        _ = wheel.schedule(at: 3_000_000, 1)
        #expect(wheel.expire(now: 3_000_000) == 1)
        _ = wheel.schedule(at: 3_000_001, 2)
        #expect(wheel.expire(now: 3_000_000) == nil)
        #expect(wheel.expire(now: 4_000_000) == 2)
    }
}

/// The same by a dictionary: a timer is due in the tick that begins at or after its deadline.
private struct TimerModel {
    var ticks: [Int: Int64] = [:]
    private var expired: Int64

    init(now: Int64) { expired = now / 1_000_000 }

    mutating func schedule(at deadline: Int64, _ name: Int) {
        ticks[name] = max((deadline + 999_999) / 1_000_000, expired + 1)
    }

    mutating func cancel(_ name: Int) { ticks[name] = nil }

    mutating func expire(now: Int64) -> Set<Int> {
        expired = max(expired, now / 1_000_000)
        let due = ticks.filter { $0.value <= now / 1_000_000 }
        for name in due.keys { ticks[name] = nil }
        return Set(due.keys)
    }
}
