/// Keeps who attacks by handshakes from filling the log: so many lines a second, then a count. Pure.
struct HandshakeLog: Equatable {
    static let linesPerSecond = 20
    static let secondNanoseconds: Int64 = 1_000_000_000

    private var windowStart = Int64.min
    private var lines = 0
    private var dropped = 0

    /// Whether a line may be written at `now` (monotonic nanoseconds), and how many were not since the last one.
    mutating func admit(now: Int64) -> (isAdmitted: Bool, dropped: Int) {
        if windowStart == .min || now - windowStart >= HandshakeLog.secondNanoseconds {
            windowStart = now
            lines = 0
        }
        guard lines < HandshakeLog.linesPerSecond else {
            dropped += 1
            return (false, 0)
        }
        lines += 1
        defer { dropped = 0 }
        return (true, dropped)
    }
}
