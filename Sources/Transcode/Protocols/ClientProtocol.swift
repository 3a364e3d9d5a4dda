import ProtoRuntime

/// How messages are encoded between client and gateway.
public enum MessageCodec: UInt8, Sendable, BitwiseCopyable {
    case proto, json
}

/// The protocols a client may speak, as the head of its request reveals them.
public enum ClientProtocol: Equatable, Sendable, BitwiseCopyable {
    case grpc(MessageCodec)
    case grpcWeb
    case connectUnary(MessageCodec)
    case connectStreaming
    case rest
    /// A known RPC path with a content type that none of them has.
    case unsupportedContentType

    /// Tells the protocol from the content type and from whether the path names an RPC (SEMANTICS c.1).
    ///
    /// Parameters and case of the content type do not matter.
    public static func detect(contentType: Span<UInt8>, pathNamesMethod: Bool) -> ClientProtocol {
        let type = MediaType.essence(contentType)
        if MediaType.hasPrefix(type, "application/grpc") {
            let rest = type.extracting(16..<type.count)
            if rest.isEmpty || MediaType.isEqual(rest, "+proto") { return .grpc(.proto) }
            if MediaType.isEqual(rest, "+json") { return .grpc(.json) }
            if MediaType.hasPrefix(rest, "-web") { return .grpcWeb }
            return pathNamesMethod ? .unsupportedContentType : .rest
        }
        if MediaType.hasPrefix(type, "application/connect+") { return .connectStreaming }
        guard pathNamesMethod else { return .rest }
        if MediaType.isEqual(type, "application/json") { return .connectUnary(.json) }
        if MediaType.isEqual(type, "application/proto") { return .connectUnary(.proto) }
        return .unsupportedContentType
    }
}
