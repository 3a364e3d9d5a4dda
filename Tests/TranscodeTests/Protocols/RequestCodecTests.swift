import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"

@Suite struct RequestCodecTests {
    /// The envelope that the one message of a call becomes: `text="a"`, or "400 …".
    private static func encoded(_ line: String, _ contentType: String, _ body: [UInt8]) throws
        -> String
    {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let call = TestCall(line: line, fields: [("content-type", contentType)])
        let (plan, match, error) = call.resolved(by: methods)
        if let error { return "refused \(error.httpStatus)" }
        let codec = RequestCodec(plan, methods: methods, messageBytesMax: 100)
        #expect(!codec.isStreaming)
        var entity = OutputBlock()
        entity.append(body.span)
        entity.seal()
        var output = OutputBlock()
        output.append("before")
        var scratch = BindingScratch()
        do throws(Status) {
            try codec.encode(
                call.head, body: entity, plan: plan, match: match, methods: methods,
                scratch: &scratch,
                into: &output)
        } catch {
            return "\(error.httpStatus) \(error.message)"
        }
        let made = Array(output.array.dropFirst(6))
        let found = EnvelopePrefix(made.span)
        let prefix = try #require(found)
        #expect(prefix.flags == 0)
        #expect(Int(prefix.length) == made.count - 5)
        let input = methods.methods[Int(plan.method)].descriptor.input
        return try described(made.span.extracting(5..<made.count), input, methods.pool)
    }

    @Test(arguments: [
        (
            "POST \(rpc)Plain", "application/json", "{\"text\":\"a\",\"long\":\"7\"}",
            "text=\"a\" long=7"
        ),
        ("POST \(rpc)Plain", "application/json", "{}", ""),
        ("POST \(rpc)Plain", "application/proto", "", ""),
        ("POST \(rpc)Plain", "application/proto", "\u{0a}\u{1}a", "text=\"a\""),
        ("GET /v1/query/a/7?flag=true", "", "", "text=\"a\" long=7 flag=1"),
        ("POST /v1/all/b", "application/json", "{\"long\":1}", "text=\"b\" long=1"),
    ])
    func `a body becomes one envelope`(
        line: String, contentType: String, body: String, message: String
    ) throws {
        let parts = try RequestCodecTests.encoded(line, contentType, Array(body.utf8)).split(
            separator: " "
        ).sorted()
        #expect(parts == message.split(separator: " ").sorted())
    }

    @Test(arguments: [
        ("POST \(rpc)Plain", "application/json", "", "400"),
        ("POST \(rpc)Plain", "application/json", "[]", "400"),
        ("POST \(rpc)Plain", "application/json", "{\"long\":\"x\"}", "400"),
        ("POST \(rpc)Plain", "application/json", "{} {}", "400"),
        ("POST /v1/all", "application/json", "{", "400"),
        ("GET /v1/query?nothing=1", "", "", "400"), ("GET /v1/query/a/x", "", "", "400"),
    ])
    func `a body that is no message is refused`(
        line: String, contentType: String, body: String, start: String
    ) throws {
        let found = try RequestCodecTests.encoded(line, contentType, Array(body.utf8))
        #expect(found.hasPrefix(start), "\(found)")
    }

    private static func codec(_ name: String, encoding: String? = nil) throws -> RequestCodec {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        var call = TestCall(
            line: "POST \(rpc)\(name)", fields: [("content-type", "application/grpc")])
        if let encoding { call.fields.append(("grpc-encoding", encoding)) }
        return RequestCodec(call.resolved(by: methods).plan, methods: methods, messageBytesMax: 4)
    }

    /// The code with which a streaming body is refused; nil when it passes.
    private static func refusal(_ codec: RequestCodec, _ body: [UInt8]) -> StatusCode? {
        var codec = codec
        do throws(Status) {
            try codec.check(body.span)
            try codec.checkEnd()
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `gRPC is checked by the kind of its method`() throws {
        let one = envelope([1])
        let unary = try RequestCodecTests.codec("GetThing")
        #expect(unary.isStreaming)
        #expect(RequestCodecTests.refusal(unary, one) == nil)
        #expect(RequestCodecTests.refusal(unary, one + one) == .unimplemented)
        #expect(RequestCodecTests.refusal(unary, []) == .unimplemented)
        let serverStream = try RequestCodecTests.codec("Watch")
        #expect(RequestCodecTests.refusal(serverStream, one + one) == .unimplemented)
        let clientStream = try RequestCodecTests.codec("Send")
        #expect(RequestCodecTests.refusal(clientStream, one + one) == nil)
        #expect(RequestCodecTests.refusal(clientStream, []) == nil)
        #expect(
            RequestCodecTests.refusal(clientStream, envelope([1, 2, 3, 4, 5])) == .resourceExhausted
        )
    }

    @Test(
        arguments: [(nil, .internal), ("identity", .internal), ("gzip", nil)]
            as [(String?, StatusCode?)])
    func `compressed messages need a declared encoding`(encoding: String?, refusal: StatusCode?)
        throws
    {
        let codec = try RequestCodecTests.codec("GetThing", encoding: encoding)
        #expect(RequestCodecTests.refusal(codec, envelope([1], flags: 1)) == refusal)
    }
}
