/// Comparing raw path bytes with percent-normalised literals.
enum PathBytes {
    /// The hash of a segment as `NameTable.hash` gives it for the normalised literal.
    static func normalizedHash(_ segment: Span<UInt8>) -> UInt32 {
        var hash = NameTable.hashSeed
        var index = 0
        while index < segment.count {
            let (first, second, third, taken) = normalized(segment, at: index)
            hash = NameTable.mix(hash, first)
            if second != 0 {
                hash = NameTable.mix(NameTable.mix(hash, second), third)
            }
            index += taken
        }
        return NameTable.finish(hash)
    }

    /// Whether the segment means the literal `text[offset ..< offset + length]`.
    static func isEqual(
        _ segment: Span<UInt8>, _ text: [UInt8], _ offset: Int, _ length: Int
    ) -> Bool {
        var index = 0
        var matched = 0
        while index < segment.count {
            guard matched < length else { return false }
            let (first, second, third, taken) = normalized(segment, at: index)
            guard text[offset &+ matched] == first else { return false }
            matched += 1
            if second != 0 {
                guard length - matched >= 2, text[offset &+ matched] == second,
                    text[offset &+ matched &+ 1] == third
                else { return false }
                matched += 2
            }
            index += taken
        }
        return matched == length
    }

    /// Where `:verb` begins at the end of `path`, whose last segment starts at `start`; nil when it does
    /// not end so. Goes backwards; an escape is three bytes, of which the first is `%`.
    static func verbStart(
        in path: Span<UInt8>, from start: Int, _ text: [UInt8], _ offset: Int, _ length: Int
    ) -> Int? {
        var index = path.count
        var unmatched = length
        while unmatched > 0 {
            guard index > start else { return nil }
            if index - start >= 3, path[index - 3] == UInt8(ascii: "%") {
                let (first, second, third, _) = normalized(path, at: index - 3)
                if second != 0 {
                    guard unmatched >= 3, text[offset &+ unmatched &- 1] == third,
                        text[offset &+ unmatched &- 2] == second,
                        text[offset &+ unmatched &- 3] == first
                    else { return nil }
                    unmatched -= 3
                } else {
                    guard text[offset &+ unmatched &- 1] == first else { return nil }
                    unmatched -= 1
                }
                index -= 3
            } else {
                guard text[offset &+ unmatched &- 1] == path[index - 1] else { return nil }
                unmatched -= 1
                index -= 1
            }
        }
        guard index > start, path[index - 1] == UInt8(ascii: ":") else { return nil }
        return index - 1
    }

    /// The normalised form of what stands at `index`: one byte, or `%XX` in upper case (then the second is
    /// not 0), and how many raw bytes that takes.
    @inline(__always)
    private static func normalized(
        _ bytes: Span<UInt8>, at index: Int
    ) -> (UInt8, UInt8, UInt8, Int) {
        let byte = bytes[index]
        guard byte == UInt8(ascii: "%"),
            let value = PercentEncoding.escapedByte(in: bytes, at: index)
        else { return (byte, 0, 0, 1) }
        if PercentEncoding.isUnreserved(value) { return (value, 0, 0, 3) }
        return (
            byte, PercentEncoding.hexadecimalDigit(value >> 4),
            PercentEncoding.hexadecimalDigit(value & 15), 3
        )
    }
}
