import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// What passes between two sessions: heads, bodies, trailers and ends.
@Suite struct HTTP2SessionTests {
    @Test func `a request and its response arrive whole and in order`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request(
            [("content-type", "application/grpc"), ("x-a", "1"), ("x-a", "2")], body: "ask")
        try pair.pump()
        #expect(pair.serverLog == ["1 head", "1 body ask", "1 end"])
        let served = try #require(pair.served[1])
        #expect(served.request.fields.text == "content-type=application/grpc x-a=1 x-a=2")
        #expect(served.request.method.text == "POST")
        #expect(served.request.path.text == "/x")
        #expect(served.request.authority.text == "test")
        #expect(served.request.version == .http2)
        #expect(served.request.fields.known(at: 0) == .contentType)

        served.append("answer".utf8Span.span)
        served.trailers.append("grpc-status", "0")
        served.finish(withTrailers: true)
        pair.respond(served, [("x-b", "3")])
        try pair.pump()
        #expect(pair.clientLog == ["1 head", "1 body answer", "1 end", "1 closed 0"])
        #expect(stream.response.status == 200)
        #expect(stream.response.fields.text == "x-b=3")
        #expect(stream.trailers.text == "grpc-status=0")
        #expect(pair.serverLog.last == "1 closed 0")
        #expect(pair.client.streamCount == 0)
        #expect(pair.server.streamCount == 0)
    }

    @Test func `an answer of trailers only ends with its head`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request()
        try pair.pump()
        let served = try #require(pair.served[1])
        pair.respond(served, [("grpc-status", "5")], isLast: true)
        try pair.pump()
        #expect(pair.clientLog == ["1 head last", "1 end", "1 closed 0"])
        #expect(stream.response.fields.text == "grpc-status=5")
        #expect(stream.trailers.text == "")
    }

    @Test(arguments: [
        ("", ["1 head", "1 end", "1 closed 0"]),
        ("x", ["1 head", "1 body x", "1 end", "1 closed 0"]),
    ])
    func `a body without trailers ends with its last bytes`(body: String, log: [String]) throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request()
        try pair.pump()
        let served = try #require(pair.served[1])
        served.append(body.utf8Span.span)
        served.finish(withTrailers: false)
        pair.respond(served)
        try pair.pump()
        #expect(pair.clientLog == log)
        #expect(stream.trailers.text == "")
    }

    @Test func `bytes that come late are sent when the session is told`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request(body: nil)
        try pair.pump()
        #expect(pair.serverLog == ["1 head"])
        stream.append("late".utf8Span.span)
        try pair.pump()
        #expect(pair.serverLog == ["1 head"])
        pair.client.resume(stream)
        try pair.pump()
        #expect(pair.serverLog == ["1 head", "1 body late"])
        stream.finish(withTrailers: false)
        pair.client.resume(stream)
        pair.client.resume(stream)
        try pair.pump()
        #expect(pair.serverLog.filter { $0 != "1 body " } == ["1 head", "1 body late", "1 end"])
    }

    @Test func `trailers of a request are not taken for its head`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request([("x-a", "1")], body: nil)
        stream.trailers.append("x-sum", "9")
        stream.append("b".utf8Span.span)
        stream.finish(withTrailers: true)
        pair.client.resume(stream)
        try pair.pump()
        #expect(pair.serverLog == ["1 head", "1 body b", "1 end"])
        #expect(pair.served[1]?.request.fields.text == "x-a=1")
    }

    @Test(arguments: [16_000, 16_384, 40_000])
    func `heads and trailers larger than a frame arrive whole`(bytes: Int) throws {
        let limits = HTTP2Limits(headerListBytesMax: 64 << 10)
        let pair = try HTTP2Pair(client: limits, server: limits)
        let large = String(repeating: "v", count: bytes)
        let stream = try pair.request([("x-large", large)], body: nil)
        try pair.pump()
        #expect(pair.serverLog == ["1 head"])
        let served = try #require(pair.served[1])
        #expect(served.request.fields.text == "x-large=\(large)")
        served.trailers.append("x-end", text: large)
        served.finish(withTrailers: true)
        pair.respond(served, [("x-begin", large)])
        try pair.pump()
        #expect(stream.response.fields.text == "x-begin=\(large)")
        #expect(stream.trailers.text == "x-end=\(large)")
    }

    @Test func `trailers without a field end the stream`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request()
        try pair.pump()
        let served = try #require(pair.served[1])
        served.finish(withTrailers: true)
        pair.respond(served)
        try pair.pump()
        #expect(pair.clientLog == ["1 head", "1 end", "1 closed 0"])
        #expect(stream.trailers.text == "")
    }

    @Test func `a peer that wants a smaller table gets its heads in one`() throws {
        let pair = try HTTP2Pair()
        for value in ["1", "2"] {
            // SETTINGS: no header table.
            try pair.inject([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])
            let stream = try pair.request([("x-a", value)])
            var sent = ByteBuffer()
            _ = try pair.client.collect(into: &sent, limit: .max)
            let literal = [0, 3] + Array("x-a".utf8) + [1] + Array(value.utf8)
            let bytes = sent.readable.array
            let hasLiteral = bytes.indices.contains { bytes[$0...].starts(with: literal) }
            #expect(hasLiteral)
            #expect(stream.isOpen)
        }
    }

    @Test func `informational answers are passed over`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request()
        try pair.pump()
        // HEADERS, END_HEADERS, stream 1: a literal ":status: 103", then "x: 1".
        try pair.inject([0, 0, 10, 1, 4, 0, 0, 0, 1, 0x08, 3, 49, 48, 51, 0x00, 1, 120, 1, 49])
        #expect(pair.clientLog.isEmpty)
        let served = try #require(pair.served[1])
        pair.respond(served, [("y", "2")], isLast: true)
        try pair.pump()
        #expect(pair.clientLog == ["1 head last", "1 end", "1 closed 0"])
        #expect(stream.response.status == 200)
        #expect(stream.response.fields.text == "y=2")
    }

    @Test func `many streams at once keep their bytes apart`() throws {
        let pair = try HTTP2Pair()
        pair.onServer = { [unowned pair] event in
            guard let stream = event.stream else { return }
            switch event.kind {
            case .head: pair.respond(stream, [("x-id", "\(stream.id)")])
            case .end:
                let received = pair.received[stream.id] ?? []
                stream.append(received.span)
                stream.trailers.append("x-end", text: "\(stream.id)")
                stream.finish(withTrailers: true)
                pair.server.resume(stream)
            default: break
            }
        }
        var random = RandomSource(seed: 3)
        var sent: [(HTTP2Stream, [UInt8])] = []
        for round in 0..<100 {
            let body = [UInt8](
                repeating: UInt8(round), count: Int.random(in: 1...60_000, using: &random))
            let stream = try pair.request(body: String(decoding: body, as: UTF8.self))
            sent.append((stream, body))
        }
        #expect(pair.client.streamCount == 100)
        try pair.pump()
        for (stream, body) in sent {
            // The same id holds what the server received, then what came back.
            #expect(pair.received[stream.id] == body + body)
            #expect(stream.response.fields.text == "x-id=\(stream.id)")
            #expect(stream.trailers.text == "x-end=\(stream.id)")
        }
        #expect(pair.client.streamCount == 0)
        #expect(pair.server.streamCount == 0)
    }

    @Test func `a stream given back to the pool is as new`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request([("a", "b")])
        try pair.pump()
        pair.respond(try #require(pair.served[1]), [("grpc-status", "0")], isLast: true)
        try pair.pump()
        #expect(!stream.isOpen)
        #expect(stream.wasOpened)
        pair.pool.giveBack(stream)
        #expect(pair.pool.take() === stream)
        #expect(!stream.wasOpened)
        #expect(stream.response.fields.text == "")
        #expect(!stream.hasHead)
        #expect(!stream.isFinished)
        #expect(stream.pendingBytes == 0)
    }

    @Test func `bytes that are not the preface end the server's session`() throws {
        let session = try HTTP2Session(
            role: .server, limits: HTTP2Limits(), pool: HTTP2StreamPool())
        #expect(throws: HTTP2Error.self) {
            try session.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8Span.span)
        }
    }
}
