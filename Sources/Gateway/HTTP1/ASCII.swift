import ProtoRuntime

/// Bytes and byte classes of HTTP/1.1's grammar.
enum ASCII {
    static let tab: UInt8 = 9
    static let lf: UInt8 = 10
    static let cr: UInt8 = 13
    static let space: UInt8 = 32
    static let colon: UInt8 = 58

    /// For every byte: 0 when it may not stand in a token (RFC 9110 §5.6.2), else its lower-case form.
    static let tokenLower: InlineArray<256, UInt8> = InlineArray { index in
        let byte = UInt8(truncatingIfNeeded: index)
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte + 32
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return byte
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"),
            UInt8(ascii: "~"):
            return byte
        default: return 0
        }
    }

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
    /// Index of the first `byte` in `from..<to`, or nil.
    func firstIndex(of byte: UInt8, from: Int, to: Int) -> Int? {
        var index = from
        while index < to {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// Compares with lower-case `text`, ignoring the case of ASCII letters.
    func isEqualIgnoringCase(to text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = self[index]
            let lower = byte >= 65 && byte <= 90 ? byte | 32 : byte
            guard unsafe lower == text.utf8Start[index] else { return false }
        }
        return true
    }
}
