import Testing

@testable import Transcode

@Suite struct ClientProtocolTests {
    @Test(
        arguments: [
            ("application/grpc", .grpc(.proto), .grpc(.proto)),
            ("application/grpc+proto", .grpc(.proto), .grpc(.proto)),
            ("application/grpc;charset=utf-8", .grpc(.proto), .grpc(.proto)),
            ("application/grpc+proto ; x=y", .grpc(.proto), .grpc(.proto)),
            ("Application/GRPC+Proto", .grpc(.proto), .grpc(.proto)),
            ("application/grpc+json", .grpc(.json), .grpc(.json)),
            (
                "application/grpc-web", .grpcWeb(.proto, isText: false),
                .grpcWeb(.proto, isText: false)
            ),
            (
                "application/grpc-web+proto;x", .grpcWeb(.proto, isText: false),
                .grpcWeb(.proto, isText: false)
            ),
            (
                "application/grpc-web+json", .grpcWeb(.json, isText: false),
                .grpcWeb(.json, isText: false)
            ),
            (
                "APPLICATION/GRPC-WEB-TEXT", .grpcWeb(.proto, isText: true),
                .grpcWeb(.proto, isText: true)
            ),
            (
                "application/grpc-web-text+proto", .grpcWeb(.proto, isText: true),
                .grpcWeb(.proto, isText: true)
            ),
            (
                "application/grpc-web-text+json", .grpcWeb(.json, isText: true),
                .grpcWeb(.json, isText: true)
            ),
            ("application/grpc-web+xml", .unsupportedContentType, .rest),
            ("application/grpc-websocket", .unsupportedContentType, .rest),
            ("application/connect+xml", .unsupportedContentType, .rest),
            ("application/connect+", .unsupportedContentType, .rest),
            ("application/grpc+thrift", .unsupportedContentType, .rest),
            ("application/grpcx", .unsupportedContentType, .rest),
            ("application/connect+proto", .connectStreaming(.proto), .connectStreaming(.proto)),
            ("application/connect+json", .connectStreaming(.json), .connectStreaming(.json)),
            (
                "Application/Connect+JSON; charset=utf-8", .connectStreaming(.json),
                .connectStreaming(.json)
            ),
            ("application/json", .connectUnary(.json), .rest),
            ("application/json; charset=utf-8", .connectUnary(.json), .rest),
            ("Application/JSON", .connectUnary(.json), .rest),
            (" application/json\t", .connectUnary(.json), .rest),
            ("application/proto", .connectUnary(.proto), .rest),
            ("APPLICATION/PROTO", .connectUnary(.proto), .rest),
            ("application/jsonx", .unsupportedContentType, .rest),
            ("application/protobuf", .unsupportedContentType, .rest),
            ("text/plain", .unsupportedContentType, .rest), ("", .unsupportedContentType, .rest),
            (";", .unsupportedContentType, .rest), ("application", .unsupportedContentType, .rest),
        ] as [(String, ClientProtocol, ClientProtocol)])
    func `content type and path tell the protocol`(
        contentType: String, named: ClientProtocol, other: ClientProtocol
    ) {
        let bytes = contentType.utf8Span.span
        #expect(ClientProtocol.detect(contentType: bytes, pathNamesMethod: true) == named)
        #expect(ClientProtocol.detect(contentType: bytes, pathNamesMethod: false) == other)
    }
}
