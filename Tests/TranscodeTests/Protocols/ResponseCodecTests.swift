import ProtoRuntime
import Testing

@testable import Transcode

private let json = TestRequest.json
private let proto = TestRequest.proto
private let get = TestRequest.get
private let rest = TestRequest.rest
private let raw = TestRequest.raw
private let grpc = TestRequest.grpc
private let grpcStream = TestRequest.grpcStream
private let web = TestRequest.web
private let webJSON = TestRequest.webJSON
private let grpcJSON = TestRequest.grpcJSON
private let stream = TestRequest.stream
private let protoStream = TestRequest.protoStream
private let message: [UInt8] = [0x0a, 1, 97, 0x10, 7]

@Suite struct WholeResponseTests {
    @Test(arguments: [
        (
            json, envelope(message),
            "200 content-type=application/json {\"text\":\"a\",\"long\":\"7\"}"
        ),
        (json, envelope([]), "200 content-type=application/json {}"),
        (get, envelope([]), "200 content-type=application/json vary=Accept-Encoding {}"),
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
        for size in 1...bytes.count {
            #expect(try ResponseRun(call).view(bytes, size: size).text == expected)
        }
    }

    @Test(
        arguments: [
            ([], "501 unimplemented bad_message_count"), ([0, 0, 0], "500 internal bad_envelope"),
            (envelope(message, flags: 1), "500 internal bad_envelope"),
            (envelope(message, flags: 2), "500 internal bad_envelope"),
            (Array(envelope(message).dropLast()), "500 internal bad_envelope"),
            (envelope(message) + envelope(message), "501 unimplemented bad_message_count"),
            ([0, 0, 0, 0, 101], "429 resource_exhausted upstream_message_too_large"),
            ([0, 255, 255, 255, 255], "429 resource_exhausted upstream_message_too_large"),
        ] as [([UInt8], String)])
    func `an answer that is not one message is the upstream's fault`(
        bytes: [UInt8], expected: String
    ) throws {
        let parts = expected.split(separator: " ")
        for size in 1...max(1, bytes.count) {
            let view = try ResponseRun(json).view(bytes, size: size)
            #expect(
                view.head == "\(parts[0]) content-type=application/json gateway-error=\(parts[2])")
            #expect(
                String(decoding: view.body, as: UTF8.self).hasPrefix("{\"code\":\"\(parts[1])\""))
        }
        let tooLarge = parts[2].hasSuffix("too_large")
        #expect(
            try ResponseRun(rest).view(bytes).head.hasPrefix(tooLarge ? "502" : parts[0] + " "))
    }

    @Test func `exactly the limit passes`() throws {
        let answer = envelope([0x0a, 98] + [UInt8](repeating: 97, count: 98))
        #expect(try ResponseRun(json).view(answer).head.hasPrefix("200 "))
        var small = ResponseRun(json)
        small.limit = 99
        #expect(try small.view(answer).head.hasPrefix("429 "))
    }

    @Test(arguments: ["a\r\nset-cookie: b", "a\u{0}", "\n", "text/plain\u{7f}"])
    func `a content type that is no field value does not reach the head`(contentType: String) throws
    {
        let type = Array(contentType.utf8)
        let bytes = envelope([0x0a, UInt8(type.count)] + type + [0x12, 1, 120])
        #expect(
            try ResponseRun(raw).view(bytes).text
                == "200 content-type=application/octet-stream x")
    }

    @Test(arguments: [json, proto, rest], [ContentCoding.gzip, .brotli, .zstd])
    func `a long answer is compressed where the client takes that`(
        call: (String, String), coding: ContentCoding
    ) throws {
        let long = [UInt8](repeating: 97, count: 2000)
        var run = ResponseRun(call, [("accept-encoding", "\(coding.name)")])
        run.limit = 4000
        let view = try run.view(envelope([0x0a, 0xd0, 0x0f] + long), size: 100)
        #expect(view.head.contains("content-encoding=\(coding.name)"))
        #expect(view.head.contains("vary=Accept-Encoding") == (call == rest))
        #expect(view.body.count < 200)
        var plain = OutputBlock()
        try Compression().inflate(view.body.span, coding, into: &plain, bytesMax: 4000)
        #expect(
            String(decoding: plain.array, as: UTF8.self).contains(
                String(repeating: "a", count: 2000)))
        let short = try run.view(envelope(message))
        #expect(!short.head.contains("content-encoding"))
    }

    @Test func `an answer that the upstream compressed unasked is inflated`() throws {
        let long = [0x0a, 0xd0, 0x0f] + [UInt8](repeating: 97, count: 2000)
        var run = ResponseRun(json)
        run.leading.append(("grpc-encoding", "gzip"))
        run.limit = 2003
        let answer = envelope(compressed(long, .gzip), flags: 1)
        #expect(try run.view(answer).head.hasPrefix("200 "))
        run.limit = 2002
        #expect(try run.view(answer).head.contains("upstream_message_too_large"))
        #expect(try run.view(envelope([1, 2], flags: 1)).head.contains("bad_answer"))
        run.leading = [("grpc-encoding", "snappy")]
        #expect(try run.view(answer).head.contains("bad_answer"))
    }
}

