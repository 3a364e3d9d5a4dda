import ProtoRuntime

/// Walks the items of an `Accept…` field and their weights: `gzip;q=0.5, br` (RFC 9110 §12.4.2).
struct AcceptList: ~Escapable {
    struct Item: Equatable {
        /// The item without its parameters, as a range of the text.
        var name: Range<Int>
        /// Thousandths: 1000 where nothing is said; 0 means "not acceptable", and is what a weight that cannot be
        /// read counts as.
        var quality: Int
    }

    let text: Span<UInt8>
    private var offset = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    /// The next item that has a name; nil at the end.
    @_lifetime(self: copy self)
    mutating func next() -> Item? {
        while offset < text.count {
            let start = offset
            var end = start
            while end < text.count, text[end] != UInt8(ascii: ",") { end += 1 }
            offset = end + 1
            var nameEnd = start
            while nameEnd < end, text[nameEnd] != UInt8(ascii: ";") { nameEnd += 1 }
            let name = trimmed(start..<nameEnd)
            guard !name.isEmpty else { continue }
            return Item(name: name, quality: quality(in: nameEnd..<end))
        }
        return nil
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, text[start] == 32 || text[start] == 9 { start += 1 }
        while end > start, text[end - 1] == 32 || text[end - 1] == 9 { end -= 1 }
        return start..<end
    }

    /// The weight among the parameters, each behind its semicolon.
    private func quality(in parameters: Range<Int>) -> Int {
        var start = parameters.lowerBound
        while start < parameters.upperBound {
            var end = start + 1
            while end < parameters.upperBound, text[end] != UInt8(ascii: ";") { end += 1 }
            let parameter = trimmed(start + 1..<end)
            if parameter.count >= 2, text[parameter.lowerBound] | 32 == UInt8(ascii: "q"),
                text[parameter.lowerBound + 1] == UInt8(ascii: "=")
            {
                return thousandths(parameter.lowerBound + 2..<parameter.upperBound)
            }
            start = end
        }
        return 1000
    }

    /// `0`, `0.5`, `1.000`: at most three decimals.
    private func thousandths(_ digits: Range<Int>) -> Int {
        guard digits.count >= 1, digits.count <= 5,
            digits.count == 1 || text[digits.lowerBound + 1] == 46
        else { return 0 }
        var value = 0
        var scale = 1000
        for index in digits where index != digits.lowerBound + 1 {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return 0 }
            value += Int(digit) * scale
            scale /= 10
        }
        return value <= 1000 ? value : 0
    }
}
