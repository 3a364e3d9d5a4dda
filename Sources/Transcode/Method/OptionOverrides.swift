/// What a part of the configuration says of JSON; nil where it says nothing, so that what is around it holds.
public struct JSONOverrides: Equatable, Sendable {
    public var unknownFields: JSONOptions.UnknownFields?
    public var defaults: JSONOptions.Defaults?
    public var enums: JSONOptions.Enums?
    public var int64: JSONOptions.Int64?
    public var names: JSONOptions.Names?
    public var indent: Int?

    public init() {}

    public func apply(to options: inout JSONOptions) {
        if let unknownFields { options.unknownFields = unknownFields }
        if let defaults { options.defaults = defaults }
        if let enums { options.enums = enums }
        if let int64 { options.int64 = int64 }
        if let names { options.names = names }
        if let indent { options.indent = indent }
    }
}

/// The same for REST.
public struct RESTOverrides: Equatable, Sendable {
    public var unknownQuery: RESTOptions.UnknownQuery?
    public var ignoredQuery: [String]?
    public var unescape: PercentEncoding.Unescape?
    public var ignoresTrailingSlash: Bool?
    public var fillsPatchMask: Bool?
    public var successStatus: Int?
    public var emptyStatus: Int?
    public var statusMetadata: String?
    public var errorFormat: RESTOptions.ErrorFormat?
    public var challenge: String?
    public var checksContentType: Bool?
    public var stream: StreamForm?
    public var streamEnvelope: Bool?
    public var compresses: Bool?

    public init() {}

    public func apply(to options: inout RESTOptions) {
        if let unknownQuery { options.unknownQuery = unknownQuery }
        if let ignoredQuery { options.ignoredQuery = ignoredQuery }
        if let unescape { options.unescape = unescape }
        if let ignoresTrailingSlash { options.ignoresTrailingSlash = ignoresTrailingSlash }
        if let fillsPatchMask { options.fillsPatchMask = fillsPatchMask }
        if let successStatus { options.successStatus = successStatus }
        if let emptyStatus { options.emptyStatus = emptyStatus }
        if let statusMetadata { options.statusMetadata = statusMetadata }
        if let errorFormat { options.errorFormat = errorFormat }
        if let challenge { options.challenge = challenge }
        if let checksContentType { options.checksContentType = checksContentType }
        if let stream { options.stream = stream }
        if let compresses { options.compresses = compresses }
        if let streamEnvelope { options.streamEnvelope = streamEnvelope }
    }
}
