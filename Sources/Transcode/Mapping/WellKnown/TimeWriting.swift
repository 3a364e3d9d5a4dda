import ProtoRuntime

/// Timestamps and durations as JSON strings.
extension OutputBlock {
    /// Appends `"2026-11-22T13:24:05.5Z"`; false if the timestamp is out of range.
    mutating func appendTimestamp(_ time: SecondsAndNanos) -> Bool {
        guard time.seconds >= Timestamp.secondsMin, time.seconds <= Timestamp.secondsMax,
            time.nanos >= 0, time.nanos <= 999_999_999
        else { return false }
        makeRoom(64)
        // From 0001-01-01 on everything is positive.
        let seconds = UInt64(bitPattern: time.seconds &- Timestamp.secondsMin)
        let wholeDays = seconds / 86_400
        let rest = seconds &- wholeDays &* 86_400
        let days = Int64(bitPattern: wholeDays) &+ Timestamp.secondsMin / 86_400
        let date = CivilDate(days: days)
        let day = UInt64(bitPattern: date.year &* 10_000 &+ date.month &* 100 &+ date.day)
        let minutes = rest / 60
        let hours = minutes / 60
        let clock = hours &* 10_000 &+ (minutes &- hours &* 60) &* 100 &+ (rest &- minutes &* 60)
        // YYYYMMDD and 00HHMMSS, the first digit lowest, spread over `"YYYY-MM`, `-DDTHH:M` and `M:SS`.
        let dayDigits = Decimal.eightDigits(day) | Decimal.ascii
        let clockDigits = Decimal.eightDigits(clock) | Decimal.ascii
        let yearAndMonth = (dayDigits & 0xffff_ffff) &<< 8 | (dayDigits &>> 32) &<< 48
        put(yearAndMonth | 0x0000_2d00_0000_0022, count: 8)
        let dayAndHour = (dayDigits &>> 48) &<< 8 | (clockDigits &>> 16 & 0xffff) &<< 32
        put(dayAndHour | 0x003a_0000_5400_002d | (clockDigits &>> 32) &<< 56, count: 8)
        put(clockDigits &>> 40 & 0xff | 0x3a00 | (clockDigits &>> 48) &<< 16, count: 4)
        putFraction(UInt64(time.nanos.magnitude))
        put(0x225a, count: 2)
        return true
    }

    /// Appends `"-1.5s"`; false if the duration is out of range or its signs differ.
    mutating func appendDuration(_ time: SecondsAndNanos) -> Bool {
        let seconds = time.seconds
        let nanos = time.nanos
        guard seconds >= 0 - DurationText.secondsMax, seconds <= DurationText.secondsMax,
            nanos >= -999_999_999, nanos <= 999_999_999,
            !(seconds > 0 && nanos < 0), !(seconds < 0 && nanos > 0),
            !(seconds.magnitude == UInt64(DurationText.secondsMax) && nanos != 0)
        else { return false }
        makeRoom(64)
        put(JSONByte.quote)
        if seconds < 0 || nanos < 0 { put(JSONByte.minus) }
        putDecimal(seconds.magnitude)
        putFraction(UInt64(nanos.magnitude))
        put(0x2273, count: 2)
        return true
    }

    /// Puts nanoseconds as a fraction of 0, 3, 6 or 9 digits.
    private mutating func putFraction(_ nanos: UInt64) {
        guard nanos > 0 else { return }
        put(JSONByte.point)
        let millis = nanos / 1_000_000
        put(Decimal.eightDigits(millis) &>> 40 | 0x30_3030, count: 3)
        let rest = nanos &- millis &* 1_000_000
        guard rest > 0 else { return }
        let micros = rest / 1_000
        put(Decimal.eightDigits(micros) &>> 40 | 0x30_3030, count: 3)
        let last = rest &- micros &* 1_000
        guard last > 0 else { return }
        put(Decimal.eightDigits(last) &>> 40 | 0x30_3030, count: 3)
    }
}
