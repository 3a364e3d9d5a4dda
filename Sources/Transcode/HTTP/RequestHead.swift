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
    private var methodRange = 0..<0
    private var targetRange = 0..<0
    private var authorityRange = 0..<0
    private var authorityField: Int?

    public init() {}

    /// The method as sent, such as `GET`.
    public var method: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(methodRange) }
    }

    /// Path and query as sent, percent-encoding untouched.
    public var target: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(targetRange) }
    }

    /// The path: `target` up to the first `?`.
    public var path: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(targetRange.lowerBound..<pathEnd) }
    }

    /// The query without its `?`; empty when there is none.
    public var query: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            text.bytes.extracting(min(pathEnd + 1, targetRange.upperBound)..<targetRange.upperBound)
        }
    }

    /// `:authority`, `host`, or the authority of an absolute target.
    public var authority: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            if let index = authorityField { return fields.value(at: index) }
            return text.bytes.extracting(authorityRange)
        }
    }

    private var pathEnd = 0

    public func isMethod(_ name: StaticString) -> Bool { method.isEqual(to: name) }

    public mutating func setMethod(_ bytes: Span<UInt8>) { methodRange = append(bytes) }
    public mutating func setAuthority(_ bytes: Span<UInt8>) { authorityRange = append(bytes) }

    /// Takes the authority from a field, which is `host`.
    public mutating func setAuthority(fromFieldAt index: Int) { authorityField = index }

    public mutating func setTarget(_ bytes: Span<UInt8>) {
        targetRange = append(bytes)
        pathEnd = targetRange.upperBound
        for index in targetRange where text[index] == UInt8(ascii: "?") {
            pathEnd = index
            break
        }
    }

    public mutating func removeAll() {
        version = .http11
        fields.removeAll()
        text.removeAll()
        methodRange = 0..<0
        targetRange = 0..<0
        authorityRange = 0..<0
        authorityField = nil
        pathEnd = 0
    }

    private mutating func append(_ bytes: Span<UInt8>) -> Range<Int> {
        let start = text.count
        text.append(bytes)
        return start..<text.count
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
