import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct StreamFormTests {
    @Test(
        arguments: [
            ([], .array), (["*/*"], .array), (["application/json"], .array),
            (["application/*"], .array), (["text/html, */*;q=0.8"], .array),
            (["text/event-stream"], .sse), (["Text/Event-Stream; charset=utf-8"], .sse),
            (["application/x-ndjson"], .ndjson), (["application/jsonl"], .ndjson),
            (["application/x-jsonlines"], .ndjson),
            (["application/json;q=0.5, text/event-stream"], .sse),
            (["application/json, text/event-stream"], .array),
            (["text/event-stream;q=0, application/x-ndjson;q=0.1"], .ndjson),
            (["text/html"], .array), (["text/html", "application/jsonl"], .ndjson),
            ([""], .array),
        ] as [([String], StreamForm)])
    func `the form is what the client prefers`(accept: [String], expected: StreamForm) {
        var fields = Fields()
        fields.append(accept.map { ("accept", $0) })
        #expect(StreamForm.accepted(by: fields, configured: .array) == expected)
    }

    @Test(
        arguments: [
            ("*/*", .ndjson, .ndjson), ("application/json", .ndjson, .ndjson),
            ("*/*", .sse, .sse), ("application/json", .sse, .array),
            ("text/html", .sse, .sse), ("text/event-stream", .ndjson, .sse),
        ] as [(String, StreamForm, StreamForm)])
    func `who has no preference gets what is configured, but no events as JSON`(
        accept: String, configured: StreamForm, expected: StreamForm
    ) {
        var fields = Fields()
        fields.append([("accept", accept)])
        #expect(StreamForm.accepted(by: fields, configured: configured) == expected)
    }
}
