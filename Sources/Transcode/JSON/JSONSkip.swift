import ProtoRuntime

/// Skips values that nothing wants, checking them as strictly as those that are read.
extension ByteCursor {
    /// Skips one value; `depth` levels are open around it.
    @_lifetime(self: copy self)
    mutating func skipValue(depth: Int) throws(JSONFault) {
        switch byte {
        case JSONByte.quote:
            advance(1)
            try skipString()
        case JSONByte.openBrace: try skipObject(depth: depth &+ 1)
        case JSONByte.openBracket: try skipArray(depth: depth &+ 1)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            do { _ = try readBool() } catch { throw .expectedValue }
        case UInt8(ascii: "n"): try readNull()
        case JSONByte.minus, UInt8(ascii: "0")...UInt8(ascii: "9"): try skipNumber()
        default: throw .expectedValue
        }
    }

    @_lifetime(self: copy self)
    private mutating func skipObject(depth: Int) throws(JSONFault) {
        guard depth <= JSONLimits.depth else { throw .tooDeep }
        advance(1)
        skipSpace()
        if byte == JSONByte.closeBrace {
            advance(1)
            return
        }
        while true {
            guard byte == JSONByte.quote else { throw .expectedName }
            advance(1)
            try skipString()
            try readColon()
            try skipValue(depth: depth)
            skipSpace()
            if byte == JSONByte.comma {
                advance(1)
                skipSpace()
                continue
            }
            guard byte == JSONByte.closeBrace else { throw .expectedCommaOrBrace }
            advance(1)
            return
        }
    }

    @_lifetime(self: copy self)
    private mutating func skipArray(depth: Int) throws(JSONFault) {
        guard depth <= JSONLimits.depth else { throw .tooDeep }
        advance(1)
        skipSpace()
        if byte == JSONByte.closeBracket {
            advance(1)
            return
        }
        while true {
            try skipValue(depth: depth)
            skipSpace()
            if byte == JSONByte.comma {
                advance(1)
                skipSpace()
                continue
            }
            guard byte == JSONByte.closeBracket else { throw .expectedCommaOrBracket }
            advance(1)
            return
        }
    }

    /// Reads the colon between a name and its value, and the white space around it.
    @_lifetime(self: copy self)
    mutating func readColon() throws(JSONFault) {
        skipSpace()
        guard byte == JSONByte.colon else { throw .expectedColon }
        advance(1)
        skipSpace()
    }

    /// Skips a number by the grammar alone.
    @_lifetime(self: copy self)
    mutating func skipNumber() throws(JSONFault) {
        if byte == JSONByte.minus { advance(1) }
        if byte == JSONByte.zero {
            advance(1)
            if byte &- JSONByte.zero <= 9 { throw .badNumber }
        } else {
            try skipDigits()
        }
        if byte == JSONByte.point {
            advance(1)
            try skipDigits()
        }
        if byte | 0x20 == UInt8(ascii: "e") {
            advance(1)
            if byte == UInt8(ascii: "+") || byte == JSONByte.minus { advance(1) }
            try skipDigits()
        }
    }

    @_lifetime(self: copy self)
    private mutating func skipDigits() throws(JSONFault) {
        guard byte &- JSONByte.zero <= 9 else { throw .badNumber }
        repeat { advance(1) } while byte &- JSONByte.zero <= 9
    }
}