@Suite struct StreamedResponseTests {
    @Test(arguments: [grpcStream, web, webJSON, grpcJSON, stream, protoStream])
    func `messages leave one by one however they are cut`(call: (String, String)) throws {
        let one = envelope([0x0a, 1, 97])
        var outcomes: Set<[UInt8]> = []
        for size in 1...18 {
            outcomes.insert(try ResponseRun(call).view(one + one, size: size).body)
        }
        let body = try #require(outcomes.first)
        #expect(outcomes.count == 1)
        let payload = call.1.hasSuffix("json") ? Array("{\"name\":\"a\"}".utf8) : [0x0a, 1, 97]
        let messages = try envelopes(body).filter { $0.flags == 0 }
        #expect(messages.map(\.payload) == [payload, payload])
    }

    @Test(arguments: [
        (grpcJSON, "grpc"), (webJSON, "grpc"), (stream, "connect-content"),
        (protoStream, "connect-content"),
    ])
    func `long messages are compressed where the client takes that`(
        call: (String, String), field: String
    ) throws {
        let accept = field == "grpc" ? "grpc-accept-encoding" : "connect-accept-encoding"
        var run = ResponseRun(call, [(accept, "identity, br")])
        run.limit = 4000
        let long = [0x0a, 0xd0, 0x0f] + [UInt8](repeating: 97, count: 2000)
        let view = try run.view(envelope(long) + envelope([]), size: 100)
        #expect(view.head.contains("\(field)-encoding=br"))
        let found = try envelopes(view.body)
        #expect(found[0].flags == 1)
        #expect(found[1].flags == 0)
        var plain = OutputBlock()
        let payload = found[0].payload
        try Compression().inflate(payload.span, .brotli, into: &plain, bytesMax: 4000)
        #expect(plain.count > 2000)
    }

    @Test func `gRPC's own codings pass untouched`() throws {
        var run = ResponseRun(web, [("grpc-accept-encoding", "gzip")])
        run.leading = [("grpc-encoding", "gzip"), ("grpc-accept-encoding", "gzip, x")]
        let view = try run.view(envelope([1, 2], flags: 1))
        #expect(
            view.head
                == "200 content-type=application/grpc-web+proto grpc-encoding=gzip grpc-accept-encoding=gzip, x"
        )
        #expect(view.body.starts(with: envelope([1, 2], flags: 1)))
    }

    @Test func `what a gRPC-Web client has not accepted is taken off`() throws {
        let long = [0x0a, 0xd0, 0x0f] + [UInt8](repeating: 97, count: 2000)
        var run = ResponseRun(web)
        run.limit = 4000
        run.leading = [("grpc-encoding", "gzip")]
        let view = try run.view(envelope(compressed(long, .gzip), flags: 1))
        #expect(view.head == "200 content-type=application/grpc-web+proto")
        #expect(view.body.starts(with: envelope(long)))
        run.leading = [("grpc-encoding", "snappy")]
        #expect(try run.view(envelope([1], flags: 1)).head.contains("grpc-status=13"))
    }

    @Test(
        arguments: [
            (envelope([UInt8](repeating: 0, count: 101)), "resourceExhausted"),
            (envelope([1], flags: 1), "internal"), ([0, 0], "internal"),
        ] as [([UInt8], String)])
    func `a broken stream of the upstream ends as an error`(body: [UInt8], code: String) throws {
        let number = code == "internal" ? 13 : 8
        let name = code == "internal" ? "internal" : "resource_exhausted"
        #expect(
            try ResponseRun(grpcStream).view(body).trailers.hasPrefix("grpc-status=\(number) "))
        let web = String(decoding: try ResponseRun(webJSON).view(body).body, as: UTF8.self)
        #expect(web.contains("grpc-status: \(number)\r\n"))
        let connect = String(decoding: try ResponseRun(stream).view(body).body, as: UTF8.self)
        #expect(connect.contains("{\"error\":{\"code\":\"\(name)\""))
    }

    /// The end of a call stands in the body: it must not be taken for the rest of a message.
    @Test(arguments: [web, protoStream], 1...7)
    func `a message that the upstream cuts off is not begun`(call: (String, String), count: Int)
        throws
    {
        let cut = envelope([0x0a, 1, 98]).prefix(count)
        let view = try ResponseRun(call).view(envelope([0x0a, 1, 97]) + cut, size: 3)
        let found = try envelopes(view.body)
        #expect(found.map(\.flags) == [0, call == web ? 0x80 : 2])
        #expect(found.first?.payload == [0x0a, 1, 97])
        let end = String(decoding: try #require(found.last).payload, as: UTF8.self)
        #expect(end.contains(call == web ? "grpc-status: 13" : "\"code\":\"internal\""))
    }

    @Test func `messages that expand are held until there is room`() throws {
        var run = ResponseRun(stream)
        let body = (0..<50).flatMap { _ in envelope([0x0a, 1, 97]) }
        let all = try run.view(body, size: 1000).body
        run.room = 1
        #expect(try run.view(body, size: 1000).body == all)
    }
}
