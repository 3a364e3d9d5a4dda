import ProtoRuntime

/// Bytes that JSON gives a meaning.
enum JSONByte {
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let minus = UInt8(ascii: "-")
    static let zero = UInt8(ascii: "0")
    static let point = UInt8(ascii: ".")
}

/// Pull tokens from sealed text: no tree, no copy but that of a string into its place in the output. Each
/// function starts at its token's first byte and leaves the cursor behind its last one. RFC 8259, strict.
extension ByteCursor {
    /// Skips white space.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func skipSpace() {
        guard byte <= 32 else { return }
        skipSpaces()
    }

    @inline(never)
    @_lifetime(self: copy self)
    private mutating func skipSpaces() {
        while true {
            switch byte {
            case 32:
                // Indentation comes in runs.
                if word() == 0x2020_2020_2020_2020, end &- offset >= 8 {
                    advance(8)
                } else {
                    advance(1)
                }
            case 9, 10, 13: advance(1)
            default: return
            }
        }
    }

    /// Reads `true` or `false`.
    @_lifetime(self: copy self)
    mutating func readBool() throws(JSONFault) -> Bool {
        let word = word()
        if word32 == 0x6575_7274 {
            advance(4)
            return true
        }
        if word & 0xff_ffff_ffff == 0x65_736c_6166 {
            advance(5)
            return false
        }
        throw .expectedBool
    }

    /// Reads `null`.
    @_lifetime(self: copy self)
    mutating func readNull() throws(JSONFault) {
        guard word32 == 0x6c6c_756e else { throw .expectedValue }
        advance(4)
    }

    /// Copies the string whose opening quote was consumed, unescaped, and consumes its closing quote.
    /// `output` has room for what remains of the input.
    @_lifetime(self: copy self)
    mutating func copyString(into output: inout OutputBlock) throws(JSONFault) {
        let start = output.count
        var seen = SIMD16<UInt8>(repeating: 0)
        while true {
            let bytes = vector
            seen |= bytes
            let plain = ByteScan.plainCount(bytes)
            output.put(bytes, count: plain)
            advance(plain)
            if plain == 16 {
                copyPlainPairs(into: &output, &seen)
                continue
            }
            if byte == JSONByte.quote { break }
            try copyEscape(into: &output)
        }
        advance(1)
        if ByteScan.hasHighBit(seen) {
            guard output.holdsUTF8(from: start) else { throw .invalidUTF8 }
        }
    }

    /// Copies plain characters 32 at a time while there are as many.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func copyPlainPairs(
        into output: inout OutputBlock, _ seen: inout SIMD16<UInt8>
    ) {
        while end &- offset >= 32 {
            let first = vector
            let second = vector(ahead: 16)
            guard ByteScan.isPlain(first, second) else { return }
            seen |= first | second
            output.put(first, count: 16)
            output.put(second, count: 16)
            advance(32)
        }
    }

    /// Skips a string whose opening quote was consumed, checking all that `copyString` checks.
    /// Returns whether it had escapes.
    @discardableResult
    @_lifetime(self: copy self)
    mutating func skipString() throws(JSONFault) -> Bool {
        let start = offset
        var seen = SIMD16<UInt8>(repeating: 0)
        var hasEscapes = false
        while true {
            let bytes = vector
            seen |= bytes
            let plain = ByteScan.plainCount(bytes)
            advance(plain)
            if plain == 16 { continue }
            if byte == JSONByte.quote { break }
            hasEscapes = true
            _ = try readEscape()
        }
        if ByteScan.hasHighBit(seen) {
            let stop = offset
            move(to: start)
            guard isUTF8(upTo: stop) else { throw .invalidUTF8 }
            move(to: stop)
        }
        advance(1)
        return hasEscapes
    }
}
