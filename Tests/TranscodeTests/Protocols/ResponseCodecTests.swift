import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"

@Suite struct ResponseCodecTests {
    private static let json = ("POST \(rpc)Plain", "application/json")
    private static let proto = ("POST \(rpc)Plain", "application/proto")
    private static let rest = ("POST /v1/all", "application/json")
    private static let raw = ("POST /v1/raw", "image/png")
    private static let grpc = ("POST \(rpc)GetThing", "application/grpc")
    private static let unserved = ("POST \(rpc)Plain", "text/plain")

    private static func codec(_ call: (String, String)) throws -> (
        ResponseCodec, CallPlan, RouteMatch, MethodTable
    ) {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let test = TestCall(line: call.0, fields: [("content-type", call.1)])
        let (plan, match, _) = test.resolved(by: methods)
        return (ResponseCodec(plan), plan, match, methods)
    }

    /// "200 content-type=… body", or the code, HTTP status and reason of the refusal.
    private static func answer(_ call: (String, String), _ answer: [UInt8]) throws -> String {
        let (codec, plan, _, methods) = try codec(call)
        var block = OutputBlock()
        block.append(answer.span)
        var head = ResponseHead()
        var body = OutputBlock()
        do throws(Status) {
            try codec.appendAnswer(
                block, leading: Fields(), plan: plan, methods: methods, to: &head, body: &body)
        } catch {
            return "\(error.code) \(error.httpStatus) \(error.reason ?? "-")"
        }
        return "\(head.status) \(head.fields.text) \(String(copying: body.bytes))"
    }

    private static let message: [UInt8] = [0x0a, 1, 97, 0x10, 7]

    @Test(arguments: [
        (
            json, envelope(message),
            "200 content-type=application/json {\"text\":\"a\",\"long\":\"7\"}"
        ),
        (json, envelope([]), "200 content-type=application/json {}"),
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
        #expect(try ResponseCodecTests.answer(call, bytes) == expected)
    }

    @Test(arguments: [
        ([], "unimplemented 501 bad_answer"), ([0, 0, 0], "unimplemented 501 bad_answer"),
        (envelope(message, flags: 1), "internal 500 bad_answer"),
        (envelope(message, flags: 2), "internal 500 bad_answer"),
        (Array(envelope(message).dropLast()), "internal 500 bad_answer"),
    ])
    func `an answer that is not one message is the upstream's fault`(
        bytes: [UInt8], expected: String
    ) throws {
        #expect(try ResponseCodecTests.answer(ResponseCodecTests.json, bytes) == expected)
        #expect(try ResponseCodecTests.answer(ResponseCodecTests.rest, bytes) == expected)
    }

    @Test(arguments: ["a\r\nset-cookie: b", "a\u{0}", "\n", "text/plain\u{7f}"])
    func `a content type that is no field value does not reach the head`(contentType: String) throws
    {
        let type = Array(contentType.utf8)
        let bytes = envelope([0x0a, UInt8(type.count)] + type + [0x12, 1, 120])
        #expect(
            try ResponseCodecTests.answer(ResponseCodecTests.raw, bytes)
                == "200 content-type=application/octet-stream x")
    }

