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
}
