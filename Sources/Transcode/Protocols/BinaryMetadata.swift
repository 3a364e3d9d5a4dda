public import ProtoRuntime

/// The base64 of metadata whose name ends in `-bin`: either alphabet read, padded or not; the standard alphabet
/// written, without padding unless asked for.
public enum BinaryMetadata {
    public struct Malformed: Error, Equatable, Sendable {}

    /// Appends the bytes of one value (values that were joined by commas are split first). On an error the
    /// output is what it was.
    public static func decode(
        _ text: Span<UInt8>, into output: inout OutputBlock
    ) throws(Malformed) {
        let start = output.count
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end == text.count || text.count % 4 == 0, end % 4 != 1 else { throw Malformed() }
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for index in 0..<end {
            let value = Base64.value(UInt32(text[index]))
            guard value < 64 else {
                output.truncate(to: start)
                throw Malformed()
            }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> bitCount))
                bits &= (1 << bitCount) - 1
            }
        }
    }

    /// Whether every one of the values that commas join can be decoded.
    public static func isValidList(_ text: Span<UInt8>) -> Bool {
        var start = 0
        while start <= text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: ",") { end += 1 }
            var from = start
            while from < end, text[from] == UInt8(ascii: " ") { from += 1 }
            guard isValid(text.extracting(from..<end)) else { return false }
            start = end + 1
        }
        return true
    }

    private static func isValid(_ text: Span<UInt8>) -> Bool {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end == text.count || text.count % 4 == 0, end % 4 != 1 else { return false }
        for index in 0..<end where Base64.value(UInt32(text[index])) >= 64 { return false }
        return true
    }

    public static func encode(
        _ bytes: Span<UInt8>, padded: Bool = false, into output: inout OutputBlock
    ) {
        output.reserve((bytes.count + 2) / 3 * 4)
        var index = 0
        while bytes.count - index >= 3 {
            let bits =
                UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
                | UInt32(bytes[index + 2])
            append(Base64.quad(bits), count: 4, &output)
            index += 3
        }
        guard index < bytes.count else { return }
        var bits = UInt32(bytes[index]) << 16
        if bytes.count - index == 2 { bits |= UInt32(bytes[index + 1]) << 8 }
        let count = bytes.count - index + 1
        append(Base64.quad(bits), count: count, &output)
        if padded { append(0x3d3d, count: 4 - count, &output) }
    }

    /// Appends the low bytes of `word`, lowest first.
    private static func append(_ word: UInt64, count: Int, _ output: inout OutputBlock) {
        output.makeRoom(8)
        output.put(word, count: count)
    }
}
