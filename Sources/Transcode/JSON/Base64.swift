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

    /// The four characters, first lowest, of the low 24 bits, first byte highest.
    static func quad(_ bits: UInt32) -> UInt64 {
        ByteScan.words(characters(UInt64(bits.byteSwapped &>> 8), 0))[0] & 0xffff_ffff
    }

    /// The sixteen characters of twelve bytes, six of them in the low bytes of each word.
    @inline(__always)
    static func characters(_ first: UInt64, _ second: UInt64) -> SIMD16<UInt8> {
        let words = SIMD2<UInt64>(sixes(first), sixes(second))
        let values = ByteScan.signed(ByteScan.bytes(words))
        // Where each of the ranges A–Z, a–z, 0–9, + and / begins, the distance to the characters changes.
        var text = values &+ SIMD16<Int8>(repeating: 65)
        text &+= step(values, from: 26, by: 6)
        text &+= step(values, from: 52, by: -75)
        text &+= step(values, from: 62, by: -15)
        text &+= step(values, from: 63, by: 3)
        return ByteScan.bytes(text)
    }

    /// `change` for each value that is `first` or more, 0 for the others.
    @inline(__always)
    private static func step(
        _ values: SIMD16<Int8>, from first: Int8, by change: Int8
    ) -> SIMD16<Int8> {
        // From `first` on the sum is negative, and its sign then fills the byte.
        let sums = values &+ SIMD16<Int8>(repeating: .min &- first)
        return sums &>> SIMD16<Int8>(repeating: 7) & SIMD16<Int8>(repeating: change)
    }

    /// The bits of six bytes, the first of them lowest, in groups of six, one a byte, the first lowest.
    @inline(__always)
    private static func sixes(_ bytes: UInt64) -> UInt64 {
        let bits = bytes.byteSwapped &>> 16
        let halves = bits &>> 24 | (bits & 0xff_ffff) &<< 32
        let mask: UInt64 = 0x0000_0fff_0000_0fff
        let twelves = halves &>> 12 & mask | (halves & mask) &<< 16
        let low: UInt64 = 0x003f_003f_003f_003f
        return twelves &>> 6 & low | (twelves & low) &<< 8
    }

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
