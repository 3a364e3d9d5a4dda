/// How REST requests of one method are read where the sources leave a choice.
public struct RESTOptions: Equatable, Sendable {
    public enum UnknownQuery: Sendable { case reject, ignore }

    public var unknownQuery: UnknownQuery
    /// Query parameters that are passed over whatever the message has; a last `*` matches any ending.
    public var ignoredQuery: [String]
    /// For multi-segment captures; single-segment ones lose every escape.
    public var unescape: PercentEncoding.Unescape
    /// A JSON body under another content type is 415.
    public var checksContentType: Bool

    public init(
        unknownQuery: UnknownQuery = .reject, ignoredQuery: [String] = [],
        unescape: PercentEncoding.Unescape = .exceptSlash, checksContentType: Bool = true
    ) {
        self.unknownQuery = unknownQuery
        self.ignoredQuery = ignoredQuery
        self.unescape = unescape
        self.checksContentType = checksContentType
    }
}
