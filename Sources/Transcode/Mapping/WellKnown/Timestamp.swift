import ProtoRuntime

/// google.protobuf.Timestamp: `"2026-11-22T13:24:05.123456789Z"`, RFC 3339.
enum Timestamp {
    static let secondsMin: Int64 = -62_135_596_800
    static let secondsMax: Int64 = 253_402_300_799
}

extension ByteCursor {
    /// Reads a timestamp up to its last character; nil if it is none or out of range.
    @_lifetime(self: copy self)
    mutating func readTimestamp() -> SecondsAndNanos? {
        // "YYYY-MM-DDTHH:MM:SS": three words that overlap, 4 + 2 + 2 digits in each place.
        guard let century = twoDigits(0), let year = twoDigits(2), byte(ahead: 4) == 45,
            let month = twoDigits(5), byte(ahead: 7) == 45, let day = twoDigits(8),
            byte(ahead: 10) == UInt8(ascii: "T")
        else { return nil }
        let date = CivilDate(year: century &* 100 &+ year, month: month, day: day)
        guard date.isValid else { return nil }
        advance(11)
        guard let hour = twoDigits(0), byte(ahead: 2) == 58, let minute = twoDigits(3),
            byte(ahead: 5) == 58, let second = twoDigits(6), hour < 24, minute < 60, second < 60
        else { return nil }
        advance(8)
        var nanos: Int32 = 0
        if byte == JSONByte.point {
            guard let fraction = readNanos() else { return nil }
            nanos = fraction
        }
        guard let offset = readZone() else { return nil }
        let seconds = date.days &* 86_400 &+ hour &* 3_600 &+ minute &* 60 &+ second &- offset
        guard seconds >= Timestamp.secondsMin, seconds <= Timestamp.secondsMax else { return nil }
        return SecondsAndNanos(seconds: seconds, nanos: nanos)
    }

    /// Reads `Z` or `±HH:MM` and returns the seconds that local time is ahead.
    @_lifetime(self: copy self)
    private mutating func readZone() -> Int64? {
        let sign = byte
        if sign == UInt8(ascii: "Z") {
            advance(1)
            return 0
        }
        guard sign == UInt8(ascii: "+") || sign == JSONByte.minus, let hours = twoDigits(1),
            byte(ahead: 3) == 58, let minutes = twoDigits(4), hours < 24, minutes < 60
        else { return nil }
        advance(6)
        let seconds = hours &* 3_600 &+ minutes &* 60
        return sign == JSONByte.minus ? 0 &- seconds : seconds
    }

    /// Reads a point and one to nine digits as nanoseconds.
    @_lifetime(self: copy self)
    mutating func readNanos() -> Int32? {
        advance(1)
        var value: Int32 = 0
        var count = 0
        while byte &- JSONByte.zero <= 9 {
            guard count < 9 else { return nil }
            value = value &* 10 &+ Int32(byte &- JSONByte.zero)
            count &+= 1
            advance(1)
        }
        guard count > 0 else { return nil }
        for _ in count..<9 { value = value &* 10 }
        return value
    }

    private func twoDigits(_ ahead: Int) -> Int64? {
        let high = byte(ahead: ahead) &- JSONByte.zero
        let low = byte(ahead: ahead &+ 1) &- JSONByte.zero
        guard high <= 9, low <= 9 else { return nil }
        return Int64(high &* 10 &+ low)
    }
}
