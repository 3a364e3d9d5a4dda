import ProtoRuntime

/// Bytes and byte classes of HTTP/1.1's grammar.
enum ASCII {
    static let tab: UInt8 = 9
    static let lf: UInt8 = 10
    static let cr: UInt8 = 13
    static let space: UInt8 = 32
    static let colon: UInt8 = 58

    /// Whether a byte may stand in a token (RFC 9110 §5.6.2): one bit for each of the first 128. Constants, since a
    /// table would have to be asked each time whether it has been made.
    static func isTokenByte(_ byte: UInt8) -> Bool {
        let bits = byte < 64 ? tokenBits.low : byte < 128 ? tokenBits.high : 0
        return bits >> UInt64(byte & 63) & 1 != 0
    }

    /// Digits and `!#$%&'*+-.`; letters and `^_` `` ` `` `|~`.
    private static let tokenBits: (low: UInt64, high: UInt64) = (
        0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE
    )

    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Whether a byte may stand in a field value: no control characters but tab.
    static func isFieldValueByte(_ byte: UInt8) -> Bool {
        (byte >= 32 && byte != 127) || byte == tab
    }
}

extension Span<UInt8> {
    /// Index of the first byte from `start` on that may not stand in a token; `count` when there is none.
    func tokenEnd(from start: Int) -> Int {
        var index = start
        while index + 8 <= count {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            // A top bit for each byte that is a letter or a hyphen, as nearly all bytes of names are.
            let lower = (word | 0x2020_2020_2020_2020) & 0x7F7F_7F7F_7F7F_7F7F
            let letters =
                (lower &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(lower &+ 0x0505_0505_0505_0505) & ~word
            let others = word ^ 0x2D2D_2D2D_2D2D_2D2D
            let hyphens = ~((others & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F | others)
            let rest = ~(letters | hyphens) & 0x8080_8080_8080_8080
            index += rest.littleEndian.trailingZeroBitCount / 8
            if rest == 0 { continue }
            guard ASCII.isTokenByte(self[index]) else { return index }
            index += 1
        }
        while index < count, ASCII.isTokenByte(self[index]) { index += 1 }
        return index
    }

    /// Index of the first byte from `start` on that may not stand in a field value; the span ends with one.
    func fieldValueEnd(from start: Int) -> Int {
        var index = start
        while index + 8 <= count {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            // A top bit where a byte is below 32, then where one is 127: eight bytes that have neither pass at once.
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let suspects =
                (word &- 0x2020_2020_2020_2020) & ~word
                | (delete &- 0x0101_0101_0101_0101) & ~delete
            if suspects & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        while ASCII.isFieldValueByte(self[index]) { index += 1 }
        return index
    }
}
