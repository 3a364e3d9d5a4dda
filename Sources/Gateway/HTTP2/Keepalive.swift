/// When a connection of HTTP/2 is asked whether its peer still lives, and when it counts as dead (SEMANTICS g.7).
/// Pure: the caller brings the time, in nanoseconds of one monotonic clock.
///
///     something read ──time──▶ PING ──timeout, nothing read──▶ dead
///
/// Whatever is read is a sign of life, not the answer to the PING alone.
struct Keepalive: Equatable {
    enum Action: Equatable {
        /// Nothing to do before that instant.
        case wait(until: Int64)
        case ping
        case dead
    }

    /// Nanoseconds in which nothing was read before a PING is sent; nil: never.
    let time: Int64?
    /// Nanoseconds after a PING in which something must be read.
    let timeout: Int64
    private var pingedAt: Int64?

    init(time: Int64?, timeout: Int64) {
        self.time = time
        self.timeout = timeout
    }

    /// What is to be done at `now`, when the last byte came at `lastRead`.
    /// - Parameter isNeeded: calls are in flight. Without one nobody waits for the peer.
    mutating func check(now: Int64, lastRead: Int64, isNeeded: Bool) -> Action {
        guard let time, isNeeded else {
            pingedAt = nil
            return .wait(until: .max)
        }
        if let pinged = pingedAt, lastRead < pinged {
            let end = Keepalive.sum(pinged, timeout)
            return now >= end ? .dead : .wait(until: end)
        }
        pingedAt = nil
        let due = Keepalive.sum(lastRead, time)
        guard now >= due else { return .wait(until: due) }
        pingedAt = now
        return .ping
    }

    private static func sum(_ instant: Int64, _ nanoseconds: Int64) -> Int64 {
        let sum = instant.addingReportingOverflow(nanoseconds)
        return sum.overflow ? .max : sum.partialValue
    }
}
