public import ProtoRuntime

/// One `google.api.HttpRule`, from a method option or from configuration.
public struct HTTPRule: Equatable, Sendable {
    /// Which methods a configured rule is for: `pkg.Service.Method`, `pkg.Service.*` or `*`; empty in options.
    public var selector: String
    /// An HTTP method token, `*` for any, nil when the rule names no pattern.
    public var httpMethod: String?
    public var path: String
    /// A field, `*`, or empty.
    public var body: String
    /// A field or empty.
    public var responseBody: String
    public var additionalBindings: [HTTPRule]

    public init(
        selector: String = "", httpMethod: String?, path: String, body: String = "",
        responseBody: String = "", additionalBindings: [HTTPRule] = []
    ) {
        self.selector = selector
        self.httpMethod = httpMethod
        self.path = path
        self.body = body
        self.responseBody = responseBody
        self.additionalBindings = additionalBindings
    }

    /// Decodes an encoded google.api.HttpRule. Unknown fields are skipped; of the `pattern` oneof the last
    /// member wins. Nested `additional_bindings` are kept, for `MethodTable` to refuse.
    public init(decoding bytes: Span<UInt8>) throws(WireError) {
        try self.init(decoding: bytes, depth: 0)
    }

    private init(decoding bytes: Span<UInt8>, depth: Int) throws(WireError) {
        self.init(httpMethod: nil, path: "")
        var reader = WireReader(bytes)
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1: selector = try reader.readString(tag)
            case 2...6:
                httpMethod = HTTPRule.methods[Int(tag.number) - 2]
                path = try reader.readString(tag)
            case 7: body = try reader.readString(tag)
            case 8: try decodeCustom(try reader.readBytes(tag))
            case 11:
                let nested = try reader.readBytes(tag)
                guard depth < 2 else { throw .tooDeep(at: reader.offset) }
                additionalBindings.append(try HTTPRule(decoding: nested, depth: depth + 1))
            case 12: responseBody = try reader.readString(tag)
            default: try reader.skip(tag)
            }
        }
    }

    /// CustomHttpPattern {kind = 1, path = 2}
    private mutating func decodeCustom(_ bytes: Span<UInt8>) throws(WireError) {
        httpMethod = ""
        path = ""
        var reader = WireReader(bytes)
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1: httpMethod = try reader.readString(tag)
            case 2: path = try reader.readString(tag)
            default: try reader.skip(tag)
            }
        }
    }

    /// By field number, from 2 on.
    private static let methods = ["GET", "PUT", "POST", "DELETE", "PATCH"]
}

extension HTTPRule {
    /// Whether a configured rule is for this method: a star stands for whole last components.
    public func selects(_ fullName: String) -> Bool {
        if selector == "*" { return true }
        guard selector.hasSuffix(".*") else { return selector == fullName }
        return fullName.hasPrefix(selector.dropLast())
    }
}

/// A rule from configuration, with what it says of its own routes.
public struct ConfiguredRule: Equatable, Sendable {
    public var rule: HTTPRule
    /// Adds routes to those that the method has; otherwise the rule takes their place.
    public var appends: Bool
    public var json = JSONOverrides()
    public var rest = RESTOverrides()

    public init(_ rule: HTTPRule, appends: Bool = false) {
        self.rule = rule
        self.appends = appends
    }
}
