import ProtoRuntime

/// Integers written with a fraction, an exponent or many digits: `1e5`, `100000.000`, `0.5e1`. Exact, and
/// without memory however long the text is.
extension ByteCursor {
    /// Reads a number (its sign is skipped) and returns its magnitude.
    @_lifetime(self: copy self)
    mutating func readExactMagnitude() throws(JSONFault) -> UInt64 {
        let start = offset
        try skipNumber()
        let stop = offset
        move(to: start)
        defer { move(to: stop) }
        let shape = numberShape(upTo: stop)
        guard shape.significant > 0 else { return 0 }
        guard shape.scale >= 0 else { throw .notInteger }
        guard shape.significant + shape.scale <= 20 else { throw .outOfRange }
        var value: UInt64 = 0
        var taken = 0
        var started = false
        while taken < shape.significant {
            let digit = byte &- JSONByte.zero
            advance(1)
            guard digit <= 9 else { continue }
            started = started || digit != 0
            guard started else { continue }
            taken += 1
            value = try ByteCursor.appending(UInt64(digit), to: value)
        }
        for _ in 0..<shape.scale { value = try ByteCursor.appending(0, to: value) }
        return value
    }

    private static func appending(_ digit: UInt64, to value: UInt64) throws(JSONFault) -> UInt64 {
        let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tenfold.addingReportingOverflow(digit)
        guard !overflow, !carry else { throw .outOfRange }
        return sum
    }

    /// How many digits count between the first and the last that are not zero, and by which power of ten
    /// the number they form is to be multiplied.
    private func numberShape(upTo stop: Int) -> (significant: Int, scale: Int) {
        var probe = self
        var significant = 0
        var zeros = 0
        var fraction = 0
        var isFraction = false
        while probe.offset < stop {
            let character = probe.byte
            if character | 0x20 == UInt8(ascii: "e") { break }
            probe.advance(1)
            if character == JSONByte.point { isFraction = true }
            let digit = character &- JSONByte.zero
            guard digit <= 9 else { continue }
            if isFraction { fraction += 1 }
            if digit != 0 {
                significant += zeros + 1
                zeros = 0
            } else if significant > 0 {
                zeros += 1
            }
        }
        let exponent = probe.exponent(upTo: stop)
        return (significant, exponent - fraction + zeros)
    }

    /// The exponent at the cursor, 0 if there is none; its magnitude stops growing at 10^12.
    private func exponent(upTo stop: Int) -> Int {
        var probe = self
        guard probe.offset < stop else { return 0 }
        probe.advance(1)
        let isNegative = probe.byte == JSONByte.minus
        var value = 0
        while probe.offset < stop {
            let digit = probe.byte &- JSONByte.zero
            if digit <= 9, value < 100_000_000_000 { value = value * 10 + Int(digit) }
            probe.advance(1)
        }
        return isNegative ? -value : value
    }
}
