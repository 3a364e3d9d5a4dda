/// When an upstream is asked again what it serves. Pure: the caller brings time, in nanoseconds of one monotonic clock,
/// and chance, from 0 to 1.
///
/// Many gateways before one upstream must not all ask at the same moment: every wait is spread.
struct RefreshSchedule: Equatable {
    /// After a connection came back: the upstream may be another version of itself.
    static let reconnectNanoseconds: Int64 = 1_000_000_000
    /// Reconnections do not make it be asked more often than this.
    static let distanceNanoseconds: Int64 = 5_000_000_000
    /// The first wait after a failure; it doubles up to the last.
    static let retryNanoseconds: Int64 = 1_000_000_000
    static let retryMaxNanoseconds: Int64 = 60_000_000_000

    /// Nanoseconds between two times; 0: only after failures and reconnections.
    let interval: Int64
    /// When it is due; nil: not until something happens.
    private(set) var due: Int64?
    private var askedAt: Int64?
    private var failures = 0

    init(interval: Int64, isKnown: Bool, now: Int64, chance: Double) {
        self.interval = interval
        if isKnown { succeeded(now: now, chance: chance) } else { failed(now: now, chance: chance) }
    }

    /// It is asked now.
    mutating func asked(now: Int64) {
        askedAt = now
        due = nil
    }

    mutating func succeeded(now: Int64, chance: Double) {
        failures = 0
        due = interval > 0 ? now + RefreshSchedule.spread(interval, chance) : nil
    }

    mutating func failed(now: Int64, chance: Double) {
        let shift = min(failures, 10)
        failures += 1
        let wait = min(
            RefreshSchedule.retryNanoseconds << shift, RefreshSchedule.retryMaxNanoseconds)
        due = now + RefreshSchedule.spread(wait, chance)
    }

    /// A connection came back after all were lost.
    mutating func reconnected(now: Int64, chance: Double) {
        let earliest = askedAt.map { $0 + RefreshSchedule.distanceNanoseconds } ?? now
        let wanted = max(
            earliest, now + RefreshSchedule.spread(RefreshSchedule.reconnectNanoseconds, chance))
        due = min(due ?? .max, wanted)
    }

    /// From four fifths of a time to six.
    private static func spread(_ nanoseconds: Int64, _ chance: Double) -> Int64 {
        nanoseconds / 5 * 4 + Int64(Double(nanoseconds / 5 * 2) * min(max(chance, 0), 1))
    }
}
