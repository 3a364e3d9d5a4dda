import Testing

@testable import Transcode

@Suite struct MetadataTests {
    @Test(arguments: [
        ("authorization", FieldDisposition.forward), ("x-request-id", .forward),
        ("cookie", .forward), ("accept", .forward), ("x-forwarded-for", .forward),
        ("trace-bin", .forward), ("grpc-previous-rpc-attempts", .forward),
        ("grpc-trace-bin", .forward), ("user-agent", .userAgent), ("User-Agent", .userAgent),
        (":path", .drop), ("", .drop), ("host", .drop), ("Host", .drop), ("te", .drop),
        ("connection", .drop), ("keep-alive", .drop), ("proxy-connection", .drop),
        ("proxy-authorization", .drop), ("transfer-encoding", .drop), ("upgrade", .drop),
        ("trailer", .drop), ("http2-settings", .drop), ("date", .drop), ("expect", .drop),
        ("content-type", .drop), ("content-length", .drop), ("Content-Encoding", .drop),
        ("content-md5", .drop), ("accept-encoding", .drop), ("grpc-timeout", .drop),
        ("grpc-encoding", .drop), ("grpc-accept-encoding", .drop), ("grpc-status", .drop),
        ("grpc-message-type", .drop), ("connect-protocol-version", .drop),
        ("connect-timeout-ms", .drop), ("x-grpc-web", .drop), ("x-server-timeout", .drop),
        ("grpcx", .forward), ("contents", .forward), ("connector", .forward), ("g", .forward),
    ])
    func `a request field passes upstream or not`(
        _ name: String, _ expected: FieldDisposition
    ) {
        let disposition = Metadata.request(name.utf8Span.span)
        #expect(disposition == expected)
    }

    @Test(arguments: [
        ("x-ratelimit", FieldDisposition.forward), ("etag", .forward), ("set-cookie", .forward),
        ("location", .forward), ("cache-control", .forward), ("content-disposition", .forward),
        ("content-language", .forward), ("grpc-retry-pushback-ms", .forward),
        ("user-agent", .forward), (":status", .drop), ("grpc-status", .drop),
        ("grpc-message", .drop), ("grpc-status-details-bin", .drop), ("grpc-encoding", .drop),
        ("content-type", .drop), ("content-length", .drop), ("content-encoding", .drop),
        ("connect-content-encoding", .drop), ("trailer-connect-x", .drop), ("trailer", .drop),
        ("transfer-encoding", .drop), ("connection", .drop), ("date", .drop),
        ("gateway-error", .drop), ("server", .drop),
    ])
    func `a response field passes to the client or not`(
        _ name: String, _ expected: FieldDisposition
    ) {
        let disposition = Metadata.response(name.utf8Span.span)
        #expect(disposition == expected)
    }

    @Test(arguments: [
        ("a-z_0.9", true), ("", false), ("A", false), ("a b", false), ("a:b", false), ("é", false),
    ])
    func `names are lower-case letters, digits and three marks`(_ name: String, _ valid: Bool) {
        let isValid = Metadata.isValidName(name.utf8Span.span)
        #expect(isValid == valid)
    }

    @Test(arguments: [("", true), (" ~", true), ("a\tb", false), ("é", false), ("\u{7f}", false)])
    func `values are printable ASCII`(_ value: String, _ valid: Bool) {
        let isValid = Metadata.isValidValue(value.utf8Span.span)
        #expect(isValid == valid)
    }

    @Test(arguments: [("trace-bin", true), ("bin", false), ("trace-binary", false), ("", false)])
    func `binary names end in -bin`(_ name: String, _ binary: Bool) {
        let isBinary = Metadata.isBinary(name.utf8Span.span)
        #expect(isBinary == binary)
    }
}
