import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"

@Suite struct CallPlanTests {
    private static func methods() throws -> MethodTable {
        try MethodTable(pool: try TestPool.rest.get())
    }

    private static func name(_ plan: CallPlan, _ methods: MethodTable) -> String {
        plan.method < 0 ? "-" : methods.methods[Int(plan.method)].descriptor.name
    }

    @Test(
        arguments: [
            ("POST \(rpc)GetThing", "application/grpc", .grpc(.proto), "GetThing"),
            ("POST \(rpc)Chat", "application/grpc+proto", .grpc(.proto), "Chat"),
            ("POST \(rpc)Chat?x", "application/grpc+proto", .grpc(.proto), "Chat"),
            ("POST \(rpc)GetThing", "application/json", .connectUnary(.json), "GetThing"),
            ("POST \(rpc)Plain", "application/proto", .connectUnary(.proto), "Plain"),
            ("GET /v1/shelves/1/things/2", "", .rest, "GetThing"),
            ("GET /v1/query?text=a", "application/json", .rest, "Query"),
            ("POST /v1/all", "application/json", .rest, "Post"),
            ("POST /v1/raw", "image/png", .rest, "Upload"),
        ] as [(String, String, ClientProtocol, String)])
    func `a head is resolved to its protocol and method`(
        line: String, contentType: String, expected: ClientProtocol, name: String
    ) throws {
        let methods = try CallPlanTests.methods()
        let fields = contentType.isEmpty ? [] : [("content-type", contentType)]
        let (plan, _, error) = TestCall(line: line, fields: fields).resolved(by: methods)
        #expect(error == nil)
        #expect(plan.clientProtocol == expected)
        #expect(CallPlanTests.name(plan, methods) == name)
    }

    @Test(
        arguments: [
            (
                "POST /nowhere", [("content-type", "application/grpc")],
                "unimplemented 404 method_not_found"
            ),
            (
                "POST /nowhere", [("content-type", "application/connect+json")],
                "unimplemented 404 method_not_found"
            ),
            (
                "POST \(rpc)Nothing", [("content-type", "application/grpc-web")],
                "unimplemented 404 method_not_found"
            ),
            (
                "POST /nowhere", [("content-type", "application/json")],
                "notFound 404 route_not_found"
            ),
            ("GET /nowhere", [], "notFound 404 route_not_found"),
            ("OPTIONS *", [], "notFound 404 route_not_found"),
            (
                "POST \(rpc)Nothing", [("content-type", "application/json")],
                "notFound 404 route_not_found"
            ),
            ("DELETE /v1/query", [], "unimplemented 405 method_not_allowed"),
            ("GET /v1/query/%zz/1", [], "invalidArgument 400 malformed_path"),
            (
                "GET \(rpc)GetThing", [("content-type", "application/grpc")],
                "unimplemented 405 method_not_allowed"
            ),
            ("GET \(rpc)GetThing", [], "unimplemented 405 method_not_allowed"),
            (
                "PUT \(rpc)GetThing", [("content-type", "application/json")],
                "unimplemented 405 method_not_allowed"
            ),
            ("POST \(rpc)GetThing", [], "invalidArgument 415 unsupported_content_type"),
            (
                "POST \(rpc)GetThing", [("content-type", "text/plain")],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "POST \(rpc)GetThing", [("content-type", "application/grpc+json")],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "POST \(rpc)GetThing", [("content-type", "application/grpc-web")],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "POST \(rpc)Watch", [("content-type", "application/json")],
                "invalidArgument 415 unsupported_content_type"
            ),
            ("GET /v1/watch/a", [], "unimplemented 501 streaming_not_supported"),
            (
                "POST \(rpc)GetThing",
                [("content-type", "application/json"), ("connect-protocol-version", "2")],
                "invalidArgument 400 bad_protocol_version"
            ),
            (
                "POST \(rpc)GetThing",
                [("content-type", "application/json"), ("content-encoding", "gzip")],
                "unimplemented 415 unsupported_content_encoding"
            ),
            (
                "POST /v1/all", [("content-encoding", "br")],
                "unimplemented 415 unsupported_content_encoding"
            ),
            ("GET /v1/query", [("grpc-timeout", "1")], "invalidArgument 400 bad_timeout"),
            ("GET /v1/query", [("grpc-timeout", "")], "invalidArgument 400 bad_timeout"),
            (
                "GET /v1/query", [("connect-timeout-ms", "12345678901")],
                "invalidArgument 400 bad_timeout"
            ),
            ("GET /v1/query", [("x-server-timeout", "-1")], "invalidArgument 400 bad_timeout"),
        ] as [(String, [(String, String)], String)])
    func `a head that is no call is refused with its reason`(
        line: String, fields: [(String, String)], error expected: String
    ) throws {
        let call = TestCall(line: line, fields: fields)
        let error = try #require(try call.resolved(by: CallPlanTests.methods()).error)
        #expect("\(error.code) \(error.httpStatus) \(error.reason ?? "-")" == expected)
        #expect((error.accepted != nil) == (error.httpStatus == 405))
    }

