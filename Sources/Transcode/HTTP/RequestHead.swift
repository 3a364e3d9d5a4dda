import ProtoRuntime

/// The versions of HTTP that a client may speak.
public enum HTTPVersion: UInt8, Sendable, BitwiseCopyable {
    case http10, http11, http2
}

/// The head of a request in the form that every later stage reads, whatever HTTP version brought it.
///
/// Owned and reused by the connection or stream that received it.
public struct RequestHead: ~Copyable {
    /// The longest method name that is accepted.
    public static let methodBytesMax = 32

    public var version = HTTPVersion.http11
    /// Fields in order; HTTP/2's pseudo-fields are not among them, `host` is.
    public var fields = Fields()

    private var text = OutputBlock()
    private var methodPlace = Place()
    private var targetPlace = Place()
    /// Where the query begins, or the target ends, in the text.
    private var pathEnd: UInt32 = 0
    private var authorityPlace = Place()
    /// Index of the `host` field where the authority is its value; -1 for none.
    private var authorityField: Int32 = -1

    /// A piece of the text. Small numbers: a head that is lent is copied, and at 160 bytes by a call of memcpy.
    private struct Place: BitwiseCopyable {
        var start: UInt32 = 0
        var end: UInt32 = 0

        var range: Range<Int> { Int(start)..<Int(end) }
    }

    public init() {}

    /// How many bytes it has room for.
    public var capacity: Int { text.capacity + fields.capacity }

    /// The method as sent, such as `GET`.
    public var method: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(methodPlace.range) }
    }

    /// Path and query as sent, percent-encoding untouched.
    public var target: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(targetPlace.range) }
    }

    /// The path: `target` up to the first `?`.
    public var path: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(Int(targetPlace.start)..<Int(pathEnd)) }
    }

    /// The query without its `?`; empty when there is none.
    public var query: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let end = Int(targetPlace.end)
            return text.bytes.extracting(min(Int(pathEnd) + 1, end)..<end)
        }
    }

    /// `:authority`, `host`, or the authority of an absolute target.
    public var authority: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            if authorityField >= 0 { return fields.value(at: Int(authorityField)) }
            return text.bytes.extracting(authorityPlace.range)
        }
    }

    public func isMethod(_ name: StaticString) -> Bool { method.isEqual(to: name) }

    public mutating func setMethod(_ bytes: Span<UInt8>) { methodPlace = append(bytes) }
    public mutating func setAuthority(_ bytes: Span<UInt8>) { authorityPlace = append(bytes) }

    /// Takes the authority from a field, which is `host`.
    public mutating func setAuthority(fromFieldAt index: Int) {
        authorityField = Int32(truncatingIfNeeded: index)
    }

    public mutating func setTarget(_ bytes: Span<UInt8>) {
        targetPlace = append(bytes)
        let range = targetPlace.range
        let mark = text.bytes.firstIndex(
            of: UInt8(ascii: "?"), from: range.lowerBound, to: range.upperBound)
        pathEnd = mark.map { UInt32(truncatingIfNeeded: $0) } ?? targetPlace.end
    }

    /// Takes over what `other` says; the head must be empty.
    public mutating func copy(_ other: borrowing RequestHead) {
        fields.append(contentsOf: other.fields)
        text.append(other.text.bytes)
        methodPlace = other.methodPlace
        targetPlace = other.targetPlace
        pathEnd = other.pathEnd
        authorityPlace = other.authorityPlace
        authorityField = other.authorityField
        version = other.version
    }

    public mutating func removeAll() {
        version = .http11
        fields.removeAll()
        text.removeAll()
        methodPlace = Place()
        targetPlace = Place()
        pathEnd = 0
        authorityPlace = Place()
        authorityField = -1
    }

    private mutating func append(_ bytes: Span<UInt8>) -> Place {
        let start = text.count
        text.append(bytes)
        return Place(
            start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: text.count))
    }
}

/// The head of a response, built by a codec and sent by a connection, or received from an upstream.
public struct ResponseHead: ~Copyable {
    /// HTTP status code.
    public var status = 200
    public var fields = Fields()

    public init() {}

    public mutating func removeAll() {
        status = 200
        fields.removeAll()
    }
}
