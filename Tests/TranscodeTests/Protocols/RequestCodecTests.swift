import ProtoRuntime
import Testing

@testable import Transcode

private let rpc = "/gateway.test.rest.Rest/"

/// One call's request, from its head to the last byte of its body.
struct RequestRun {
    var line: String
    var fields: [(String, String)]
    var limit = 100
    var room = Int.max

    /// The envelopes that the body becomes when it comes in pieces of `size` bytes, or "501 …".
    func outcome(_ body: [UInt8], size: Int) throws -> [String] {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let call = TestCall(line: line, fields: fields)
        let (plan, match, refusal) = call.resolved(by: methods)
        if let refusal { return ["refused \(refusal.httpStatus)"] }
        var codec = RequestCodec()
        let tools = usedTools()
        var output = OutputBlock()
        output.append("before")
        do throws(Status) {
            try codec.start(
                plan, methods: methods, messageBytesMax: limit, declaredBytes: 0)
            if plan.clientProtocol == .rest, plan.isClientStreaming(in: methods) {
                try codec.begin(call.head, match, methods: methods)
            }
            for start in stride(from: 0, to: body.count, by: size) {
                let piece = Array(body[start..<min(start + size, body.count)])
                try codec.receive(
                    piece.span, methods: methods, tools: tools, room: room, into: &output)
            }
            var isDone = try codec.finish(
                call.head, match: match, methods: methods, tools: tools, into: &output)
            while !isDone {
                isDone = try codec.resume(
                    methods: methods, tools: tools, room: room, into: &output)
            }
        } catch {
            return ["\(error.httpStatus) \(error.code)"]
        }
        #expect(output.array.prefix(6) == [98, 101, 102, 111, 114, 101])
        return try envelopes(Array(output.array.dropFirst(6))).map { flags, payload in
            guard flags == 0 else { return "\(flags) \(payload)" }
            return try described(
                payload.span, methods.methods[Int(plan.method)].descriptor.input,
                methods.pool(of: plan.method))
        }
    }

    /// The same in pieces of any size.
    func outcomes(_ body: [UInt8]) throws -> Set<[String]> {
        var found: Set<[String]> = []
        for size in 1...max(1, body.count) { found.insert(try outcome(body, size: size)) }
        return found
    }
}

/// Tools that another call has used before.
func usedTools() -> CodecTools {
    let tools = CodecTools()
    tools.plain.append("another call's")
    tools.formed.append("another call's")
    return tools
}

/// The envelopes of a body, which must be complete.
func envelopes(_ body: [UInt8]) throws -> [(flags: UInt8, payload: [UInt8])] {
    var found: [(flags: UInt8, payload: [UInt8])] = []
    var rest = body[...]
    while !rest.isEmpty {
        let start = EnvelopePrefix(Array(rest).span)
        let prefix = try #require(start)
        let payload = rest.dropFirst(5).prefix(Int(prefix.length))
        #expect(payload.count == Int(prefix.length))
        found.append((prefix.flags, Array(payload)))
        rest = rest.dropFirst(5 + Int(prefix.length))
    }
    return found
}

func compressed(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] {
    // Nothing below a kilobyte is compressed by itself; white space makes a JSON text longer for nothing.
    var output = OutputBlock()
    #expect(Compression().deflate(bytes.span, coding, into: &output))
    return output.array
}

