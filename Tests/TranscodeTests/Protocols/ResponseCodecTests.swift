import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"

/// A response as its client sees it.
private struct ClientView {
    var head = ""
    var body: [UInt8] = []
    var trailers = ""

    /// "200 content-type=… body".
    var text: String { "\(head) \(String(decoding: body, as: UTF8.self))" }
}

/// One call's response: what the upstream answers, and what the client is sent for it.
private struct ResponseRun {
    var line: String
    var fields: [(String, String)]
    var leading: [(String, String)] = [("content-type", "application/grpc")]
    var trailing: [(String, String)] = [("grpc-status", "0")]
    var status = Status.ok
    var limit = 100
    var room = Int.max
    var options = MethodOptions()

    init(_ call: (String, String), _ fields: [(String, String)] = []) {
        line = call.0
        self.fields = [("content-type", call.1)] + fields
    }

    /// What comes of messages that the upstream sends in pieces of `size` bytes.
    func view(_ body: [UInt8], size: Int = 3) throws -> ClientView {
        let methods = try MethodTable(
            pool: try TestPool.rest.get(), errorFormat: .status, options: { _ in options })
        let (plan, _, _) = TestCall(line: line, fields: fields).resolved(by: methods)
        var codec = ResponseCodec()
        codec.start(plan)
        let tools = CodecTools()
        var first = Fields()
        first.append(leading)
        var last = Fields()
        last.append(trailing)
        var head = ResponseHead()
        var output = OutputBlock()
        var trailers = Fields()
        var status = status
        var hasBegun = false
        do throws(Status) {
            try codec.begin(first, methods: methods, messageBytesMax: limit)
            if codec.isStreaming {
                hasBegun = true
                codec.appendHead(of: first, to: &head)
            }
            for start in stride(from: 0, to: body.count, by: size) {
                let piece = Array(body[start..<min(start + size, body.count)])
                try codec.receive(
                    piece.span, methods: methods, tools: tools, room: room, into: &output)
                while codec.isHolding {
                    try codec.resume(methods: methods, tools: tools, room: room, into: &output)
                }
            }
            if hasBegun, status.isOK { try codec.checkEnd() }
        } catch {
            status = error
        }
        if hasBegun {
            codec.appendEnd(
                status, metadata: last, methods: methods, trailers: &trailers, body: &output)
        } else {
            codec.appendResponse(
                status, leading: first, trailing: last, methods: methods,
                tools: tools, to: &head, body: &output)
        }
        return ClientView(
            head: "\(head.status) \(head.fields.text)", body: output.array, trailers: trailers.text)
    }

    /// A call that fails, or ends, before the upstream's head.
    func error(_ status: Status, leading: [(String, String)] = []) throws -> ClientView {
        let methods = try MethodTable(
            pool: try TestPool.rest.get(), errorFormat: .status, options: { _ in options })
        let (plan, _, _) = TestCall(line: line, fields: fields).resolved(by: methods)
        var codec = ResponseCodec()
        codec.start(plan)
        var first = Fields()
        first.append(leading)
        var head = ResponseHead()
        var body = OutputBlock()
        codec.appendResponse(
            status, leading: first, trailing: Fields(), methods: methods,
            tools: CodecTools(), to: &head, body: &body)
        return ClientView(head: "\(head.status) \(head.fields.text)", body: body.array)
    }
}

private let json = ("POST \(rpc)Plain", "application/json")
private let proto = ("POST \(rpc)Plain", "application/proto")
private let get = ("GET \(rpc)Plain?encoding=json&message={}", "")
private let rest = ("POST /v1/all", "application/json")
private let raw = ("POST /v1/raw", "image/png")
private let grpc = ("POST \(rpc)GetThing", "application/grpc")
private let grpcStream = ("POST \(rpc)Watch", "application/grpc")
private let web = ("POST \(rpc)Watch", "application/grpc-web+proto")
private let webText = ("POST \(rpc)Watch", "application/grpc-web-text")
private let webJSON = ("POST \(rpc)Watch", "application/grpc-web+json")
private let grpcJSON = ("POST \(rpc)Watch", "application/grpc+json")
private let stream = ("POST \(rpc)Watch", "application/connect+json")
private let protoStream = ("POST \(rpc)Watch", "application/connect+proto")
private let unserved = ("POST \(rpc)Plain", "text/plain")

private let message: [UInt8] = [0x0a, 1, 97, 0x10, 7]

