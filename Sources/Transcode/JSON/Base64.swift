import ProtoRuntime

/// Base64, RFC 4648: both alphabets read (even mixed), padding optional but exact; the standard alphabet
/// with padding written.
extension ByteCursor {
    /// Decodes up to the first byte that is no base64. `output` has room for what remains of the input.
    @_lifetime(self: copy self)
    mutating func readBase64(into output: inout OutputBlock) throws(JSONFault) {
        while true {
            let word = word32
            let first = Base64.value(word)
            let second = Base64.value(word &>> 8)
            let third = Base64.value(word &>> 16)
            let fourth = Base64.value(word &>> 24)
            if (first | second | third | fourth) & 0x80 != 0 {
                return try readLastQuad(first, second, third, into: &output)
            }
            let high = first &<< 2 | second &>> 4
            let middle = (second & 15) &<< 4 | third &>> 2
            let low = (third & 3) &<< 6 | fourth
            output.put(UInt64(high | middle &<< 8 | low &<< 16), count: 3)
            advance(4)
        }
    }

    /// Decodes what is less than four characters, and the padding if there is any.
    @_lifetime(self: copy self)
    private mutating func readLastQuad(
        _ first: UInt32, _ second: UInt32, _ third: UInt32, into output: inout OutputBlock
    ) throws(JSONFault) {
        var padding = 0
        if first & 0x80 != 0 {
            if byte == Base64.pad { throw .badBase64 }
            return
        }
        advance(1)
        guard second & 0x80 == 0 else {
            // One character alone means nothing, but an escape may come next.
            if byte == JSONByte.backslash { return }
            throw .badBase64
        }
        advance(1)
        if third & 0x80 != 0 {
            output.put(UInt64(first &<< 2 | second &>> 4), count: 1)
            padding = 2
        } else {
            advance(1)
            let high = first &<< 2 | second &>> 4
            let low = (second & 15) &<< 4 | third &>> 2
            output.put(UInt64(high | low &<< 8), count: 2)
            padding = 1
        }
        guard byte == Base64.pad else { return }
        for _ in 0..<padding {
            guard byte == Base64.pad else { throw .badBase64 }
            advance(1)
        }
        if byte == Base64.pad { throw .badBase64 }
    }
}

enum Base64 {
    static let pad = UInt8(ascii: "=")

    /// The six bits of the character in the low byte; 128 set where it is none.
    static func value(_ word: UInt32) -> UInt32 {
        UInt32(values[Int(word & 255)])
    }

    /// The four characters, first lowest, of the low 24 bits.
    static func quad(_ bits: UInt32) -> UInt64 {
        let first = UInt64(characters[Int(bits &>> 18 & 63)])
        let second = UInt64(characters[Int(bits &>> 12 & 63)])
        let third = UInt64(characters[Int(bits &>> 6 & 63)])
        let fourth = UInt64(characters[Int(bits & 63)])
        return first | second &<< 8 | third &<< 16 | fourth &<< 24
    }

    private static let characters: [64 of UInt8] = [
        65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80,
        81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 97, 98, 99, 100, 101, 102,
        103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118,
        119, 120, 121, 122, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 43, 47,
    ]

    private static let values: [256 of UInt8] = [
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 62, 128, 62, 128, 63,
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 128, 128, 128, 128, 128, 128,
        128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 128, 128, 128, 128, 63,
        128, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128,
    ]
}
