import ProtoRuntime

/// UTF-8 well-formedness, Unicode table 3-7. Called only where a high bit was seen.
extension ByteCursor {
    /// Whether the bytes from the cursor up to `stop` are well formed; moves the cursor.
    @_lifetime(self: copy self)
    mutating func isUTF8(upTo stop: Int) -> Bool {
        while offset < stop {
            let left = stop &- offset
            var high = word() & 0x8080_8080_8080_8080
            // What lies behind the text is not its own.
            if left < 8 { high &= (1 &<< UInt64(truncatingIfNeeded: left &* 8)) &- 1 }
            if high == 0 {
                advance(min(left, 8))
                continue
            }
            advance(high.trailingZeroBitCount &>> 3)
            let length = sequenceLength(word32)
            guard length > 0, length <= stop &- offset else { return false }
            advance(length)
        }
        return true
    }

    /// Length of the multi-byte sequence in the low bytes of `word`; 0 when it is malformed.
    private func sequenceLength(_ word: UInt32) -> Int {
        if word & 0xc0e0 == 0x80c0 {
            return word & 0x1e != 0 ? 2 : 0
        }
        if word & 0xc0c0f0 == 0x8080e0 {
            let isOverlong = word & 0x200f == 0
            let isSurrogate = word & 0x200f == 0x200d
            return isOverlong || isSurrogate ? 0 : 3
        }
        if word & 0xc0c0_c0f8 == 0x8080_80f0 {
            let scalarTop = (word & 7) &<< 2 | word &>> 12 & 3
            return scalarTop >= 1 && scalarTop <= 16 ? 4 : 0
        }
        return 0
    }
}

extension OutputBlock {
    /// Whether the bytes from `start` on are well-formed UTF-8.
    func holdsUTF8(from start: Int) -> Bool {
        var cursor = ByteCursor(self, in: start..<count)
        return cursor.isUTF8(upTo: count)
    }
}