    @Test(arguments: [HTTPVersion.http10, .http11])
    func `gRPC needs HTTP 2`(version: HTTPVersion) throws {
        var call = TestCall(
            line: "POST \(rpc)GetThing", fields: [("content-type", "application/grpc")])
        let methods = try CallPlanTests.methods()
        #expect(call.resolved(by: methods).error == nil)
        call.version = version
        #expect(call.resolved(by: methods).error?.httpStatus == 505)
    }

    @Test(
        arguments: [
            ([], nil), ([("grpc-timeout", "5S")], 5_000_000_000),
            ([("connect-timeout-ms", "20")], 20_000_000),
            ([("x-server-timeout", "0.25")], 250_000_000), ([("grpc-timeout", "0n")], 0),
            (
                [("grpc-timeout", "5S"), ("connect-timeout-ms", "20"), ("x-server-timeout", "1")],
                20_000_000
            ),
            ([("x-server-timeout", "2"), ("x-server-timeout", "1")], 1_000_000_000),
        ] as [([(String, String)], Int64?)])
    func `the smallest of the client's timeouts holds`(fields: [(String, String)], timeout: Int64?)
        throws
    {
        let call = TestCall(line: "GET /v1/query", fields: fields)
        let (plan, _, error) = call.resolved(by: try CallPlanTests.methods())
        #expect(error == nil)
        #expect(plan.timeout == timeout)
    }

    @Test func `only calls of one message by REST and Connect have a time by default`() throws {
        let methods = try CallPlanTests.methods()
        func timeout(_ line: String, _ contentType: String) -> Int64? {
            let call = TestCall(line: line, fields: [("content-type", contentType)])
            return call.resolved(by: methods).plan.defaultTimeout(in: methods)
        }
        #expect(timeout("POST \(rpc)GetThing", "application/grpc") == nil)
        #expect(timeout("POST \(rpc)GetThing", "application/json") == 15_000_000_000)
        #expect(timeout("GET /v1/query", "") == 15_000_000_000)
        #expect(timeout("GET /nowhere", "") == nil)
        #expect(timeout("POST \(rpc)Chat", "application/grpc") == nil)
    }

    @Test func `a plan knows which sides stream`() throws {
        let methods = try CallPlanTests.methods()
        func kinds(_ name: String) -> [Bool] {
            let call = TestCall(
                line: "POST \(rpc)\(name)", fields: [("content-type", "application/grpc")])
            let plan = call.resolved(by: methods).plan
            return [
                plan.isUnary(in: methods), plan.isClientStreaming(in: methods),
                plan.isServerStreaming(in: methods),
            ]
        }
        #expect(kinds("GetThing") == [true, false, false])
        #expect(kinds("Watch") == [false, false, true])
        #expect(kinds("Send") == [false, true, false])
        #expect(kinds("Chat") == [false, true, true])
        #expect(kinds("Nothing") == [true, false, false])
    }
}