@Suite struct RequestCodecTests {
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
        ("GET \(rpc)Plain?encoding=json&message=%7B%22long%22:5%7D", "", "", "long=5"),
        ("GET \(rpc)Plain?encoding=proto&base64=1&message=CgFh", "", "", "text=\"a\""),
        ("GET \(rpc)Plain?encoding=proto&message=", "", "", ""),
    ])
    func `a whole body becomes one envelope`(
        line: String, contentType: String, body: String, message: String
    ) throws {
        let run = RequestRun(line: line, fields: [("content-type", contentType)])
        let found = try run.outcomes(Array(body.utf8))
        let parts = try #require(found.first).first?.split(separator: " ").sorted()
        #expect(found.count == 1)
        #expect(parts == message.split(separator: " ").sorted())
    }

    @Test(arguments: [
        ("POST \(rpc)Plain", "application/json", "", "400 invalidArgument"),
        ("POST \(rpc)Plain", "application/json", "[]", "400 invalidArgument"),
        ("POST \(rpc)Plain", "application/json", "{\"long\":\"x\"}", "400 invalidArgument"),
        ("POST \(rpc)Plain", "application/json", "{} {}", "400 invalidArgument"),
        ("POST /v1/all", "application/json", "{", "400 invalidArgument"),
        ("GET /v1/query?nothing=1", "", "", "400 invalidArgument"),
        ("GET /v1/query/a/x", "", "", "400 invalidArgument"),
        ("GET \(rpc)Plain?encoding=json&message=", "", "", "400 invalidArgument"),
        ("GET \(rpc)Plain?encoding=json&message={}", "", "{}", "415 invalidArgument"),
    ])
    func `a whole body that is no message is refused`(
        line: String, contentType: String, body: String, refusal: String
    ) throws {
        let run = RequestRun(line: line, fields: [("content-type", contentType)])
        #expect(try run.outcomes(Array(body.utf8)) == [[refusal]])
    }

    @Test(arguments: [
        ("POST \(rpc)Plain", "application/json"), ("POST /v1/all", "application/json"),
    ])
    func `exactly the limit passes, compressed or not`(line: String, type: String) throws {
        let text = Array("{\"text\":\"a\"}".utf8)
        for (extra, expected) in [(0, "text=\"a\""), (1, "413 resourceExhausted")] {
            let body = text + [UInt8](repeating: 32, count: 2000 - text.count + extra)
            var run = RequestRun(line: line, fields: [("content-type", type)], limit: 2000)
            #expect(try run.outcome(body, size: 700) == [expected])
            for coding in [ContentCoding.gzip, .brotli, .zstd] {
                run.fields = [("content-type", type), ("content-encoding", "\(coding.name)")]
                #expect(try run.outcome(compressed(body, coding), size: 7) == [expected])
            }
        }
        let run = RequestRun(
            line: line, fields: [("content-type", type), ("content-encoding", "gzip")])
        #expect(try run.outcome([1, 2, 3], size: 1) == ["400 invalidArgument"])
    }

    @Test func `a body that announces too much is not waited for`() throws {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let call = TestCall(
            line: "POST \(rpc)Plain", fields: [("content-type", "application/json")])
        let plan = call.resolved(by: methods).plan
        var codec = RequestCodec()
        try codec.start(plan, methods: methods, messageBytesMax: 10, declaredBytes: 10)
        #expect(throws: Status.messageTooLarge(limit: 10)) {
            try codec.start(plan, methods: methods, messageBytesMax: 10, declaredBytes: 11)
        }
    }

    private static let one: [UInt8] = [0x0a, 1, 97]

    /// SEMANTICS d.8
    @Test(arguments: ["application/grpc", "application/grpc-web", "application/grpc+json"])
    func `the number of messages is checked by the kind of the method`(type: String) throws {
        let one = envelope(type.hasSuffix("json") ? Array("{}".utf8) : [])
        func outcome(_ method: String, _ body: [UInt8]) throws -> Set<[String]> {
            try RequestRun(line: "POST \(rpc)\(method)", fields: [("content-type", type)])
                .outcomes(body)
        }
        #expect(try outcome("GetThing", one) == [[""]])
        #expect(try outcome("GetThing", one + one) == [["501 unimplemented"]])
        #expect(try outcome("GetThing", []) == [["501 unimplemented"]])
        #expect(try outcome("Watch", one + one) == [["501 unimplemented"]])
        #expect(try outcome("Send", one + one) == [["", ""]])
        #expect(try outcome("Send", []) == [[]])
        #expect(try outcome("Send", [0, 0]) == [["500 internal"]])
        #expect(
            try outcome("Send", envelope([UInt8](repeating: 32, count: 101)))
                == [["413 resourceExhausted"]])
    }

    @Test(
        arguments: [
            ("application/grpc", "grpc-encoding", "gzip", "1"),
            ("application/grpc", "grpc-encoding", "zstd", "name"),
            ("application/grpc+json", "grpc-encoding", "gzip", "name"),
            ("application/grpc-web+json", "grpc-encoding", "br", "name"),
            ("application/connect+json", "connect-content-encoding", "gzip", "name"),
            ("application/connect+proto", "connect-content-encoding", "zstd", "name"),
        ])
    func `compressed messages pass or are inflated`(
        type: String, field: String, name: String, expected: String
    ) throws {
        let named = ContentCoding(name: name.utf8Span.span)
        let coding = try #require(named)
        let long = String(repeating: "a", count: 2000)
        var message: [UInt8] = [0x0a, 0xd0, 0x0f] + Array(long.utf8)
        if type.hasSuffix("json") { message = Array("{\"name\":\"\(long)\"}".utf8) }
        let body = compressed(message, coding)
        var run = RequestRun(
            line: "POST \(rpc)Send", fields: [("content-type", type), (field, name)], limit: 3000)
        let found = try run.outcome(envelope(body, flags: 1) + envelope(message), size: 5)
        #expect(found.count == 2)
        if expected == "1" {
            #expect(found[0] == "1 \(body)")
        } else {
            #expect(found[0] == found[1])
            #expect(found[0].contains(long))
            run.limit = 1999
            #expect(
                try run.outcome(envelope(body, flags: 1), size: 5) == ["413 resourceExhausted"])
            let broken = envelope([9, 9, 9], flags: 1)
            let status = type.contains("connect") ? "400 invalidArgument" : "500 internal"
            #expect(try run.outcome(broken, size: 5) == [status])
        }
    }

    @Test(arguments: [
        ("application/connect+json", "{\"name\":\"a\"}"),
        ("application/connect+proto", "\u{0a}\u{1}a"),
        ("application/grpc+json", "{\"name\":\"a\"}"), ("application/grpc-web", "\u{0a}\u{1}a"),
    ])
    func `each message of a stream is one envelope`(type: String, message: String) throws {
        let run = RequestRun(line: "POST \(rpc)Send", fields: [("content-type", type)])
        let body = envelope(Array(message.utf8))
        #expect(try run.outcomes(body + body) == [["name=\"a\"", "name=\"a\""]])
    }

    /// The text is Python's base64 of two pieces, each padded.
    @Test func `text is decoded before its envelopes are looked for`() throws {
        let run = RequestRun(
            line: "POST \(rpc)Send", fields: [("content-type", "application/grpc-web-text")])
        let text = Array("AAAAAAM=CgFhAAAAAAA=".utf8)
        #expect(try run.outcomes(text) == [["name=\"a\"", ""]])
        #expect(try run.outcomes(Array(text.dropLast())) == [["400 invalidArgument"]])
    }

    @Test func `a stream that expands is held until there is room`() throws {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let call = TestCall(
            line: "POST \(rpc)Send",
            fields: [
                ("content-type", "application/connect+json"), ("connect-content-encoding", "gzip"),
            ])
        let plan = call.resolved(by: methods).plan
        let text = "{\"name\":\"\(String(repeating: "a", count: 10_000))\"}"
        let message = envelope(compressed(Array(text.utf8), .gzip), flags: 1)
        let body = (0..<20).flatMap { _ in message }
        var codec = RequestCodec()
        let tools = CodecTools()
        var output = OutputBlock()
        try codec.start(plan, methods: methods, messageBytesMax: 1 << 20, declaredBytes: 0)
        try codec.receive(body.span, methods: methods, tools: tools, room: 15_000, into: &output)
        let isHolding = codec.isHolding
        #expect(isHolding)
        #expect(output.count < 25_000)
        let isDone = try codec.finish(
            call.head, match: RouteMatch(), methods: methods, tools: tools, into: &output)
        #expect(!isDone)
        var rounds = 0
        while try !codec.resume(methods: methods, tools: tools, room: 15_000, into: &output) {
            rounds += 1
            #expect(output.count < 25_000 + rounds * 25_000)
        }
        let isStillHolding = codec.isHolding
        #expect(!isStillHolding)
        #expect(rounds >= 8)
        #expect(try envelopes(output.array).count == 20)
    }
}
