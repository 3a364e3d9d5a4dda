public import ProtoRuntime

/// RFC 3986 percent-coding, decoded in one pass: what comes out is never decoded again.
public enum PercentEncoding {
    /// Which escapes a path capture loses; the rest stays as it was sent.
    public enum Unescape: Sendable {
        /// Every escape: single-segment captures, query names and values.
        case all
        /// Every escape but `%2F`: multi-segment captures.
        case exceptSlash
        /// Only those of characters that RFC 6570 does not reserve.
        case exceptReserved
    }

    public enum Problem: Error, Equatable, Sendable {
        /// `%` without two hexadecimal digits behind it, at this offset.
        case malformed(at: Int)
    }

    /// Appends the decoded bytes. `plusIsSpace` is the query string's rule. On an error the output is
    /// what it was.
    public static func decode(
        _ text: Span<UInt8>, _ unescape: Unescape = .all, plusIsSpace: Bool = false,
        into output: inout OutputBlock
    ) throws(Problem) {
        let start = output.count
        output.reserve(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte != UInt8(ascii: "%") {
                let isSpace = plusIsSpace && byte == UInt8(ascii: "+")
                output.put(isSpace ? UInt8(ascii: " ") : byte)
                index &+= 1
                continue
            }
            guard let value = escapedByte(in: text, at: index) else {
                output.truncate(to: start)
                throw .malformed(at: index)
            }
            if keeps(value, unescape) {
                for kept in index..<index + 3 { output.put(text[kept]) }
            } else {
                output.put(value)
            }
            index += 3
        }
    }

    /// Whether decoding could change anything.
    static func isCoded(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where text[index] == UInt8(ascii: "%") { return true }
        return false
    }

    /// The byte that the escape starting at `index` stands for; nil when the escape is malformed.
    @inlinable
    public static func escapedByte(in text: Span<UInt8>, at index: Int) -> UInt8? {
        guard text.count - index >= 3,
            let high = hexadecimalValue(text[index + 1]),
            let low = hexadecimalValue(text[index + 2])
        else { return nil }
        return high << 4 | low
    }

    @inlinable
    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte &- UInt8(ascii: "A") &+ 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
        default: nil
        }
    }

    /// Appends `%XX` in upper case.
    public static func appendEscape(of byte: UInt8, into output: inout OutputBlock) {
        output.append(UInt8(ascii: "%"))
        output.append(hexadecimalDigit(byte >> 4))
        output.append(hexadecimalDigit(byte & 15))
    }

    /// The upper-case digit of a value below 16.
    @inlinable
    static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "A") &+ value &- 10
    }

    /// RFC 3986 §2.3: the characters whose escapes mean the same as themselves.
    @inlinable
    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// RFC 3986 §2.2, which RFC 6570 calls reserved.
    static func isReserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "&"),
            UInt8(ascii: "'")...UInt8(ascii: ","), UInt8(ascii: "/"), UInt8(ascii: ":"),
            UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "?"), UInt8(ascii: "@"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    private static func keeps(_ value: UInt8, _ unescape: Unescape) -> Bool {
        switch unescape {
        case .all: false
        case .exceptSlash: value == UInt8(ascii: "/")
        case .exceptReserved: isReserved(value)
        }
    }
}