    @Test func `an answer that grows past its message or the limit is not waited for`() throws {
        let (codec, _, _, _) = try ResponseCodecTests.codec(ResponseCodecTests.json)
        func refusal(_ bytes: [UInt8], limit: Int) -> String? {
            var block = OutputBlock()
            block.append(bytes.span)
            do throws(Status) {
                try codec.checkGrowing(block, messageBytesMax: limit)
                return nil
            } catch {
                return "\(error.code) \(error.reason ?? "-")"
            }
        }
        #expect(refusal([], limit: 4) == nil)
        #expect(refusal([0, 0, 0, 0], limit: 4) == nil)
        #expect(refusal([0, 0, 0, 0, 4], limit: 4) == nil)
        #expect(refusal([0, 0, 0, 0, 5], limit: 4) == "resourceExhausted message_too_large")
        #expect(
            refusal([0, 255, 255, 255, 255], limit: 4) == "resourceExhausted message_too_large")
        #expect(refusal([0, 0, 0, 0, 2, 1, 2], limit: 4) == nil)
        #expect(refusal([0, 0, 0, 0, 2, 1, 2, 0], limit: 4) == "unimplemented bad_answer")
    }

    private static func error(_ call: (String, String), _ status: Status) throws -> String {
        let (codec, plan, _, methods) = try codec(call)
        var head = ResponseHead()
        var body = OutputBlock()
        codec.appendError(status, plan: plan, methods: methods, to: &head, body: &body)
        return "\(head.status) \(head.fields.text) \(String(copying: body.bytes))"
    }

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
                json,
                Status(.resourceExhausted, "big", httpStatus: 413, reason: "message_too_large"),
                "429 content-type=application/json gateway-error=message_too_large {\"code\":\"resource_exhausted\",\"message\":\"big\"}"
            ),
            (
                rest,
                Status(.resourceExhausted, "big", httpStatus: 413, reason: "message_too_large"),
                "413 content-type=application/json gateway-error=message_too_large {\"code\":8,\"message\":\"big\"}"
            ),
            (
                unserved, .rest(415, "type", reason: "unsupported_content_type"),
                "415 content-type=application/json gateway-error=unsupported_content_type accept-post="
                    + "application/grpc, application/grpc+proto, application/json, application/proto {\"code\":3,\"message\":\"type\"}"
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
        ] as [((String, String), Status, String)])
    func `an error has the shape of the client's protocol`(
        call: (String, String), status: Status, expected: String
    ) throws {
        #expect(try ResponseCodecTests.error(call, status) == expected)
    }

    /// The answer or error of POST /v1/all under these options.
    private static func rest(
        _ status: Status, leading: [(String, String)] = [],
        _ change: (inout RESTOptions) -> Void
    ) throws -> String {
        var options = MethodOptions()
        change(&options.rest)
        let methods = try MethodTable(
            pool: try TestPool.rest.get(), errorFormat: .status, options: { _ in options })
        let test = TestCall(line: "POST /v1/all", fields: [("content-type", "application/json")])
        let (plan, _, _) = test.resolved(by: methods)
        let codec = ResponseCodec(plan)
        var fields = Fields()
        fields.append(leading)
        var head = ResponseHead()
        var body = OutputBlock()
        if status.isOK {
            var answer = OutputBlock()
            answer.append(envelope(message).span)
            try codec.appendAnswer(
                answer, leading: fields, plan: plan, methods: methods, to: &head, body: &body)
        } else {
            codec.appendError(status, plan: plan, methods: methods, to: &head, body: &body)
        }
        codec.appendMetadata(
            leading: fields, trailing: Fields(), isTrailersOnly: false, plan: plan,
            methods: methods, to: &head)
        return "\(head.status) \(head.fields.text) \(String(copying: body.bytes))"
    }

    @Test func `success has the status that the options or the upstream name`() throws {
        let json = "content-type=application/json {\"text\":\"a\",\"long\":\"7\"}"
        #expect(try ResponseCodecTests.rest(.ok) { $0.successStatus = 201 } == "201 \(json)")
        #expect(try ResponseCodecTests.rest(.ok) { $0.successStatus = 204 } == "204  ")
        #expect(try ResponseCodecTests.rest(.ok) { $0.emptyStatus = 204 } == "200 \(json)")
        let code = [("x-http-code", "202")]
        #expect(
            try ResponseCodecTests.rest(.ok, leading: code) { $0.statusMetadata = "x-http-code" }
                == "202 \(json)")
        #expect(
            try ResponseCodecTests.rest(.ok, leading: code) { _ in }
                == "200 content-type=application/json x-http-code=202 {\"text\":\"a\",\"long\":\"7\"}"
        )
        #expect(
            try ResponseCodecTests.rest(Status(.notFound, "no"), leading: code) {
                $0.statusMetadata = "x-http-code"
            } == "404 content-type=application/json {\"code\":5,\"message\":\"no\"}")
    }

    @Test func `errors tell how to do better`() throws {
        let json = "content-type=application/json"
        #expect(
            try ResponseCodecTests.rest(Status(.unauthenticated)) { $0.challenge = "Bearer" }
                == "401 \(json) www-authenticate=Bearer {\"code\":16,\"message\":\"\"}")
        #expect(
            try ResponseCodecTests.rest(Status(.permissionDenied)) { $0.challenge = "Bearer" }
                == "403 \(json) {\"code\":7,\"message\":\"\"}")
        #expect(
            try ResponseCodecTests.rest(Status(.notFound, "no")) { $0.errorFormat = .aip193 }
                == "404 \(json) {\"error\":{\"code\":404,\"message\":\"no\",\"status\":\"NOT_FOUND\"}}"
        )
        var later = Status(.unavailable)
        later.addDetail("google.rpc.RetryInfo") { $0.append([0x0a, 2, 0x08, 5].span) }
        #expect(
            try ResponseCodecTests.rest(later) { _ in }.hasPrefix("503 \(json) retry-after=5 {"))
        later.code = .notFound
        later.httpStatus = 404
        #expect(try ResponseCodecTests.rest(later) { _ in }.hasPrefix("404 \(json) {"))
        let refused = Status.rest(
            415, "x", reason: "unsupported_content_type", accepted: .patch("application/json"))
        #expect(
            try ResponseCodecTests.rest(refused) { _ in }
                == "415 \(json) gateway-error=unsupported_content_type "
                + "accept-patch=application/json {\"code\":3,\"message\":\"x\"}")
    }

    private static func metadata(
        _ call: (String, String), leading: [(String, String)], trailing: [(String, String)],
        isTrailersOnly: Bool = false
    ) throws -> String {
        let (codec, plan, _, methods) = try codec(call)
        var first = Fields()
        first.append(leading)
        var last = Fields()
        last.append(trailing)
        var head = ResponseHead()
        codec.appendMetadata(
            leading: first, trailing: last, isTrailersOnly: isTrailersOnly, plan: plan,
            methods: methods, to: &head)
        return head.fields.text
    }

    @Test(arguments: [
        (json, "trailer-"), (proto, "trailer-"), (rest, "grpc-trailer-"), (grpc, ""),
    ])
    func `metadata keeps its names, trailers get the protocol's prefix`(
        call: (String, String), prefix: String
    ) throws {
        let leading = [
            ("x-a", "1"), ("content-type", "application/grpc"), ("set-cookie", "c"),
            ("grpc-encoding", "gzip"),
        ]
        let trailing = [
            ("x-b", "2"), ("grpc-status", "0"), ("grpc-message", ""),
            ("transfer-encoding", "chunked"),
        ]
        #expect(
            try ResponseCodecTests.metadata(call, leading: leading, trailing: trailing)
                == "x-a=1 set-cookie=c \(prefix)x-b=2")
        #expect(
            try ResponseCodecTests.metadata(
                call, leading: [("x-a", "1")], trailing: [], isTrailersOnly: true)
                == "\(prefix)x-a=1")
    }

    @Test func `a streamed gRPC response carries codings, metadata and the status`() throws {
        var (codec, _, _, _) = try ResponseCodecTests.codec(ResponseCodecTests.grpc)
        #expect(codec.isStreaming)
        var upstream = Fields()
        upstream.append([
            ("content-type", "application/grpc+proto"), ("grpc-encoding", "gzip"), ("x-a", "1"),
            ("server", "s"),
        ])
        codec.begin(upstream, isSingle: true, messageBytesMax: 4)
        var head = ResponseHead()
        codec.appendHead(of: upstream, to: &head)
        #expect(head.fields.text == "content-type=application/grpc grpc-encoding=gzip x-a=1")
        var trailing = Fields()
        trailing.append([("grpc-status", "0"), ("x-b", "2")])
        var trailers = Fields()
        codec.appendTrailers(Status(.aborted, "m"), metadata: trailing, to: &trailers)
        #expect(trailers.text == "grpc-status=10 grpc-message=m x-b=2")
        try codec.check(envelope([1, 2, 3, 4], flags: 1).span)
        try codec.checkEnd()
        #expect(throws: Status.self) { try codec.check(envelope([1]).span) }
    }

    @Test func `a streamed response is held to the limit and to its declared encoding`() throws {
        let (codec, _, _, _) = try ResponseCodecTests.codec(ResponseCodecTests.grpc)
        var upstream = Fields()
        upstream.append([("grpc-encoding", "identity")])
        func refusal(_ body: [UInt8]) -> StatusCode? {
            var codec = codec
            codec.begin(upstream, isSingle: false, messageBytesMax: 4)
            do throws(Status) {
                try codec.check(body.span)
                try codec.checkEnd()
                return nil
            } catch {
                return error.code
            }
        }
        #expect(refusal(envelope([1]) + envelope([2])) == nil)
        #expect(refusal(envelope([1, 2, 3, 4, 5])) == .resourceExhausted)
        #expect(refusal(envelope([1], flags: 1)) == .internal)
        #expect(refusal([0, 0]) == .internal)
    }
}
