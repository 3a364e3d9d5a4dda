import ProtoRuntime

/// Numbers as text, read exactly. All start at the number's first byte, accept the grammar of RFC 8259 §6
/// and leave the cursor behind it; what may follow is the caller's to check.
extension ByteCursor {
    /// Reads an integer of the kind (digits, or a form with exponent or zero fraction), in its range, as
    /// the bits that go on the wire.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readInteger(_ kind: FieldKind) throws(JSONFault) -> UInt64 {
        let isNegative = byte == JSONByte.minus
        let magnitude = try readMagnitude(isNegative)
        let isZigZag = kind == .sint32 || kind == .sint64
        // Fits in every kind.
        if magnitude <= 0x7fff_ffff, !isNegative { return isZigZag ? magnitude &<< 1 : magnitude }
        guard magnitude <= ByteCursor.largest(kind, isNegative) else { throw .outOfRange }
        let value = isNegative ? 0 &- magnitude : magnitude
        guard isZigZag else { return value }
        return value &<< 1 ^ UInt64(bitPattern: Int64(bitPattern: value) &>> 63)
    }

    /// The largest magnitude on one side of zero.
    @inline(__always)
    private static func largest(_ kind: FieldKind, _ isNegative: Bool) -> UInt64 {
        switch kind {
        case .int64, .sint64, .sfixed64: 0x7fff_ffff_ffff_ffff &+ (isNegative ? 1 : 0)
        case .uint64, .fixed64: isNegative ? 0 : .max
        case .uint32, .fixed32: isNegative ? 0 : 0xffff_ffff
        default: 0x7fff_ffff &+ (isNegative ? 1 : 0)
        }
    }

    @inline(never)
    @_lifetime(self: copy self)
    mutating func readInt32() throws(JSONFault) -> Int32 {
        Int32(truncatingIfNeeded: try readInteger(.int32))
    }

    /// Reads an integer without its sign, which `isNegative` says to skip.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func readMagnitude(_ isNegative: Bool) throws(JSONFault) -> UInt64 {
        let start = offset
        if isNegative { advance(1) }
        let first = offset
        let value = readDigits()
        let count = offset &- first
        let next = byte
        let isPlain = next != JSONByte.point && next | 0x20 != UInt8(ascii: "e")
        if isPlain, count > 0, count <= 19, count == 1 || !startsWithZero(first) { return value }
        guard count > 0 else { throw .expectedInteger }
        move(to: start)
        return try readExactMagnitude()
    }

    /// Whether the number whose digits start at `first` does so with a zero.
    private func startsWithZero(_ first: Int) -> Bool { byte(at: first) == JSONByte.zero }

    /// Reads digits; the result means nothing after more than 19 of them.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readDigits() -> UInt64 {
        let digits = word() ^ 0x3030_3030_3030_3030
        let others = (digits | (digits &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
        if others == 0 {
            advance(8)
            return readDigits(ByteCursor.joinDigits(digits))
        }
        let zeros = others.trailingZeroBitCount
        advance(zeros &>> 3)
        // The digits move up, zeros in front of them; 7 more bits are those of the byte that is none.
        return ByteCursor.joinDigits(digits &<< UInt64(truncatingIfNeeded: 71 &- zeros))
    }

    /// Reads digits, appending them to `value`; the result means nothing after more than 19 digits.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readDigits(behind value: UInt64) -> UInt64 {
        let digits = word() ^ 0x3030_3030_3030_3030
        let others = (digits | (digits &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
        let count = others.trailingZeroBitCount &>> 3
        guard count > 0, count < 8 else { return readDigits(value) }
        advance(count)
        let moved = digits &<< UInt64(truncatingIfNeeded: 64 &- count &* 8)
        return value &* ByteCursor.tens[count] &+ ByteCursor.joinDigits(moved)
    }

    /// The same for any number of digits.
    @_lifetime(self: copy self)
    private mutating func readDigits(_ value: UInt64) -> UInt64 {
        var value = value
        while true {
            let digits = word() ^ 0x3030_3030_3030_3030
            let others = (digits | (digits &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
            if others == 0 {
                value = value &* 100_000_000 &+ ByteCursor.joinDigits(digits)
                advance(8)
                continue
            }
            let count = others.trailingZeroBitCount &>> 3
            if count == 0 { return value }
            let moved = digits &<< UInt64(truncatingIfNeeded: 64 &- count &* 8)
            advance(count)
            return value &* ByteCursor.tens[count] &+ ByteCursor.joinDigits(moved)
        }
    }

    /// The number that eight digits (0...9, the first lowest) form.
    @inline(__always)
    private static func joinDigits(_ digits: UInt64) -> UInt64 {
        let pairs = digits &* 10 &+ digits &>> 8
        let mask: UInt64 = 0x0000_00ff_0000_00ff
        let outer = (pairs & mask) &* 0x000f_4240_0000_0064
        let inner = (pairs &>> 16 & mask) &* 0x0000_2710_0000_0001
        return (outer &+ inner) &>> 32
    }

    private static let tens: [8 of UInt64] = [
        1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000,
    ]
}
