import ProtoRuntime

/// google.protobuf.Duration: `"-1.5s"`.
enum DurationText {
    static let secondsMax: Int64 = 315_576_000_000
}

extension ByteCursor {
    /// Reads a duration up to its `s`; nil if it is none or out of range.
    @_lifetime(self: copy self)
    mutating func readDuration() -> SecondsAndNanos? {
        let isNegative = byte == JSONByte.minus
        if isNegative { advance(1) }
        let start = offset
        let seconds = readDigits()
        let count = offset &- start
        guard count > 0, count <= 12, seconds <= UInt64(DurationText.secondsMax) else { return nil }
        var nanos: Int32 = 0
        if byte == JSONByte.point {
            guard let fraction = readNanos() else { return nil }
            nanos = fraction
        }
        guard byte == UInt8(ascii: "s") else { return nil }
        advance(1)
        let whole = Int64(truncatingIfNeeded: seconds)
        guard whole < DurationText.secondsMax || nanos == 0 else { return nil }
        return SecondsAndNanos(
            seconds: isNegative ? 0 &- whole : whole, nanos: isNegative ? 0 &- nanos : nanos)
    }
}
