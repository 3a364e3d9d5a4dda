import ProtoRuntime

/// Strings and literals of JSON, appended. Functions named `put` need the room that they state.
extension OutputBlock {
    /// Puts the `count` wire bytes at the cursor as a JSON string, escaping what must be. Makes its own
    /// room. The bytes must be UTF-8; they are checked where a high bit was seen.
    mutating func appendQuoted(_ input: inout ByteCursor, count: Int) throws(JSONFault) {
        makeRoom(count &+ 80)
        put(JSONByte.quote)
        let start = input.offset
        let stop = start &+ count
        var seen = SIMD16<UInt8>(repeating: 0)
        while stop &- input.offset >= 16 {
            let bytes = input.vector
            seen |= bytes
            let plain = ByteScan.plainCount(bytes)
            put(bytes, count: plain)
            input.advance(plain)
            if plain < 16 {
                appendEscaped(&input, left: stop &- input.offset)
            } else {
                putPlainPairs(&input, upTo: stop, &seen)
            }
        }
        while input.offset < stop {
            let left = stop &- input.offset
            let bytes = input.vector
            // What lies behind the string is not its own.
            seen |= ByteScan.first(left, of: bytes)
            let plain = min(ByteScan.plainCount(bytes), left)
            put(bytes, count: plain)
            input.advance(plain)
            if plain < left { appendEscaped(&input, left: left) }
        }
        put(JSONByte.quote)
        if ByteScan.hasHighBit(seen) {
            input.move(to: start)
            guard input.isUTF8(upTo: stop) else { throw .invalidUTF8 }
        }
    }

    /// Puts plain characters 32 at a time while there are as many; there is room for them.
    @inline(__always)
    private mutating func putPlainPairs(
        _ input: inout ByteCursor, upTo stop: Int, _ seen: inout SIMD16<UInt8>
    ) {
        while stop &- input.offset >= 32 {
            let first = input.vector
            let second = input.vector(ahead: 16)
            guard ByteScan.isPlain(first, second) else { return }
            seen |= first | second
            put(first, count: 16)
            put(second, count: 16)
            input.advance(32)
        }
    }

    /// Puts an escape sequence for the byte at the cursor, six bytes at most, and makes room for the rest of the string.
    @inline(__always)
    private mutating func appendEscaped(_ input: inout ByteCursor, left: Int) {
        let escape = JSONEscape.sequences[Int(input.byte)]
        put(escape, count: Int(truncatingIfNeeded: escape &>> 56))
        input.advance(1)
        makeRoom(left &+ 80)
    }

    /// Puts `true` or `false`.
    mutating func putBool(_ value: Bool) {
        if value { put(0x6575_7274, count: 4) } else { put(0x65_736c_6166, count: 5) }
    }

    /// Puts `null`.
    mutating func putNull() { put(0x6c6c_756e, count: 4) }

    /// Appends `count` bytes at the cursor as base64 in quotes.
    mutating func appendBase64(_ input: inout ByteCursor, count: Int) {
        makeRoom(count &+ count / 3 &+ 80)
        put(JSONByte.quote)
        var left = count
        while left >= 12 {
            put(Base64.characters(input.word(), input.word(ahead: 6)), count: 16)
            input.advance(12)
            left &-= 12
        }
        if left > 0 {
            let bytes = ByteScan.first(left, of: input.vector)
            let words = ByteScan.words(bytes)
            let second = words[0] &>> 48 | words[1] &<< 16
            let quads = (left &+ 2) / 3
            put(Base64.characters(words[0], second), count: quads &* 4)
            for back in 0..<quads &* 3 &- left {
                overwrite(at: self.count &- 1 &- back, with: Base64.pad)
            }
            input.advance(left)
        }
        put(JSONByte.quote)
    }
}
