import ProtoRuntime

/// Decimal fractions: Clinger's fast path where the mantissa and the power of ten are exact doubles, the C
/// library's correctly rounded conversion otherwise.
extension ByteCursor {
    @_lifetime(self: copy self)
    mutating func readDouble() throws(JSONFault) -> Double {
        let start = offset
        if let value = try readShortDecimal() { return value }
        let value = nearestDouble(at: start)
        guard value.isFinite else { throw .outOfRange }
        return value
    }

    @_lifetime(self: copy self)
    mutating func readFloat() throws(JSONFault) -> Float {
        let start = offset
        if let double = try readShortDecimal() {
            let bits = double.bitPattern
            let isHalfway = bits & 0x1fff_ffff == 0x1000_0000
            let isOrdinary = double == 0 || (abs(double) > 1e-37 && abs(double) < 3.4e38)
            if !isHalfway, isOrdinary { return Float(double) }
        }
        let value = nearestFloat(at: start)
        guard value.isFinite else { throw .outOfRange }
        return value
    }

    /// Reads a number by the grammar, and its value where that is exact in doubles; nil otherwise.
    @_lifetime(self: copy self)
    private mutating func readShortDecimal() throws(JSONFault) -> Double? {
        let isNegative = byte == JSONByte.minus
        if isNegative { advance(1) }
        let first = offset
        var mantissa = readDigits()
        var digits = offset &- first
        guard digits > 0 else { throw .expectedNumber }
        if digits > 1, byte(at: first) == JSONByte.zero { throw .badNumber }
        var scale = 0
        if byte == JSONByte.point {
            advance(1)
            let point = offset
            mantissa = readDigits(behind: mantissa)
            scale = point &- offset
            guard scale < 0 else { throw .badNumber }
            digits &-= scale
        }
        if byte | 0x20 == UInt8(ascii: "e") { scale = scale &+ (try readExponent()) }
        guard digits <= 19, mantissa <= 1 << 53 else { return nil }
        let exact = Double(mantissa)
        let signed = isNegative ? -exact : exact
        if scale == 0 { return signed }
        if scale < 0 {
            guard scale >= -22 else { return mantissa == 0 ? signed : nil }
            return signed / ByteCursor.powerOfTen(0 &- scale)
        }
        guard scale <= 22 else { return mantissa == 0 ? signed : nil }
        return signed * ByteCursor.powerOfTen(scale)
    }

    /// Reads `e`, a sign and digits; the magnitude stops growing where every double has ended.
    @_lifetime(self: copy self)
    private mutating func readExponent() throws(JSONFault) -> Int {
        advance(1)
        let isNegative = byte == JSONByte.minus
        if isNegative || byte == UInt8(ascii: "+") { advance(1) }
        guard byte &- JSONByte.zero <= 9 else { throw .badNumber }
        var value = 0
        while byte &- JSONByte.zero <= 9 {
            if value < 1_000_000_000 { value = value &* 10 &+ Int(byte &- JSONByte.zero) }
            advance(1)
        }
        return isNegative ? 0 &- value : value
    }

    private static func powerOfTen(_ exponent: Int) -> Double { powersOfTen[exponent] }

    private static let powersOfTen: [23 of Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
