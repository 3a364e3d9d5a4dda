import ProtoRuntime

/// How messages are encoded between client and gateway.
public enum MessageCodec: UInt8, Sendable, BitwiseCopyable {
    case proto, json
}

/// The protocols a client may speak, as the head of its request reveals them.
public enum ClientProtocol: Equatable, Sendable, BitwiseCopyable {
    case grpc(MessageCodec)
    /// `isText`: its body is base64.
    case grpcWeb(MessageCodec, isText: Bool)
    case connectUnary(MessageCodec)
    /// A unary call whose message is in the query.
    case connectGet(MessageCodec)
    case connectStreaming(MessageCodec)
    case rest
    /// A known RPC path with a content type that none of them has.
    case unsupportedContentType

    /// Tells the protocol from the content type and from whether the path names an RPC (SEMANTICS c.1).
    ///
    /// Parameters and case of the content type do not matter.
    public static func detect(contentType: Span<UInt8>, pathNamesMethod: Bool) -> ClientProtocol {
        // As nearly all clients write it.
        if contentType.isEqual(to: "application/json") {
            return pathNamesMethod ? .connectUnary(.json) : .rest
        }
        let type = MediaType.essence(contentType)
        let unserved: ClientProtocol = pathNamesMethod ? .unsupportedContentType : .rest
        if MediaType.hasPrefix(type, "application/grpc") {
            return detect(grpcSuffix: type.extracting(16..<type.count)) ?? unserved
        }
        if MediaType.hasPrefix(type, "application/connect+") {
            return codec(type.extracting(20..<type.count)).map { .connectStreaming($0) } ?? unserved
        }
        guard pathNamesMethod else { return .rest }
        if MediaType.isEqual(type, "application/json") { return .connectUnary(.json) }
        if MediaType.isEqual(type, "application/proto") { return .connectUnary(.proto) }
        return .unsupportedContentType
    }

    /// What follows `application/grpc`: `-web`, `-text`, and the codec.
    private static func detect(grpcSuffix suffix: Span<UInt8>) -> ClientProtocol? {
        if MediaType.hasPrefix(suffix, "-web-text") {
            return codec(plus: suffix.extracting(9..<suffix.count)).map {
                .grpcWeb($0, isText: true)
            }
        }
        if MediaType.hasPrefix(suffix, "-web") {
            return codec(plus: suffix.extracting(4..<suffix.count)).map {
                .grpcWeb($0, isText: false)
            }
        }
        return codec(plus: suffix).map { .grpc($0) }
    }

    /// Nothing means protobuf; otherwise `+proto` or `+json`.
    private static func codec(plus suffix: Span<UInt8>) -> MessageCodec? {
        guard suffix.count > 0 else { return .proto }
        guard suffix[0] == UInt8(ascii: "+") else { return nil }
        return codec(suffix.extracting(1..<suffix.count))
    }

    /// `proto` or `json`.
    static func codec(_ name: Span<UInt8>) -> MessageCodec? {
        if MediaType.isEqual(name, "proto") { return .proto }
        return MediaType.isEqual(name, "json") ? .json : nil
    }

    /// How the client's messages are encoded; nil for REST, where the route says it.
    var codec: MessageCodec? {
        switch self {
        case .grpc(let codec), .grpcWeb(let codec, _), .connectUnary(let codec),
            .connectGet(let codec), .connectStreaming(let codec):
            codec
        case .rest, .unsupportedContentType: nil
        }
    }

    /// The content type of a response that is not an error of Connect or REST.
    /// - Parameter asText: the client of gRPC-Web wants base64.
    func contentType(asText: Bool) -> StaticString {
        switch self {
        case .grpc(.proto): "application/grpc"
        case .grpc(.json): "application/grpc+json"
        case .grpcWeb(.proto, _):
            asText ? "application/grpc-web-text+proto" : "application/grpc-web+proto"
        case .grpcWeb(.json, _):
            asText ? "application/grpc-web-text+json" : "application/grpc-web+json"
        case .connectUnary(.proto), .connectGet(.proto): "application/proto"
        case .connectStreaming(.proto): "application/connect+proto"
        case .connectStreaming(.json): "application/connect+json"
        case .connectUnary(.json), .connectGet(.json), .rest, .unsupportedContentType:
            "application/json"
        }
    }
}
