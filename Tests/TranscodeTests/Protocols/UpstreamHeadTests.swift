import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"

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
        var start = Fields()
        let path = methods.methods[Int(plan.method)].path
        GRPC.appendRequestStart(path: path.span, authority: "up:1", scheme: "http", to: &start)
        plan.appendUpstreamHead(
            start, from: call.head, remainingNanoseconds: remaining, to: &made)
        return made.text
    }

    private static let start = ":method=POST :scheme=http :path=\(rpc)GetThing :authority=up:1"
    private static let end = "te=trailers content-type=application/grpc"

    @Test func `the head begins with pseudo-fields, what gRPC needs and the timeout`() throws {
        #expect(
            try UpstreamHeadTests.head([]) == "\(UpstreamHeadTests.start) \(UpstreamHeadTests.end)")
        #expect(
            try UpstreamHeadTests.head([], remaining: 1_500_000)
                == "\(UpstreamHeadTests.start) \(UpstreamHeadTests.end) grpc-timeout=1500000n")
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

    @Test(
        arguments: [
            ("application/json", "gzip", "gzip", ""),
            ("application/grpc+json", "gzip", "gzip", ""),
            (
                "application/grpc-web-text", "gzip", "identity, gzip",
                " grpc-encoding=gzip grpc-accept-encoding=identity, gzip"
            ),
            ("application/grpc", "br", "gzip", " grpc-accept-encoding=gzip"),
            ("application/grpc", "deflate", "zstd", " grpc-encoding=deflate"),
        ])
    func `codings of messages pass only where the messages do`(
        type: String, encoding: String, accept: String, passed: String
    ) throws {
        let fields = [("grpc-encoding", encoding), ("grpc-accept-encoding", accept)]
        #expect(
            try UpstreamHeadTests.head(fields, contentType: type)
                == "\(UpstreamHeadTests.start) \(UpstreamHeadTests.end)\(passed)")
    }
}
