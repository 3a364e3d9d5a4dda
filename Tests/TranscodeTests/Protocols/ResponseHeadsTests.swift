import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"
private let json = TestRequest.json
private let proto = TestRequest.proto
private let rest = TestRequest.rest
private let grpc = TestRequest.grpc
private let grpcStream = TestRequest.grpcStream
private let web = TestRequest.web
private let webText = TestRequest.webText
private let grpcJSON = TestRequest.grpcJSON
private let stream = TestRequest.stream
private let protoStream = TestRequest.protoStream
private let unserved = TestRequest.unserved
private let message: [UInt8] = [0x0a, 1, 97, 0x10, 7]

@Suite struct ResponseErrorTests {
    private static let mapped = Status(
        .resourceExhausted, "big", httpStatus: 413, reason: "message_too_large")

    @Test(
        arguments: [
            (
                json, Status(.notFound, "no"),
                "404 content-type=application/json {\"code\":\"not_found\",\"message\":\"no\"}"
            ),
            (
                proto, Status(.notFound),
                "404 content-type=application/json {\"code\":\"not_found\"}"
            ),
            (
                rest, Status(.notFound, "no"),
                "404 content-type=application/json {\"code\":5,\"message\":\"no\"}"
            ),
            (
                json, mapped,
                "429 content-type=application/json gateway-error=message_too_large {\"code\":\"resource_exhausted\",\"message\":\"big\"}"
            ),
            (
                rest, mapped,
                "413 content-type=application/json gateway-error=message_too_large {\"code\":8,\"message\":\"big\"}"
            ),
            (
                rest, .methodNotAllowed(allow: "GET"),
                "405 content-type=application/json gateway-error=method_not_allowed allow=GET "
                    + "{\"code\":12,\"message\":\"this path does not take that method; it takes GET\"}"
            ),
            (
                json, .methodNotAllowed(allow: "POST"),
                "405 content-type=application/json gateway-error=method_not_allowed allow=POST "
                    + "{\"code\":\"unimplemented\",\"message\":\"this path does not take that method; it takes POST\"}"
            ),
            (
                grpc, Status(.notFound, "no é"),
                "200 content-type=application/grpc grpc-status=5 grpc-message=no %C3%A9 "
            ),
            (grpcStream, Status(.ok), "200 content-type=application/grpc grpc-status=0 "),
            (
                json, Status(.ok),
                "501 content-type=application/json gateway-error=bad_message_count {\"code\":\"unimplemented\",\"message\":\"the upstream's answer: no message where exactly one is expected\"}"
            ),
            (
                web, Status(.notFound, "no"),
                "200 content-type=application/grpc-web+proto grpc-status=5 grpc-message=no "
            ),
            (
                webText, mapped,
                "200 content-type=application/grpc-web-text+proto grpc-status=8 grpc-message=big gateway-error=message_too_large "
            ),
            (
                grpcJSON, Status(.ok), "200 content-type=application/grpc+json grpc-status=0 "
            ),
            (
                stream, Status(.notFound, "no"),
                "200 content-type=application/connect+json \u{2}\u{0}\u{0}\u{0}\u{2d}{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}"
            ),
            (
                protoStream, Status.ok,
                "200 content-type=application/connect+proto \u{2}\u{0}\u{0}\u{0}\u{2}{}"
            ),
        ] as [((String, String), Status, String)])
    func `an error has the shape of the client's protocol`(
        call: (String, String), status: Status, expected: String
    ) throws {
        #expect(try ResponseRun(call).error(status).text == expected)
    }

    @Test func `a content type that is not served is answered with those that are`() throws {
        let status = Status.rest(415, "type", reason: "unsupported_content_type")
        let unary = try ResponseRun(unserved).error(status)
        #expect(unary.head.hasPrefix("415 content-type=application/json gateway-error="))
        #expect(unary.head.contains("accept-post=application/json, application/proto, "))
        #expect(unary.text.hasSuffix("{\"code\":3,\"message\":\"type\"}"))
        let streaming = try ResponseRun(("POST \(rpc)Watch", "application/json")).error(status)
        #expect(streaming.head.hasPrefix("415 "))
        #expect(streaming.head.contains("accept-post=application/connect+json, "))
        #expect(!streaming.head.contains("application/json,"))
    }

    @Test(arguments: [grpc, web]) func `another method than POST is refused by HTTP itself`(
        call: (String, String)
    ) throws {
        let view = try ResponseRun(call).error(.methodNotAllowed(allow: "POST"))
        #expect(view.head.hasPrefix("405 content-type=application/json"))
        #expect(view.head.contains("allow=POST"))
    }

