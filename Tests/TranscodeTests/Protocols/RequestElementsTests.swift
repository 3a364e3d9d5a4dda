import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct RequestElementsTests {
    private func outcomes(
        _ line: String, _ body: String, type: String = "application/json", limit: Int = 100,
        room: Int = Int.max
    ) throws -> Set<[String]> {
        var run = RequestRun(line: line, fields: [("content-type", type)])
        run.limit = limit
        run.room = room
        return try run.outcomes(Array(body.utf8))
    }

    @Test(arguments: [
        ("{\"name\":\"a\"}{\"pages\":7}", ["name=\"a\"", "pages=7"]),
        ("{\"name\":\"a\"}\n{\"pages\":7}\n", ["name=\"a\"", "pages=7"]),
        ("[{\"name\":\"a\"},{\"pages\":7}]", ["name=\"a\"", "pages=7"]),
        ("[]", []), ("", []), ("{}", [""]),
    ])
    func `each value of the body becomes a message`(body: String, expected: [String]) throws {
        for room in [0, Int.max] {
            #expect(try outcomes("POST /v1/send", body, room: room) == [expected])
        }
    }

    @Test func `lines are values whatever they begin with`() throws {
        let lines = "application/x-ndjson"
        #expect(
            try outcomes("POST /v1/send", "{\"name\":\"a\"}\n{}", type: lines)
                == [["name=\"a\"", ""]])
        #expect(try outcomes("POST /v1/send", "[{}]", type: lines) == [["400 invalidArgument"]])
    }

    @Test(arguments: [
        ("{\"name\":\"a\"}{\"pages\":true}", "400 invalidArgument"),
        ("{\"name\":\"a\"", "400 invalidArgument"), ("[{}", "400 invalidArgument"),
        ("{}{\"name\"", "400 invalidArgument"), ("[{},{}", "400 invalidArgument"),
        ("{\"name\":\"" + String(repeating: "a", count: 100) + "\"}", "413 resourceExhausted"),
    ])
    func `what is no message ends the call`(body: String, expected: String) throws {
        for room in [0, Int.max] {
            #expect(try outcomes("POST /v1/send", body, room: room) == [[expected]])
        }
    }

    @Test func `a refused content type is told before the body`() throws {
        let found = try outcomes("POST /v1/send", "{}", type: "text/plain")
        #expect(found == [["415 invalidArgument"]])
    }

    @Test func `the first piece of an upload takes what path and head say`() throws {
        let run = RequestRun(line: "POST /v1/sendraw/n", fields: [("content-type", "a/b")])
        #expect(
            try run.outcome(Array("hello".utf8), size: 3) == [
                "file{content_type=\"a/b\" data=[104, 101, 108]} name=\"n\"",
                "file{data=[108, 111]}",
            ])
        #expect(try run.outcome([], size: 1) == ["file{content_type=\"a/b\"} name=\"n\""])
    }

    @Test func `a large piece is cut at the message limit`() throws {
        var run = RequestRun(line: "POST /v1/sendraw/n", fields: [])
        run.limit = 2
        #expect(
            try run.outcome(Array("hello".utf8), size: 5) == [
                "file{data=[104, 101]} name=\"n\"", "file{data=[108, 108]}", "file{data=[111]}",
            ])
    }

    @Test(arguments: [ContentCoding.gzip, .brotli, .zstd])
    func `a compressed stream is inflated whatever the pieces and the room`(
        coding: ContentCoding
    ) throws {
        let body = compressed(
            Array((String(repeating: " ", count: 2000) + "[{\"name\":\"a\"},{}]").utf8), coding)
        for room in [0, Int.max] {
            var run = RequestRun(
                line: "POST /v1/send",
                fields: [
                    ("content-type", "application/json"), ("content-encoding", "\(coding.name)"),
                ])
            run.room = room
            #expect(try run.outcomes(body) == [["name=\"a\"", ""]])
            #expect(try run.outcomes(Array(body.dropLast())) == [["400 invalidArgument"]])
        }
    }

    @Test func `what inflates to much is taken a step at a time`() throws {
        let methods = try MethodTable(pool: try TestPool.rest.get())
        let call = TestCall(
            line: "POST /v1/sendraw/n",
            fields: [("content-type", "a/b"), ("content-encoding", "gzip")])
        let (plan, match, _) = call.resolved(by: methods)
        var codec = RequestCodec()
        let tools = usedTools()
        try codec.start(plan, methods: methods, messageBytesMax: 1 << 20, declaredBytes: 0)
        try codec.begin(call.head, match, methods: methods)
        let bomb = compressed(Array(repeating: 0, count: 10 << 20), .gzip)
        var (total, isDone) = (0, false)
        var output = OutputBlock()
        try codec.receive(bomb.span, methods: methods, tools: tools, room: 1000, into: &output)
        _ = try codec.finish(call.head, match: match, methods: methods, tools: tools, into: &output)
        while !isDone {
            let isHolding = codec.isHolding
            #expect(isHolding)
            let count = output.count
            #expect(count < 200_000)
            total += count
            output.removeAll()
            isDone = try codec.resume(methods: methods, tools: tools, room: 1000, into: &output)
        }
        total += output.count
        #expect(total > 10 << 20)
    }
}