@Suite struct WholeResponseTests {
    @Test(arguments: [
        (
            json, envelope(message),
            "200 content-type=application/json {\"text\":\"a\",\"long\":\"7\"}"
        ),
        (json, envelope([]), "200 content-type=application/json {}"),
        (get, envelope([]), "200 content-type=application/json vary=Accept-Encoding {}"),
        (proto, envelope(message), "200 content-type=application/proto \u{0a}\u{1}a\u{10}\u{7}"),
        (proto, envelope([]), "200 content-type=application/proto "),
        (
            rest, envelope(message),
            "200 content-type=application/json {\"text\":\"a\",\"long\":\"7\"}"
        ),
        (raw, envelope([0x0a, 3, 97, 47, 98, 0x12, 2, 104, 105]), "200 content-type=a/b hi"),
        (raw, envelope([0x12, 2, 104, 105]), "200 content-type=application/octet-stream hi"),
    ])
    func `one envelope becomes the response`(
        call: (String, String), bytes: [UInt8], expected: String
    ) throws {
        for size in 1...bytes.count {
            #expect(try ResponseRun(call).view(bytes, size: size).text == expected)
        }
    }

    @Test(
        arguments: [
            ([], "501 unimplemented bad_message_count"), ([0, 0, 0], "500 internal bad_envelope"),
            (envelope(message, flags: 1), "500 internal bad_envelope"),
            (envelope(message, flags: 2), "500 internal bad_envelope"),
            (Array(envelope(message).dropLast()), "500 internal bad_envelope"),
            (envelope(message) + envelope(message), "501 unimplemented bad_message_count"),
            ([0, 0, 0, 0, 101], "429 resource_exhausted upstream_message_too_large"),
            ([0, 255, 255, 255, 255], "429 resource_exhausted upstream_message_too_large"),
        ] as [([UInt8], String)])
    func `an answer that is not one message is the upstream's fault`(
        bytes: [UInt8], expected: String
    ) throws {
        let parts = expected.split(separator: " ")
        for size in 1...max(1, bytes.count) {
            let view = try ResponseRun(json).view(bytes, size: size)
            #expect(
                view.head == "\(parts[0]) content-type=application/json gateway-error=\(parts[2])")
            #expect(
                String(decoding: view.body, as: UTF8.self).hasPrefix("{\"code\":\"\(parts[1])\""))
        }
        let tooLarge = parts[2].hasSuffix("too_large")
        #expect(
            try ResponseRun(rest).view(bytes).head.hasPrefix(tooLarge ? "502" : parts[0] + " "))
    }

    @Test func `exactly the limit passes`() throws {
        let answer = envelope([0x0a, 98] + [UInt8](repeating: 97, count: 98))
        #expect(try ResponseRun(json).view(answer).head.hasPrefix("200 "))
        var small = ResponseRun(json)
        small.limit = 99
        #expect(try small.view(answer).head.hasPrefix("429 "))
    }

    @Test(arguments: ["a\r\nset-cookie: b", "a\u{0}", "\n", "text/plain\u{7f}"])
    func `a content type that is no field value does not reach the head`(contentType: String) throws
    {
        let type = Array(contentType.utf8)
        let bytes = envelope([0x0a, UInt8(type.count)] + type + [0x12, 1, 120])
        #expect(
            try ResponseRun(raw).view(bytes).text
                == "200 content-type=application/octet-stream x")
    }

    @Test(arguments: [json, proto, rest], [ContentCoding.gzip, .brotli, .zstd])
    func `a long answer is compressed where the client takes that`(
        call: (String, String), coding: ContentCoding
    ) throws {
        let long = [UInt8](repeating: 97, count: 2000)
        var run = ResponseRun(call, [("accept-encoding", "\(coding.name)")])
        run.limit = 4000
        let view = try run.view(envelope([0x0a, 0xd0, 0x0f] + long), size: 100)
        #expect(view.head.contains("content-encoding=\(coding.name)"))
        #expect(view.head.contains("vary=Accept-Encoding") == (call == rest))
        #expect(view.body.count < 200)
        var plain = OutputBlock()
        try Compression().inflate(view.body.span, coding, into: &plain, bytesMax: 4000)
        #expect(
            String(decoding: plain.array, as: UTF8.self).contains(
                String(repeating: "a", count: 2000)))
        let short = try run.view(envelope(message))
        #expect(!short.head.contains("content-encoding"))
    }

    @Test func `an answer that the upstream compressed unasked is inflated`() throws {
        let long = [0x0a, 0xd0, 0x0f] + [UInt8](repeating: 97, count: 2000)
        var run = ResponseRun(json)
        run.leading.append(("grpc-encoding", "gzip"))
        run.limit = 2003
        let answer = envelope(compressed(long, .gzip), flags: 1)
        #expect(try run.view(answer).head.hasPrefix("200 "))
        run.limit = 2002
        #expect(try run.view(answer).head.contains("upstream_message_too_large"))
        #expect(try run.view(envelope([1, 2], flags: 1)).head.contains("bad_answer"))
        run.leading = [("grpc-encoding", "snappy")]
        #expect(try run.view(answer).head.contains("bad_answer"))
    }
}

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
            (grpc, Status(.ok), "200 content-type=application/grpc grpc-status=0 "),
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
                "200 content-type=application/connect+json \u{2}\u{0}\u{0}\u{0}\u{2e}{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}"
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

