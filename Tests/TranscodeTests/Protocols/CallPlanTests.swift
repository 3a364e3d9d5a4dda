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
            ("POST \(rpc)GetThing", "application/grpc+json", .grpc(.json), "GetThing"),
            (
                "POST \(rpc)GetThing", "application/grpc-web", .grpcWeb(.proto, isText: false),
                "GetThing"
            ),
            (
                "POST \(rpc)Chat", "application/grpc-web-text+json", .grpcWeb(.json, isText: true),
                "Chat"
            ),
            ("POST \(rpc)Watch", "application/connect+json", .connectStreaming(.json), "Watch"),
            ("POST \(rpc)Chat", "application/connect+proto", .connectStreaming(.proto), "Chat"),
            ("GET \(rpc)Plain?encoding=json&message={}", "", .connectGet(.json), "Plain"),
            (
                "GET \(rpc)Plain?encoding=proto&message=", "application/json", .connectGet(.proto),
                "Plain"
            ),
            ("HEAD \(rpc)Plain?encoding=json&message={}", "", .connectGet(.json), "Plain"),
            ("POST \(rpc)Plain", "application/json", .connectUnary(.json), "Plain"),
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
                "POST \(rpc)GetThing", [("content-type", "application/grpc+xml")],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "POST \(rpc)GetThing", [("content-type", "application/connect+json")],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "GET \(rpc)Watch?encoding=json&message={}", [],
                "unimplemented 405 method_not_allowed"
            ),
            ("DELETE \(rpc)Plain", [], "unimplemented 405 method_not_allowed"),
            ("GET \(rpc)Plain", [], "invalidArgument 400 bad_query"),
            (
                "GET \(rpc)Plain?encoding=xml&message=", [],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "GET \(rpc)Plain?encoding=json&message=&compression=lzma", [],
                "unimplemented 501 unsupported_content_encoding"
            ),
            (
                "POST \(rpc)Watch", [("content-type", "application/json")],
                "invalidArgument 415 unsupported_content_type"
            ),
            (
                "POST \(rpc)GetThing",
                [("content-type", "application/json"), ("connect-protocol-version", "2")],
                "invalidArgument 400 bad_protocol_version"
            ),
            (
                "POST \(rpc)GetThing",
                [("content-type", "application/json"), ("content-encoding", "snappy")],
                "unimplemented 501 unsupported_content_encoding"
            ),
            (
                "POST \(rpc)GetThing",
                [("content-type", "application/grpc"), ("grpc-encoding", "snappy")],
                "unimplemented 501 unsupported_content_encoding"
            ),
            (
                "POST \(rpc)Watch",
                [("content-type", "application/connect+json"), ("connect-content-encoding", "x")],
                "unimplemented 501 unsupported_content_encoding"
            ),
            (
                "POST \(rpc)Watch",
                [("content-type", "application/connect+json"), ("connect-protocol-version", "2")],
                "invalidArgument 400 bad_protocol_version"
            ),
            (
                "POST \(rpc)GetThing",
                [("content-type", "application/json"), ("content-encoding", "deflate")],
                "unimplemented 501 unsupported_content_encoding"
            ),
            (
                "POST /v1/all", [("content-encoding", "compress")],
                "invalidArgument 415 unsupported_content_encoding"
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

    /// "request coding, response coding", each with `*` where messages pass as they are.
    private static func codings(_ line: String, _ fields: [(String, String)]) throws -> String {
        let call = TestCall(line: line, fields: fields)
        let (plan, _, error) = call.resolved(by: try CallPlanTests.methods())
        #expect(error == nil)
        return "\(plan.requestCoding)\(plan.requestPasses ? "*" : "") "
            + "\(plan.responseCoding)\(plan.responsePasses ? "*" : "")"
    }

    @Test(
        arguments: [
            ("GetThing", "application/grpc", "grpc-encoding", "grpc-accept-encoding", true),
            ("GetThing", "application/grpc-web", "grpc-encoding", "grpc-accept-encoding", true),
            ("GetThing", "application/grpc+json", "grpc-encoding", "grpc-accept-encoding", false),
            ("GetThing", "application/json", "content-encoding", "accept-encoding", false),
            (
                "Watch", "application/connect+json", "connect-content-encoding",
                "connect-accept-encoding", false
            ),
        ] as [(String, String, String, String, Bool)])
    func `codings are the protocol's own, and pass where every upstream knows them`(
        method: String, type: String, encoding: String, accept: String, passes: Bool
    ) throws {
        let mark = passes ? "*" : ""
        func codings(_ fields: [(String, String)]) throws -> String {
            try CallPlanTests.codings(
                "POST \(rpc)\(method)", [("content-type", type)] + fields)
        }
        #expect(try codings([]) == "identity\(mark) identity\(mark)")
        #expect(
            try codings([(encoding, "gzip"), (accept, "identity, gzip")])
                == "gzip\(mark) gzip\(mark)")
        #expect(try codings([(encoding, "br"), (accept, "zstd")]) == "brotli zstd")
        #expect(
            try codings([("x-encoding", "br"), (accept, "snappy")])
                == "identity\(mark) identity\(mark)")
    }

    /// SEMANTICS e: by Accept if it names gRPC-Web, else as the request.
    @Test(
        arguments: [
            ("application/grpc-web-text", nil, true), ("application/grpc-web", nil, false),
            ("application/grpc-web", "application/grpc-web-text", true),
            ("application/grpc-web-text", "application/grpc-web+proto", false),
            ("application/grpc-web-text", "*/*", true),
            ("application/grpc-web", "text/html, Application/gRPC-Web-Text;q=1", true),
            ("application/grpc", "application/grpc-web-text", false),
        ] as [(String, String?, Bool)])
    func `the answer is text where the client wants that`(
        type: String, accept: String?, isText: Bool
    ) throws {
        var fields = [("content-type", type)]
        if let accept { fields.append(("accept", accept)) }
        let call = TestCall(line: "POST \(rpc)GetThing", fields: fields)
        #expect(call.resolved(by: try CallPlanTests.methods()).plan.answersAsText == isText)
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
        #expect(timeout("POST \(rpc)GetThing", "application/grpc-web") == nil)
        #expect(timeout("POST \(rpc)Watch", "application/connect+json") == nil)
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
