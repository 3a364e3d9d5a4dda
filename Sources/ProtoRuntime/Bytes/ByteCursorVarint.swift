/// Wire reads of the hot cursor. None of them checks an end: they may run over it by the length of one
/// varint (10 bytes, inside the slack), and the caller compares `offset` with its limit afterwards.
extension ByteCursor {
    /// Reads a varint; nil when it is longer than ten bytes.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readVarint() -> UInt64? {
        let first = byte
        if first < 128 {
            advance(1)
            return UInt64(first)
        }
        return readLongVarint()
    }

    @usableFromInline
    @_lifetime(self: copy self)
    mutating func readLongVarint() -> UInt64? {
        let word = word()
        let stops = ~word & 0x8080_8080_8080_8080
        if stops == 0 { return readLongestVarint(low: word) }
        let kept = word & (stops ^ (stops &- 1))
        advance((stops.trailingZeroBitCount &+ 1) &>> 3)
        return ByteCursor.joinSevens(kept)
    }

    /// Nine or ten bytes; bits above the 64th are dropped, as every protobuf reader does.
    @usableFromInline
    @_lifetime(self: copy self)
    mutating func readLongestVarint(low: UInt64) -> UInt64? {
        var value = ByteCursor.joinSevens(low)
        let ninth = byte(ahead: 8)
        value |= UInt64(ninth & 127) &<< 56
        if ninth < 128 {
            advance(9)
            return value
        }
        let tenth = byte(ahead: 9)
        guard tenth < 128 else { return nil }
        advance(10)
        return value | UInt64(tenth & 1) &<< 63
    }

    /// Joins the low seven bits of eight bytes to 56 bits.
    @inlinable
    static func joinSevens(_ bytes: UInt64) -> UInt64 {
        var x = bytes & 0x7f7f_7f7f_7f7f_7f7f
        x = (x & 0x007f_007f_007f_007f) | (x & 0x7f00_7f00_7f00_7f00) &>> 1
        x = (x & 0x0000_3fff_0000_3fff) | (x & 0x3fff_0000_3fff_0000) &>> 2
        return (x & 0x0fff_ffff) | (x & 0x0fff_ffff_0000_0000) &>> 4
    }
}