    @Test func `gRPC on HTTP 1 is refused by HTTP itself`() throws {
        let status = Status(
            .internal, "gRPC needs HTTP/2", httpStatus: 505, reason: "http2_required")
        #expect(
            try ResponseRun(grpc).error(status).text
                == "505 content-type=application/json gateway-error=http2_required {\"code\":13,\"message\":\"gRPC needs HTTP/2\"}"
        )
    }

    @Test(arguments: [
        (json, "accept-encoding", "501"), (rest, "accept-encoding", "415"),
        (grpc, "grpc-accept-encoding", "200"), (web, "grpc-accept-encoding", "200"),
        (stream, "connect-accept-encoding", "200"),
    ])
    func `a refused compression is answered with those that are not`(
        call: (String, String), field: String, httpStatus: String
    ) throws {
        let status =
            call == rest ? Status.unsupportedContentEncoding("x") : .unsupportedCoding("x")
        let view = try ResponseRun(call).error(status)
        #expect(view.head.hasPrefix(httpStatus))
        #expect(view.head.contains("\(field)=gzip, br, zstd"))
        #expect(!view.head.contains("accept-post"))
    }
}

@Suite struct ResponseMetadataTests {
    private static let leading = [
        ("content-type", "application/grpc"), ("x-a", "1"), ("set-cookie", "c"),
        ("grpc-encoding", "identity"),
    ]
    private static let trailing = [
        ("x-b", "2"), ("grpc-status", "0"), ("grpc-message", ""), ("transfer-encoding", "chunked"),
        ("x-c", "3"), ("x-b", "\"4\""),
    ]

    @Test(arguments: [(json, "trailer-"), (proto, "trailer-"), (rest, "grpc-trailer-")])
    func `trailers of a whole response are headers with the protocol's prefix`(
        call: (String, String), prefix: String
    ) throws {
        var run = ResponseRun(call)
        run.leading = ResponseMetadataTests.leading
        run.trailing = ResponseMetadataTests.trailing
        let head = try run.view(envelope([])).head
        #expect(
            head.hasSuffix(
                " x-a=1 set-cookie=c \(prefix)x-b=2 \(prefix)x-c=3 \(prefix)x-b=\"4\""))
        let error = try ResponseRun(call).error(
            Status(.aborted), leading: [("grpc-status", "10"), ("x-a", "1")])
        #expect(error.head.hasSuffix(" \(prefix)x-a=1"))
    }

    @Test func `a stream of gRPC ends with trailers`() throws {
        var run = ResponseRun(grpcStream)
        run.leading = ResponseMetadataTests.leading
        run.trailing = ResponseMetadataTests.trailing
        let view = try run.view(envelope(message))
        #expect(
            view.head
                == "200 content-type=application/grpc x-a=1 set-cookie=c grpc-encoding=identity")
        #expect(view.body == envelope(message))
        #expect(view.trailers == "grpc-status=0 x-b=2 x-c=3 x-b=\"4\"")
    }

    @Test func `a stream of gRPC-Web ends with a frame of trailers`() throws {
        var run = ResponseRun(web)
        run.trailing = ResponseMetadataTests.trailing
        let view = try run.view(envelope(message))
        #expect(view.head == "200 content-type=application/grpc-web+proto")
        #expect(view.trailers == "")
        let text = "grpc-status: 0\r\nx-b: 2\r\nx-c: 3\r\nx-b: \"4\"\r\n"
        #expect(view.body == envelope(message) + envelope(Array(text.utf8), flags: 0x80))
    }

    /// Each piece is base64 by itself; the text was put together by Python's base64.
    @Test func `text is base64 piece by piece`() throws {
        let view = try ResponseRun(webText).view(envelope([]), size: 5)
        #expect(
            String(decoding: view.body, as: UTF8.self)
                == "AAAAAAA=gAAAABBncnBjLXN0YXR1czogMA0K")
    }

    @Test func `a stream of Connect ends with an EndStreamResponse`() throws {
        var run = ResponseRun(stream)
        run.leading = ResponseMetadataTests.leading
        run.trailing = ResponseMetadataTests.trailing
        let view = try run.view(envelope([0x0a, 1, 97]) + envelope([]))
        #expect(view.head == "200 content-type=application/connect+json x-a=1 set-cookie=c")
        let found = try envelopes(view.body).map {
            "\($0.flags) \(String(decoding: $0.payload, as: UTF8.self))"
        }
        #expect(
            found == [
                "0 {\"name\":\"a\"}", "0 {}",
                "2 {\"metadata\":{\"x-b\":[\"2\",\"\\\"4\\\"\"],\"x-c\":[\"3\"]}}",
            ])
    }

    @Test func `errors at the end of a stream keep what came before`() throws {
        var run = ResponseRun(stream)
        run.trailing = [("grpc-status", "9"), ("x-b", "2")]
        run.status = Status(.failedPrecondition, "m")
        let body = try run.view(envelope([])).body
        let end = try #require(try envelopes(body).last)
        #expect(
            String(decoding: end.payload, as: UTF8.self)
                == "{\"error\":{\"code\":\"failed_precondition\",\"message\":\"m\"},\"metadata\":{\"x-b\":[\"2\"]}}"
        )
        run.status = Status(.aborted, "m", reason: "r")
        let own = try #require(try envelopes(try run.view([]).body).last)
        #expect(
            String(decoding: own.payload, as: UTF8.self).hasSuffix(
                ",\"metadata\":{\"gateway-error\":[\"r\"],\"x-b\":[\"2\"]}}"))
    }

    @Test func `trailers-only answers are metadata of the end`() throws {
        let view = try ResponseRun(stream).error(
            Status(.aborted), leading: [("grpc-status", "10"), ("x-a", "1")])
        #expect(view.head == "200 content-type=application/connect+json")
        #expect(
            view.text.hasSuffix("{\"error\":{\"code\":\"aborted\"},\"metadata\":{\"x-a\":[\"1\"]}}")
        )
        let plain = try ResponseRun(web).error(
            Status(.aborted), leading: [("grpc-status", "10"), ("x-a", "1")])
        #expect(plain.head == "200 content-type=application/grpc-web+proto grpc-status=10 x-a=1")
        #expect(plain.body == [])
    }
}

