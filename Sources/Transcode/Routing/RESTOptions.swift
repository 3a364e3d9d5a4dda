/// How REST calls of one route are read and answered where the sources leave a choice.
public struct RESTOptions: Equatable, Sendable {
    public enum UnknownQuery: Sendable { case reject, ignore }

    /// The JSON of errors: google.rpc.Status itself, or in the envelope of AIP-193.
    public enum ErrorFormat: Sendable { case status, aip193 }

    public var unknownQuery: UnknownQuery
    /// Query parameters that are passed over whatever the message has; a last `*` matches any ending.
    public var ignoredQuery: [String]
    /// For multi-segment captures; single-segment ones lose every escape.
    public var unescape: PercentEncoding.Unescape
    /// A JSON body under another content type is 415.
    public var checksContentType: Bool
    /// `/a/` is `/a`.
    public var ignoresTrailingSlash = false
    /// PATCH without an update mask gets one that names what its body has (SEMANTICS a.8).
    public var fillsPatchMask = false
    /// The status of a call that succeeded.
    public var successStatus = 200
    /// The status of a call that succeeded with google.protobuf.Empty, where `successStatus` is 200.
    public var emptyStatus = 200
    /// Response metadata by which the upstream chooses the status of a call that succeeded; lower case, empty for none.
    public var statusMetadata = ""
    public var errorFormat = ErrorFormat.status
    /// `WWW-Authenticate` of 401; empty for none. An upstream's message never is one (SEMANTICS f.1).
    public var challenge = ""
    /// What a server stream's client gets that has no preference.
    public var stream = StreamForm.array
    /// Messages and errors of arrays and NDJSON stand in `{"result":…}` and `{"error":…}`.
    public var streamEnvelope = false
    /// Answers are compressed where the client takes that.
    public var compresses = true

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