@Suite struct UpstreamHeadTests {
    private static func head(
        _ fields: [(String, String)], line: String = "POST \(rpc)GetThing",
        contentType: String = "application/grpc",
        remaining: Int64? = nil
    ) throws -> String {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let call = TestCall(line: line, fields: [("content-type", contentType)] + fields)
        let (plan, _, error) = call.resolved(by: methods)
        #expect(error == nil)
        var made = Fields()
        plan.appendUpstreamHead(
            from: call.head, methods: methods, authority: "up:1", scheme: "http",
            remainingNanoseconds: remaining, to: &made)
        return made.text
    }

    private static let start = ":method=POST :scheme=http :path=\(rpc)GetThing :authority=up:1"
    private static let end = "te=trailers content-type=application/grpc"

    @Test func `the head begins with pseudo-fields, the timeout and what gRPC needs`() throws {
        #expect(
            try UpstreamHeadTests.head([]) == "\(UpstreamHeadTests.start) \(UpstreamHeadTests.end)")
        #expect(
            try UpstreamHeadTests.head([], remaining: 1_500_000)
                == "\(UpstreamHeadTests.start) grpc-timeout=1500000n \(UpstreamHeadTests.end)")
        let rest = try UpstreamHeadTests.head(
            [], line: "GET /v1/shelves/1/things/2?read_mask=title", contentType: "application/json")
        #expect(rest == "\(UpstreamHeadTests.start) \(UpstreamHeadTests.end)")
    }

    @Test(
        arguments: [
            (
                [("x-a", "1"), ("authorization", "Bearer x"), ("x-a", "2")],
                "x-a=1 authorization=Bearer x x-a=2"
            ),
            ([("accept", "*/*"), ("user-agent", "curl/8")], "accept=*/* user-agent=curl/8"),
            (
                [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")],
                "grpc-encoding=gzip grpc-accept-encoding=gzip"
            ),
            (
                [("grpc-previous-rpc-attempts", "1"), ("grpc-foo", "x")],
                "grpc-previous-rpc-attempts=1"
            ),
            ([("x-bin", "AAE"), ("y-bin", "AAE=,AA")], "x-bin=AAE y-bin=AAE=,AA"),
            (
                [
                    ("host", "a"), ("content-length", "5"), ("content-encoding", "identity"),
                    ("te", "gzip"),
                    ("grpc-timeout", "5S"), ("expect", "100-continue"), ("upgrade", "h2c"),
                    ("keep-alive", "x"),
                    ("proxy-authorization", "x"), ("connect-protocol-version", "1"),
                    ("accept-encoding", "gzip"),
                ], ""
            ),
            (
                [("connection", "x-hop, X-Two"), ("x-hop", "1"), ("x-two", "2"), ("x-stays", "3")],
                "x-stays=3"
            ),
            (
                [
                    ("connection", "close"), ("connection", "x-hop"), ("x-hop", "1"),
                    ("x-stays", "3"),
                ], "x-stays=3"
            ),
            ([("x!y", "1"), ("x#", "2"), ("x-ok_1.2", "3")], "x-ok_1.2=3"),
            ([("x-tab", "a\tb"), ("x-obs", "é")], "x-tab=a\tb x-obs=é"),
            (
                [("x-bin", "not base64!"), ("y-bin", "A"), ("z-bin", ""), ("ok-bin", "_-8")],
                "z-bin= ok-bin=_-8"
            ),
        ] as [([(String, String)], String)])
    func `metadata passes and the rest does not`(fields: [(String, String)], metadata: String)
        throws
    {
        let expected = [UpstreamHeadTests.start, UpstreamHeadTests.end, metadata]
            .filter { !$0.isEmpty }.joined(separator: " ")
        #expect(try UpstreamHeadTests.head(fields) == expected)
    }

    @Test func `codings of gRPC messages pass only where the client speaks gRPC`() throws {
        let fields = [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip")]
        #expect(
            try UpstreamHeadTests.head(fields, contentType: "application/json")
                == "\(UpstreamHeadTests.start) \(UpstreamHeadTests.end)")
    }
}
