/// Many timers, nearly all of which are cancelled before they fire: O(1) to set and to cancel, no allocation
/// once grown. Pure: the caller brings the time, in nanoseconds of any monotonic clock.
///
/// A hashed wheel: a timer lies in the slot of its tick modulo the number of slots; one further away than a
/// round is passed over until its time has come.
struct TimerWheel<Payload> {
    /// Names one timer; stale once it fired or was cancelled.
    struct ID: Equatable {
        fileprivate let index: Int32
        fileprivate let generation: UInt32
    }

    private struct Timer {
        var tick: Int64 = 0
        var generation: UInt32 = 0
        var next: Int32 = -1
        var previous: Int32 = -1
        var payload: Payload?
    }

    /// Nanoseconds of one tick: timers fire up to this much late, never early.
    static var tickNanoseconds: Int64 { 1_000_000 }
    private static var slotCount: Int { 4096 }

    private var timers: [Timer] = []
    private var heads = [Int32](repeating: -1, count: TimerWheel.slotCount)
    /// One bit a slot: it holds something.
    private var occupied = [UInt64](repeating: 0, count: TimerWheel.slotCount / 64)
    private var firstFree: Int32 = -1
    /// Ticks up to and including this one have been expired.
    private var current: Int64
    /// No slot between `current` and this tick holds anything. A loop asks every turn how long it may wait, while the
    /// nearest timer is seconds away: so the empty slots are passed once and not each time.
    private var emptyBefore: Int64

    /// How many timers are set.
    private(set) var count = 0

    init(now: Int64) {
        current = now / TimerWheel.tickNanoseconds
        emptyBefore = current + 1
    }

    /// Sets a timer for `deadline`; one that has passed fires at the next `expire`.
    mutating func schedule(at deadline: Int64, _ payload: Payload) -> ID {
        let rounded = deadline.addingReportingOverflow(TimerWheel.tickNanoseconds - 1)
        let tick = max(
            (rounded.overflow ? Int64.max : rounded.partialValue) / TimerWheel.tickNanoseconds,
            current + 1)
        let index = takeTimer()
        timers[Int(index)].tick = tick
        timers[Int(index)].payload = payload
        let turns = (tick - current - 1) & Int64(TimerWheel.slotCount - 1)
        emptyBefore = min(emptyBefore, current + 1 + turns)
        link(index, slot: slot(of: tick))
        count += 1
        return ID(index: index, generation: timers[Int(index)].generation)
    }

    /// Cancels a timer; does nothing when it fired or was cancelled before.
    mutating func cancel(_ id: ID) {
        guard timers[Int(id.index)].generation == id.generation,
            timers[Int(id.index)].payload != nil
        else {
            return
        }
        release(id.index)
    }

    /// Takes one timer that is due at `now`, or nil when none is left.
    mutating func expire(now: Int64) -> Payload? {
        let target = now / TimerWheel.tickNanoseconds
        while current < target {
            guard count > 0 else {
                current = target
                return nil
            }
            var index = heads[slot(of: current + 1)]
            while index >= 0 {
                if timers[Int(index)].tick <= current + 1 {
                    let payload = timers[Int(index)].payload
                    release(index)
                    return payload
                }
                index = timers[Int(index)].next
            }
            current = firstOccupied(from: current + 2, notBeyond: target) - 1
        }
        return nil
    }

    /// Nanoseconds from `now` until something may be due; nil when no timer is set.
    mutating func wait(now: Int64) -> Int64? {
        guard count > 0 else { return nil }
        emptyBefore = firstOccupied(
            from: max(current + 1, emptyBefore), notBeyond: current + Int64(TimerWheel.slotCount))
        return max(0, emptyBefore * TimerWheel.tickNanoseconds - now)
    }

    /// The first tick from `tick` on whose slot holds something, `limit + 1` when there is none up to `limit`.
    private func firstOccupied(from tick: Int64, notBeyond limit: Int64) -> Int64 {
        var candidate = tick
        while candidate <= limit {
            let position = slot(of: candidate)
            let word = occupied[position / 64] >> UInt64(position % 64)
            if word != 0 { return min(candidate + Int64(word.trailingZeroBitCount), limit + 1) }
            candidate += Int64(64 - position % 64)
        }
        return limit + 1
    }

    private func slot(of tick: Int64) -> Int { Int(tick & Int64(TimerWheel.slotCount - 1)) }

    private mutating func takeTimer() -> Int32 {
        if firstFree >= 0 {
            let index = firstFree
            firstFree = timers[Int(index)].next
            return index
        }
        timers.append(Timer())
        return Int32(truncatingIfNeeded: timers.count - 1)
    }

    private mutating func link(_ index: Int32, slot: Int) {
        let head = heads[slot]
        timers[Int(index)].next = head
        timers[Int(index)].previous = -1
        if head >= 0 { timers[Int(head)].previous = index }
        heads[slot] = index
        occupied[slot / 64] |= 1 << UInt64(slot % 64)
    }

    private mutating func release(_ index: Int32) {
        let slot = slot(of: timers[Int(index)].tick)
        let (previous, next) = (timers[Int(index)].previous, timers[Int(index)].next)
        if previous >= 0 {
            timers[Int(previous)].next = next
        } else {
            heads[slot] = next
            if next < 0 { occupied[slot / 64] &= ~(1 << UInt64(slot % 64)) }
        }
        if next >= 0 { timers[Int(next)].previous = previous }
        timers[Int(index)].payload = nil
        timers[Int(index)].generation &+= 1
        timers[Int(index)].next = firstFree
        firstFree = index
        count -= 1
    }
}