@Suite struct RESTResponseTests {
    /// The answer or error of POST /v1/all under these options.
    private static func text(
        _ status: Status, leading: [(String, String)] = [],
        _ change: (inout RESTOptions) -> Void
    ) throws -> String {
        var run = ResponseRun(rest)
        change(&run.options.rest)
        guard status.isOK else { return try run.error(status, leading: leading).text }
        run.leading = leading
        return try run.view(envelope(message)).text
    }

    @Test func `success has the status that the options or the upstream name`() throws {
        let json = "content-type=application/json"
        let body = "{\"text\":\"a\",\"long\":\"7\"}"
        #expect(try RESTResponseTests.text(.ok) { $0.successStatus = 201 } == "201 \(json) \(body)")
        #expect(try RESTResponseTests.text(.ok) { $0.successStatus = 204 } == "204  ")
        #expect(try RESTResponseTests.text(.ok) { $0.emptyStatus = 204 } == "200 \(json) \(body)")
        let code = [("x-http-code", "202")]
        #expect(
            try RESTResponseTests.text(.ok, leading: code) { $0.statusMetadata = "x-http-code" }
                == "202 \(json) \(body)")
        #expect(
            try RESTResponseTests.text(.ok, leading: code) { _ in }
                == "200 \(json) x-http-code=202 \(body)")
        #expect(
            try RESTResponseTests.text(Status(.notFound, "no"), leading: code) {
                $0.statusMetadata = "x-http-code"
            } == "404 \(json) {\"code\":5,\"message\":\"no\"}")
    }

    @Test func `errors tell how to do better`() throws {
        let json = "content-type=application/json"
        #expect(
            try RESTResponseTests.text(Status(.unauthenticated)) { $0.challenge = "Bearer" }
                == "401 \(json) www-authenticate=Bearer {\"code\":16,\"message\":\"\"}")
        #expect(
            try RESTResponseTests.text(Status(.permissionDenied)) { $0.challenge = "Bearer" }
                == "403 \(json) {\"code\":7,\"message\":\"\"}")
        #expect(
            try RESTResponseTests.text(Status(.notFound, "no")) { $0.errorFormat = .aip193 }
                == "404 \(json) {\"error\":{\"code\":404,\"message\":\"no\",\"status\":\"NOT_FOUND\"}}"
        )
        var later = Status(.unavailable)
        later.addDetail("google.rpc.RetryInfo") { $0.append([0x0a, 2, 0x08, 5].span) }
        #expect(
            try RESTResponseTests.text(later) { _ in }.hasPrefix("503 \(json) retry-after=5 {"))
        later.code = .notFound
        later.httpStatus = 404
        #expect(try RESTResponseTests.text(later) { _ in }.hasPrefix("404 \(json) {"))
        let refused = Status.rest(
            415, "x", reason: "unsupported_content_type", accepted: .patch("application/json"))
        #expect(
            try RESTResponseTests.text(refused) { _ in }
                == "415 \(json) gateway-error=unsupported_content_type "
                + "accept-patch=application/json {\"code\":3,\"message\":\"x\"}")
    }
}
