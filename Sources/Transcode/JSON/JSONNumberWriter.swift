import ProtoRuntime

/// Numbers as JSON text.
extension OutputBlock {
    /// Puts decimal digits, at most 20.
    mutating func putDecimal(_ value: UInt64) {
        guard value >= 10 else { return put(UInt8(truncatingIfNeeded: value) &+ JSONByte.zero) }
        guard value < 100_000_000 else { return putLongDecimal(value) }
        let digits = Decimal.eightDigits(value)
        let zeros = digits.trailingZeroBitCount &>> 3
        let text = (digits | Decimal.ascii) &>> UInt64(truncatingIfNeeded: zeros &* 8)
        put(text, count: 8 &- zeros)
    }

    private mutating func putLongDecimal(_ value: UInt64) {
        let high = value / 100_000_000
        putDecimal(high)
        put(Decimal.eightDigits(value &- high &* 100_000_000) | Decimal.ascii, count: 8)
    }

    /// Puts a sign and decimal digits, at most 20 bytes.
    mutating func putDecimal(_ value: Int64) {
        if value < 0 {
            put(JSONByte.minus)
            putDecimal(0 &- UInt64(bitPattern: value))
        } else {
            putDecimal(UInt64(bitPattern: value))
        }
    }

    /// Appends a double: the shortest text that reads back the same; NaN and the infinities as strings.
    mutating func appendNumber(_ value: Double) {
        makeRoom(48)
        let magnitude = abs(value)
        // Seven decimals are enough for most, and then cost no search.
        if magnitude < 400_000_000 {
            let shifted = magnitude * 10_000_000 + Decimal.roundingShift
            if (shifted - Decimal.roundingShift) / 10_000_000 == magnitude {
                putSign(value)
                return putSevenths(shifted.bitPattern & 0xf_ffff_ffff_ffff)
            }
        }
        guard value.isFinite else { return putSpecial(value) }
        if magnitude < 9_007_199_254_740_992, magnitude == magnitude.rounded(.towardZero) {
            putSign(value)
            return putDecimal(UInt64(magnitude))
        }
        appendShortest(value)
    }

    /// The same for a float.
    mutating func appendNumber(_ value: Float) {
        makeRoom(48)
        let magnitude = Double(abs(value))
        if magnitude < 400_000_000 {
            var power = 1.0
            var rest: UInt64 = 10_000_000
            while rest > 0 {
                let shifted = magnitude * power + Decimal.roundingShift
                let nearest = (shifted - Decimal.roundingShift) / power
                let isHalfway = nearest.bitPattern & 0x1fff_ffff == 0x1000_0000
                if Float(nearest) == abs(value), !isHalfway {
                    putSign(Double(value))
                    return putSevenths((shifted.bitPattern & 0xf_ffff_ffff_ffff) &* rest)
                }
                power *= 10
                rest /= 10
            }
        }
        guard value.isFinite else { return putSpecial(Double(value)) }
        appendShortest(value)
    }

    /// Puts a number of ten-millionths, without zeros at its end.
    private mutating func putSevenths(_ value: UInt64) {
        let whole = value / 10_000_000
        putDecimal(whole)
        let fraction = value &- whole &* 10_000_000
        guard fraction > 0 else { return }
        let digits = Decimal.eightDigits(fraction &* 10)
        put(JSONByte.point)
        put(digits | Decimal.ascii, count: 8 &- digits.leadingZeroBitCount &>> 3)
    }

    /// Puts the sign; minus zero gets its fraction, so that no reader takes it for an integer.
    private mutating func putSign(_ value: Double) {
        guard value.sign == .minus else { return }
        put(JSONByte.minus)
        if value == 0 { put(UInt64(0x2e30), count: 2) }
    }

    private mutating func putSpecial(_ value: Double) {
        if value.isNaN {
            put(0x22_4e61_4e22, count: 5)
        } else {
            put(JSONByte.quote)
            if value < 0 { put(JSONByte.minus) }
            put(0x7974_696e_6966_6e49, count: 8)
            put(JSONByte.quote)
        }
    }
}

enum Decimal {
    static let ascii: UInt64 = 0x3030_3030_3030_3030

    /// 2^52: adding it to a double below it leaves the nearest integer in the low bits.
    static let roundingShift: Double = 4_503_599_627_370_496

    /// The eight digits (0...9, the first in the lowest byte) of a number below 10^8.
    static func eightDigits(_ value: UInt64) -> UInt64 {
        let high = value / 10_000
        let fours = high | (value &- high &* 10_000) &<< 32
        let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007f_0000_007f
        let pairs = hundreds | (fours &- hundreds &* 100) &<< 16
        let tens = (pairs &* 103) &>> 10 & 0x000f_000f_000f_000f
        return tens | (pairs &- tens &* 10) &<< 8
    }
}
