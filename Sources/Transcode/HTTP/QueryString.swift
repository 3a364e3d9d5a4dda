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
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") {
                if equals < 0, query[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            offset = end + 1
            if end == start { continue }
            if equals < 0 {
                return Parameter(name: start..<end, value: end..<end, hasValue: false)
            }
            return Parameter(name: start..<equals, value: equals + 1..<end, hasValue: true)
        }
        return nil
    }
}
