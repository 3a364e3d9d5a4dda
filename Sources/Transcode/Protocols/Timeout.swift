public import ProtoRuntime

/// The three ways in which a client says how long it will wait, as nanoseconds. Values beyond Int64
/// saturate (292 years); nil means malformed.
public enum Timeout {
    /// `grpc-timeout`: one to eight digits and a unit of `H M S m u n`. Zero is a timeout already over.
    public static func parse(grpc text: Span<UInt8>) -> Int64? {
        guard text.count >= 2, text.count <= 9,
            let value = digits(text.extracting(0..<text.count - 1)),
            let unit = nanoseconds(ofUnit: text[text.count - 1])
        else { return nil }
        return saturated(value, times: unit)
    }

    /// `connect-timeout-ms`: one to ten digits.
    public static func parse(connectMilliseconds text: Span<UInt8>) -> Int64? {
        guard text.count >= 1, text.count <= 10, let value = digits(text) else { return nil }
        return saturated(value, times: 1_000_000)
    }

    /// `x-server-timeout`: seconds as a decimal, `1`, `0.25`, `.5`. What is finer than a nanosecond is
    /// dropped.
    public static func parse(serverSeconds text: Span<UInt8>) -> Int64? {
        guard text.count >= 1, text.count <= 40 else { return nil }
        var seconds: Int64 = 0
        var fraction: Int64 = 0
        var scale: Int64 = 1_000_000_000
        var seenPoint = false
        var digitCount = 0
        for index in text.indices {
            if text[index] == UInt8(ascii: "."), !seenPoint {
                seenPoint = true
                continue
            }
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            digitCount += 1
            if !seenPoint {
                seconds = saturated(saturated(seconds, times: 10), plus: Int64(digit))
            } else if scale > 1 {
                scale /= 10
                fraction += Int64(digit) * scale
            }
        }
        guard digitCount > 0 else { return nil }
        return saturated(saturated(seconds, times: 1_000_000_000), plus: fraction)
    }

    /// Appends what remains as a `grpc-timeout` value: rounded down, in the finest unit that needs at
    /// most eight digits; `0n` when nothing remains.
    public static func formatGRPC(nanoseconds: Int64, into output: inout OutputBlock) {
        guard nanoseconds > 0 else {
            output.append("0n")
            return
        }
        var value = nanoseconds
        var unit = UInt8(ascii: "n")
        if value >= 100_000_000 { (value, unit) = (value / 1000, UInt8(ascii: "u")) }
        if value >= 100_000_000 { (value, unit) = (value / 1000, UInt8(ascii: "m")) }
        if value >= 100_000_000 { (value, unit) = (value / 1000, UInt8(ascii: "S")) }
        if value >= 100_000_000 { (value, unit) = (value / 60, UInt8(ascii: "M")) }
        // Int64's largest value is 153,722,867 minutes: hours always fit.
        if value >= 100_000_000 { (value, unit) = (value / 60, UInt8(ascii: "H")) }
        output.makeRoom(24)
        output.putDecimal(value)
        output.put(unit)
    }

    /// At most ten digits, so that nothing overflows.
    private static func digits(_ text: Span<UInt8>) -> Int64? {
        var value: Int64 = 0
        for index in text.indices {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int64(digit)
        }
        return value
    }

    private static func nanoseconds(ofUnit unit: UInt8) -> Int64? {
        switch unit {
        case UInt8(ascii: "H"): 3_600_000_000_000
        case UInt8(ascii: "M"): 60_000_000_000
        case UInt8(ascii: "S"): 1_000_000_000
        case UInt8(ascii: "m"): 1_000_000
        case UInt8(ascii: "u"): 1_000
        case UInt8(ascii: "n"): 1
        default: nil
        }
    }

    private static func saturated(_ value: Int64, times factor: Int64) -> Int64 {
        let (product, overflow) = value.multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }

    private static func saturated(_ value: Int64, plus other: Int64) -> Int64 {
        let (sum, overflow) = value.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
