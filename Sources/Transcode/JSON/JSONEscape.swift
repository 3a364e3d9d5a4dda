import ProtoRuntime

/// What JSON strings have in place of bytes, RFC 8259 §7.
enum JSONEscape {
    /// The sequence of each byte that must be escaped, its first character lowest, its length in the top byte.
    static let sequences: [93 of UInt64] = [
        0x0600_3030_3030_755c, 0x0600_3130_3030_755c, 0x0600_3230_3030_755c, 0x0600_3330_3030_755c,
        0x0600_3430_3030_755c, 0x0600_3530_3030_755c, 0x0600_3630_3030_755c, 0x0600_3730_3030_755c,
        0x0200_0000_0000_625c, 0x0200_0000_0000_745c, 0x0200_0000_0000_6e5c, 0x0600_6230_3030_755c,
        0x0200_0000_0000_665c, 0x0200_0000_0000_725c, 0x0600_6530_3030_755c, 0x0600_6630_3030_755c,
        0x0600_3031_3030_755c, 0x0600_3131_3030_755c, 0x0600_3231_3030_755c, 0x0600_3331_3030_755c,
        0x0600_3431_3030_755c, 0x0600_3531_3030_755c, 0x0600_3631_3030_755c, 0x0600_3731_3030_755c,
        0x0600_3831_3030_755c, 0x0600_3931_3030_755c, 0x0600_6131_3030_755c, 0x0600_6231_3030_755c,
        0x0600_6331_3030_755c, 0x0600_6431_3030_755c, 0x0600_6531_3030_755c, 0x0600_6631_3030_755c,
        0, 0, 0x0200_0000_0000_225c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0x0200_0000_0000_5c5c,
    ]
}

/// Escape sequences, read.
extension ByteCursor {
    /// Copies one escape sequence as UTF-8; anything else that ended a plain run is an error.
    @_lifetime(self: copy self)
    mutating func copyEscape(into output: inout OutputBlock) throws(JSONFault) {
        let scalar = try readEscape()
        switch scalar {
        case 0..<0x80:
            output.put(UInt64(scalar), count: 1)
        case 0x80..<0x800:
            output.put(UInt64(0x80c0 | scalar &>> 6 | (scalar & 63) &<< 8), count: 2)
        case 0x800..<0x1_0000:
            let low = (scalar &>> 6 & 63) &<< 8 | (scalar & 63) &<< 16
            output.put(UInt64(0x80_80e0 | scalar &>> 12 | low), count: 3)
        default:
            let middle = (scalar &>> 12 & 63) &<< 8 | (scalar &>> 6 & 63) &<< 16
            let low = (scalar & 63) &<< 24
            output.put(UInt64(0x8080_80f0 | scalar &>> 18 | middle | low), count: 4)
        }
    }

    /// Reads one escape sequence, a surrogate pair as one, and returns its Unicode scalar.
    @_lifetime(self: copy self)
    mutating func readEscape() throws(JSONFault) -> UInt32 {
        guard byte == JSONByte.backslash else {
            throw isAtEnd ? .unterminatedString : .controlCharacter
        }
        let scalar: UInt32
        switch byte(ahead: 1) {
        case UInt8(ascii: "\""): scalar = 34
        case UInt8(ascii: "\\"): scalar = 92
        case UInt8(ascii: "/"): scalar = 47
        case UInt8(ascii: "b"): scalar = 8
        case UInt8(ascii: "f"): scalar = 12
        case UInt8(ascii: "n"): scalar = 10
        case UInt8(ascii: "r"): scalar = 13
        case UInt8(ascii: "t"): scalar = 9
        case UInt8(ascii: "u"): return try readUnicodeEscape()
        default: throw .badEscape
        }
        advance(2)
        return scalar
    }

    @_lifetime(self: copy self)
    private mutating func readUnicodeEscape() throws(JSONFault) -> UInt32 {
        guard let first = hexDigits(ahead: 2) else { throw .badEscape }
        guard first & 0xf800 == 0xd800 else {
            advance(6)
            return first
        }
        guard first < 0xdc00, byte(ahead: 6) == JSONByte.backslash,
            byte(ahead: 7) == UInt8(ascii: "u"), let second = hexDigits(ahead: 8),
            second & 0xfc00 == 0xdc00
        else { throw .unpairedSurrogate }
        advance(12)
        return 0x1_0000 &+ (first & 0x3ff) &<< 10 &+ (second & 0x3ff)
    }

    /// The value of four hexadecimal digits `ahead` of the cursor; nil when they are none.
    private func hexDigits(ahead: Int) -> UInt32? {
        var value: UInt32 = 0
        for index in 0..<4 {
            let character = byte(ahead: ahead &+ index)
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character &- 48
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character &- 87
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character &- 55
            default: return nil
            }
            value = value &<< 4 | UInt32(digit)
        }
        return value
    }
}
