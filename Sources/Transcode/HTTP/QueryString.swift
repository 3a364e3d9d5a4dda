/// Walks the raw bytes behind `?`: `a=1&b&c=%20`. Names and values come out still encoded, as ranges.
///
/// Empty pieces (`a=1&&b=2`) are skipped, as the URL standard's form parser does.
public struct QueryString: ~Escapable {
    /// One `name[=value]`, in offsets of the query.
    public struct Parameter: Equatable, Sendable {
        public var name: Range<Int>
        /// Empty, at the end of the name, when there is no `=`.
        public var value: Range<Int>
        public var hasValue: Bool
        /// There is a `%` or a `+`: decoding changes the name.
        public var isNameCoded = false
        /// The same of the value.
        public var isValueCoded = false

        /// `name=value` as they mean it.
        var isPlain: Bool { hasValue && !isNameCoded && !isValueCoded }
    }

    let query: Span<UInt8>
    var offset = 0

    @_lifetime(copy query)
    public init(_ query: Span<UInt8>) { self.query = query }

    /// The next parameter; nil at the end.
    @_lifetime(self: copy self)
    public mutating func next() -> Parameter? {
        while offset < query.count {
            let start = offset
            var equals = -1
            var codedName = false
            var isCoded = false
            var end = start
            while end < query.count {
                let byte = query[end]
                end &+= 1
                // Letters stand behind all that has a meaning.
                if byte > UInt8(ascii: "=") { continue }
                if byte == UInt8(ascii: "&") {
                    end &-= 1
                    break
                }
                if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") {
                    isCoded = true
                } else if byte == UInt8(ascii: "="), equals < 0 {
                    equals = end &- 1
                    codedName = isCoded
                    isCoded = false
                }
            }
            offset = end + 1
            if end == start { continue }
            guard equals >= 0 else {
                return Parameter(
                    name: start..<end, value: end..<end, hasValue: false, isNameCoded: isCoded)
            }
            return Parameter(
                name: start..<equals, value: equals + 1..<end, hasValue: true,
                isNameCoded: codedName, isValueCoded: isCoded)
        }
        return nil
    }
}
