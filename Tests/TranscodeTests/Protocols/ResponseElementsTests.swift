import ProtoRuntime
import Testing

@testable import Transcode

private let watch = "GET /v1/watch/a"
private let tale: [UInt8] = [0x0a, 1, 97, 0x18, 7]
private let taleJSON = "{\"name\":\"a\",\"pages\":\"7\"}"

private func accept(_ type: String) -> [(String, String)] { [("accept", type)] }

@Suite struct ResponseElementsTests {
    private func run(_ accept: String, _ line: String = watch) -> ResponseRun {
        ResponseRun((line, ""), [("accept", accept)])
    }

    private let head = "cache-control=no-store x-accel-buffering=no vary=Accept"

    @Test(arguments: [
        ("*/*", "application/json", 0, "[]"),
        ("*/*", "application/json", 1, "[M]"),
        ("*/*", "application/json", 3, "[M,M,M]"),
        ("application/x-ndjson", "application/x-ndjson", 0, ""),
        ("application/x-ndjson", "application/x-ndjson", 2, "M\nM\n"),
        ("text/event-stream", "text/event-stream", 0, "event: end\ndata: {}\n\n"),
        (
            "text/event-stream", "text/event-stream", 2,
            "data: M\n\ndata: M\n\nevent: end\ndata: {}\n\n"
        ),
    ])
    func `each form puts its messages one after the other`(
        accept: String, type: String, count: Int, expected: String
    ) throws {
        let body = Array(repeatElement(envelope(tale), count: count).joined())
        for size in 1...max(1, body.count) {
            for room in [0, Int.max] {
                var run = run(accept)
                run.room = room
                let view = try run.view(body, size: size)
                #expect(view.head == "200 content-type=\(type) \(head)")
                #expect(
                    String(decoding: view.body, as: UTF8.self)
                        == expected.replacing("M", with: taleJSON))
                #expect(view.end == .complete)
            }
        }
    }

    @Test(arguments: [
        ("*/*", 0, "[{\"error\":E}", ResponseCodec.End.broken),
        ("*/*", 1, "[M,{\"error\":E}", .broken),
        ("application/jsonl", 0, "{\"error\":E}\n", .broken),
        ("application/jsonl", 1, "M\n{\"error\":E}\n", .broken),
        ("text/event-stream", 0, "event: rpc-error\ndata: E\n\n", .complete),
        ("text/event-stream", 1, "data: M\n\nevent: rpc-error\ndata: E\n\n", .complete),
    ])
    func `an error after the head is seen in every form`(
        accept: String, count: Int, expected: String, end: ResponseCodec.End
    ) throws {
        var run = run(accept)
        run.status = Status(.dataLoss, "lost")
        let view = try run.view(Array(repeatElement(envelope(tale), count: count).joined()))
        let error = "{\"code\":15,\"message\":\"lost\"}"
        #expect(
            String(decoding: view.body, as: UTF8.self)
                == expected.replacing("M", with: taleJSON).replacing("E", with: error))
        #expect(view.end == end)
    }

    @Test(arguments: ["*/*", "application/x-ndjson", "text/event-stream"])
    func `an error before the head has its real status in every form`(accept: String) throws {
        let view = try run(accept).error(Status(.notFound, "none"))
        #expect(
            view.text == "404 content-type=application/json {\"code\":5,\"message\":\"none\"}")
    }

    @Test(arguments: [
        ("*/*", "application/json", "[]"), ("application/x-ndjson", "application/x-ndjson", ""),
        (
            "text/event-stream", "text/event-stream",
            "event: end\ndata: {\"metadata\":{\"a\":[\"b\"]}}\n\n"
        ),
    ])
    func `a trailers-only answer that is OK is an empty stream`(
        accept: String, type: String, body: String
    ) throws {
        let leading = [("content-type", "application/grpc"), ("grpc-status", "0"), ("a", "b")]
        let view = try run(accept).error(.ok, leading: leading)
        #expect(view.text == "200 content-type=\(type) \(head) grpc-trailer-a=b \(body)")
    }

    @Test func `trailing metadata go into the end event and the trailers`() throws {
        var run = run("text/event-stream")
        run.trailing = [("grpc-status", "0"), ("x-note", "1"), ("x-note", "2")]
        let view = try run.view([])
        #expect(view.trailers == "grpc-trailer-x-note=1 grpc-trailer-x-note=2")
        #expect(
            String(decoding: view.body, as: UTF8.self)
                == "event: end\ndata: {\"metadata\":{\"x-note\":[\"1\",\"2\"]}}\n\n")
    }

    @Test(arguments: [
        ("*/*", "[{\"result\":M}]"), ("application/jsonl", "{\"result\":M}\n"),
        ("text/event-stream", "data: M\n\nevent: end\ndata: {}\n\n"),
    ])
    func `messages stand in grpc-gateway's envelope where that is configured`(
        accept: String, expected: String
    ) throws {
        var run = run(accept)
        run.options.rest.streamEnvelope = true
        let view = try run.view(envelope(tale))
        #expect(
            String(decoding: view.body, as: UTF8.self)
                == expected.replacing("M", with: taleJSON))
    }

    @Test func `AIP-193's errors have one envelope, not two`() throws {
        var run = run("application/jsonl")
        run.options.rest.errorFormat = .aip193
        run.status = Status(.notFound, "none")
        #expect(
            String(decoding: try run.view([]).body, as: UTF8.self)
                == "{\"error\":{\"code\":404,\"message\":\"none\",\"status\":\"NOT_FOUND\"}}\n")
    }

    @Test func `lines and events stay lines however JSON is indented`() throws {
        for accept in ["application/jsonl", "text/event-stream"] {
            var run = run(accept)
            run.options.json.indent = 2
            let body = String(decoding: try run.view(envelope(tale)).body, as: UTF8.self)
            #expect(body.contains(taleJSON))
        }
    }

    @Test func `events have an id and a retry time where that is configured`() throws {
        var run = run("text/event-stream")
        run.options.stream.idField = "pages"
        run.options.stream.retryMilliseconds = 3000
        let body = envelope(tale) + envelope([0x0a, 1, 98])
        #expect(
            String(decoding: try run.view(body).body, as: UTF8.self)
                == "retry: 3000\n\nid: 7\ndata: \(taleJSON)\n\ndata: {\"name\":\"b\"}\n\n"
                + "event: end\ndata: {}\n\n")
    }

    @Test func `a message that cannot be printed leaves no half element`() throws {
        for (accept, expected) in [
            ("*/*", "[M,{\"error\":"), ("application/jsonl", "M\n{\"error\":"),
            ("text/event-stream", "data: M\n\nevent: rpc-error\ndata: {"),
        ] {
            let view = try run(accept).view(envelope(tale) + envelope([0x0a, 9]))
            let body = String(decoding: view.body, as: UTF8.self)
            #expect(body.hasPrefix(expected.replacing("M", with: taleJSON)))
            #expect(body.contains("\"code\":13"))
        }
    }

    @Test func `raw data has the first message's type and is broken by an error`() throws {
        let piece = [0x0a, 3, 97, 47, 98, 0x12, 2, 104, 105] as [UInt8]
        var run = run("*/*", "GET /v1/download/f")
        let body = envelope(piece) + envelope([0x0a, 1, 120, 0x12, 1, 33])
        for size in 1...body.count {
            #expect(try run.view(body, size: size).text == "200 content-type=a/b hi!")
        }
        run.status = Status(.dataLoss, "lost")
        let view = try run.view(body)
        #expect(view.text == "200 content-type=a/b hi!")
        #expect(view.end == .broken)
    }

    @Test func `raw data without a message is empty, and an early error has its status`() throws {
        var run = run("*/*", "GET /v1/download/f")
        #expect(try run.view([]).text == "200 content-type=application/octet-stream ")
        run.status = Status(.notFound, "none")
        #expect(
            try run.view([]).text
                == "404 content-type=application/json {\"code\":5,\"message\":\"none\"}")
    }

    @Test(arguments: [ContentCoding.gzip, .brotli, .zstd], ["*/*", "text/event-stream"])
    func `a stream is compressed as a whole, and flushed with its messages`(
        coding: ContentCoding, accept: String
    ) throws {
        var run = run(accept)
        run.options.stream.retryMilliseconds = 1
        let plain = try run.view(envelope(tale) + envelope(tale))
        run.fields.append(("accept-encoding", "\(coding.name)"))
        for size in [1, 1000] {
            for room in [0, Int.max] {
                run.room = room
                let view = try run.view(envelope(tale) + envelope(tale), size: size)
                #expect(
                    view.head
                        == "\(plain.head) content-encoding=\(coding.name) vary=Accept-Encoding")
                var inflated = OutputBlock()
                try Compression().inflate(
                    view.body.span, coding, into: &inflated, bytesMax: 1 << 20)
                #expect(inflated.array == plain.body)
            }
        }
    }

    @Test func `what came before an error is compressed like the error`() throws {
        var run = run("*/*")
        run.fields.append(("accept-encoding", "gzip"))
        let view = try run.view(envelope(tale) + envelope([0x0a, 9]), size: 1000)
        let decoder = try #require(ContentCoding.gzip.makeDecoder())
        var plain = OutputBlock()
        var offset = 0
        try decoder.decode(view.body.span, from: &offset, into: &plain, room: 10_000)
        #expect(String(decoding: plain.array, as: UTF8.self).hasPrefix("[\(taleJSON),{\"error\":"))
        #expect(!decoder.isAtEnd)
    }

    @Test(arguments: [
        ("text/csv", true), ("application/xml", true), ("image/svg+xml", true),
        ("image/png", false), ("application/zip", false), ("application/octet-stream", false),
    ])
    func `raw data is compressed where it is text`(type: String, isText: Bool) throws {
        var run = run("*/*", "GET /v1/download/f")
        run.fields.append(("accept-encoding", "gzip"))
        let piece = [0x0a, UInt8(type.utf8.count)] + Array(type.utf8) + [0x12, 2, 104, 105]
        let view = try run.view(envelope(piece), size: 4)
        #expect(view.head.contains("content-encoding=gzip") == isText)
        #expect(view.body.starts(with: [0x1f, 0x8b]) == isText)
    }

    @Test func `nothing is compressed where that is off`() throws {
        var run = run("*/*")
        run.options.rest.compresses = false
        run.fields.append(("accept-encoding", "gzip"))
        #expect(
            try run.view(envelope(tale)).text
                == "200 content-type=application/json \(head) [\(taleJSON)]")
    }
}
