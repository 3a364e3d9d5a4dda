/// What is wrong with a path template, and where.
public struct PathTemplateError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1, in bytes.
    public var column: Int
    public var message: String

    public var description: String { "column \(column): \(message)" }
}

/// A parsed `google.api.http` path.
///
///     Template = "/" [ Segments [ Verb ] ]       Segments  = Segment { "/" Segment }
///     Segment  = "*" | "**" | LITERAL | Variable Variable  = "{" FieldPath [ "=" Segments ] "}"
///     Verb     = ":" LITERAL                     FieldPath = IDENT { "." IDENT }
///
/// `{x}` means `{x=*}`. LITERAL is RFC 3986 pchar. `/` alone is one empty literal. After `**` only
/// literals may follow.
public struct PathTemplate: Equatable, Sendable {
    public static let segmentsMax = 32

    public enum Segment: Equatable, Sendable {
        /// Percent-normalised: escapes of unreserved characters decoded, other escapes in upper case.
        case literal([UInt8])
        /// `*`
        case single
        /// `**`
        case multiple
    }

    public struct Variable: Equatable, Sendable {
        public var fieldPath: [String]
        /// Which segments it captures.
        public var segments: Range<Int>
        /// Captures may hold `/`: it spans several segments or has `**`.
        public var isMultiSegment: Bool
        /// Of its field path, counted from 1.
        public var column: Int
    }

    /// As it was written.
    public let text: String
    public let segments: [Segment]
    public let variables: [Variable]
    /// Percent-normalised, without its colon; nil when there is none.
    public let verb: [UInt8]?

    public init(_ text: String) throws(PathTemplateError) {
        var parser = PathTemplateParser(text)
        try parser.parse()
        self.text = text
        segments = parser.segments
        variables = parser.variables
        verb = parser.verb
    }

    /// Where `**` stands.
    public var multipleIndex: Int? { segments.firstIndex(of: .multiple) }

    /// The template without its variables' names: two with the same shape match the same paths.
    public var shape: String {
        var shape = ""
        for segment in segments {
            switch segment {
            case .literal(let bytes): shape += "/" + String(decoding: bytes, as: UTF8.self)
            case .single: shape += "/*"
            case .multiple: shape += "/**"
            }
        }
        if let verb { shape += ":" + String(decoding: verb, as: UTF8.self) }
        return shape
    }
}