@Suite struct StreamedResponseTests {
    @Test(arguments: [grpcStream, web, webJSON, grpcJSON, stream, protoStream])
    func `messages leave one by one however they are cut`(call: (String, String)) throws {
        let one = envelope([0x0a, 1, 97])
        var outcomes: Set<[UInt8]> = []
        for size in 1...18 {
            outcomes.insert(try ResponseRun(call).view(one + one, size: size).body)
        }
        let body = try #require(outcomes.first)
        #expect(outcomes.count == 1)
        let payload = call.1.hasSuffix("json") ? Array("{\"name\":\"a\"}".utf8) : [0x0a, 1, 97]
        let messages = try envelopes(body).filter { $0.flags == 0 }
        #expect(messages.map(\.payload) == [payload, payload])
    }

    @Test(arguments: [
        (grpcJSON, "grpc"), (webJSON, "grpc"), (stream, "connect-content"),
        (protoStream, "connect-content"),
    ])
    func `long messages are compressed where the client takes that`(
        call: (String, String), field: String
    ) throws {
        let accept = field == "grpc" ? "grpc-accept-encoding" : "connect-accept-encoding"
        var run = ResponseRun(call, [(accept, "identity, br")])
        run.limit = 4000
        let long = [0x0a, 0xd0, 0x0f] + [UInt8](repeating: 97, count: 2000)
        let view = try run.view(envelope(long) + envelope([]), size: 100)
        #expect(view.head.contains("\(field)-encoding=br"))
        let found = try envelopes(view.body)
        #expect(found[0].flags == 1)
        #expect(found[1].flags == 0)
        var plain = OutputBlock()
        let payload = found[0].payload
        try Compression().inflate(payload.span, .brotli, into: &plain, bytesMax: 4000)
        #expect(plain.count > 2000)
    }

    @Test func `gRPC's own codings pass untouched`() throws {
        var run = ResponseRun(web, [("grpc-accept-encoding", "gzip")])
        run.leading = [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip, x")]
        let view = try run.view(envelope([1, 2], flags: 1))
        #expect(
            view.head
                == "200 content-type=application/grpc-web+proto grpc-encoding=gzip grpc-accept-encoding=gzip, x"
        )
        #expect(view.body.starts(with: envelope([1, 2], flags: 1)))
    }

    @Test(
        arguments: [
            (envelope([UInt8](repeating: 0, count: 101)), "resourceExhausted"),
            (envelope([1], flags: 1), "internal"), ([0, 0], "internal"),
        ] as [([UInt8], String)])
    func `a broken stream of the upstream ends as an error`(body: [UInt8], code: String) throws {
        let number = code == "internal" ? 13 : 8
        let name = code == "internal" ? "internal" : "resource_exhausted"
        #expect(
            try ResponseRun(grpcStream).view(body).trailers.hasPrefix("grpc-status=\(number) "))
        let web = String(decoding: try ResponseRun(webJSON).view(body).body, as: UTF8.self)
        #expect(web.contains("grpc-status: \(number)\r\n"))
        let connect = String(decoding: try ResponseRun(stream).view(body).body, as: UTF8.self)
        #expect(connect.contains("{\"error\":{\"code\":\"\(name)\""))
    }

    @Test func `messages that expand are held until there is room`() throws {
        var run = ResponseRun(stream)
        let body = (0..<50).flatMap { _ in envelope([0x0a, 1, 97]) }
        let all = try run.view(body, size: 1000).body
        run.room = 1
        #expect(try run.view(body, size: 1000).body == all)
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
