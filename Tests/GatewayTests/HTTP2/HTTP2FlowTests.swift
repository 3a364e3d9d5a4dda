import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// Windows and limits: what a peer may send before it is told to go on.
@Suite struct HTTP2FlowTests {
    private static func limits(_ change: (inout HTTP2Limits) -> Void) -> HTTP2Limits {
        var limits = HTTP2Limits()
        change(&limits)
        return limits
    }

    @Test func `a stream sends no more than the window until bytes are consumed`() throws {
        let pair = try HTTP2Pair(server: HTTP2FlowTests.limits { $0.streamWindowBytes = 1000 })
        pair.consumesAtOnce = false
        let stream = try pair.request(body: String(repeating: "x", count: 2500))
        try pair.pump()
        #expect(pair.received[1]?.count == 1000)
        #expect(stream.pendingBytes == 1500)
        let served = try #require(pair.served[1])
        #expect(served.unconsumed == 1000)
        pair.server.consume(served)
        #expect(served.unconsumed == 0)
        try pair.pump()
        #expect(pair.received[1]?.count == 2000)
        pair.server.consume(served)
        try pair.pump()
        #expect(pair.received[1]?.count == 2500)
        #expect(pair.serverLog.last == "1 end")
    }

    @Test func `a stream that is not consumed does not hold up another`() throws {
        let pair = try HTTP2Pair(
            server: HTTP2FlowTests.limits {
                $0.streamWindowBytes = 60_000
                $0.connectionWindowBytes = 70_000
            })
        pair.consumesAtOnce = false
        for _ in 0..<5 { _ = try pair.request(body: String(repeating: "x", count: 100_000)) }
        try pair.pump()
        for id in [1, 3, 5, 7, 9] as [Int32] { #expect(pair.received[id]?.count == 60_000) }
    }

    @Test func `bytes are consumed once`() throws {
        let pair = try HTTP2Pair(server: HTTP2FlowTests.limits { $0.streamWindowBytes = 1000 })
        pair.consumesAtOnce = false
        _ = try pair.request(body: String(repeating: "x", count: 9000))
        try pair.pump()
        let served = try #require(pair.served[1])
        for _ in 0..<5 { pair.server.consume(served) }
        try pair.pump()
        #expect(pair.received[1]?.count == 2000)
    }

    @Test func `the owner is told once when few bytes are left`() throws {
        let pair = try HTTP2Pair(server: HTTP2FlowTests.limits { $0.streamWindowBytes = 50_000 })
        pair.consumesAtOnce = false
        let stream = try pair.request(body: nil)
        stream.wantsDrained = true
        stream.append([UInt8](repeating: 120, count: 150_000).span)
        pair.client.resume(stream)
        try pair.pump()
        #expect(stream.pendingBytes == 100_000)
        #expect(!pair.clientLog.contains("1 drained"))
        pair.server.consume(try #require(pair.served[1]))
        try pair.pump()
        #expect(pair.clientLog.filter { $0 == "1 drained" }.count == 1)
        #expect(!stream.wantsDrained)
        pair.server.consume(try #require(pair.served[1]))
        try pair.pump()
        #expect(pair.clientLog.filter { $0 == "1 drained" }.count == 1)
    }

    @Test func `the limit of streams reaches the client`() throws {
        let pair = try HTTP2Pair(server: HTTP2FlowTests.limits { $0.streamsMax = 3 })
        #expect(pair.client.peerStreamsMax == 3)
        for _ in 0..<5 { _ = try pair.request(body: nil) }
        try pair.pump()
        #expect(pair.serverLog == ["1 head", "3 head", "5 head"])
    }

    @Test(arguments: [(0, false), (1, true)])
    func `header fields may be as large as the limit, and not one byte more`(
        extra: Int, isTooLarge: Bool
    ) throws {
        let pair = try HTTP2Pair(server: HTTP2FlowTests.limits { $0.headerListBytesMax = 1000 })
        // The pseudo-fields take 7 + 4, 7 + 4, 5 + 2, 10 + 4 and 32 bytes each.
        let value = String(repeating: "x", count: 1000 - 43 - 5 * 32 - 1 + extra)
        _ = try pair.request([("a", value)])
        try pair.pump()
        let served = try #require(pair.served[1])
        #expect(served.isHeadTooLarge == isTooLarge)
        #expect(pair.serverLog.first == "1 head")
    }

    @Test func `the limit holds for each block of fields alone`() throws {
        let limits = HTTP2FlowTests.limits { $0.headerListBytesMax = 300 }
        let pair = try HTTP2Pair(client: limits)
        let stream = try pair.request()
        try pair.pump()
        let served = try #require(pair.served[1])
        served.trailers.append("b", text: String(repeating: "y", count: 200))
        served.finish(withTrailers: true)
        pair.respond(served, [("a", String(repeating: "x", count: 200))])
        try pair.pump()
        #expect(!stream.isHeadTooLarge)
        #expect(stream.trailers.count == 1)
    }

    @Test func `a session says when its stream ids come to their end`() throws {
        let pair = try HTTP2Pair(client: HTTP2FlowTests.limits { $0.streamIDMax = 5 })
        for isUsedUp in [false, false, true, true] {
            _ = try pair.request()
            #expect(pair.client.isUsedUp == isUsedUp)
        }
    }

    @Test func `what is collected stops at the limit and goes on later`() throws {
        let pair = try HTTP2Pair()
        _ = try pair.request(body: String(repeating: "x", count: 500_000))
        var output = ByteBuffer()
        #expect(try pair.client.collect(into: &output, limit: 20_000))
        #expect(output.count >= 20_000)
        #expect(output.count < 20_000 + 17_000)
        #expect(try !pair.client.collect(into: &output, limit: .max))
        #expect(output.count > 500_000)
    }

    @Test func `a stream is stalled when the peer takes nothing for the whole limit`() throws {
        let pair = try HTTP2Pair(client: HTTP2FlowTests.limits { $0.streamWindowBytes = 1000 })
        pair.consumesAtOnce = false
        let asked = try pair.request()
        _ = try pair.request(body: nil)
        try pair.pump()
        let answered = try #require(pair.served[1])
        answered.append(String(repeating: "x", count: 2500).utf8Span.span)
        answered.finish(withTrailers: false)
        pair.respond(answered)
        try pair.pump()
        pair.clearLogs()
        // The first look sees it wait; only a whole limit later it is stalled.
        #expect(!pair.server.resetStalled(now: 1_000, limit: 100))
        #expect(!pair.server.resetStalled(now: 1_099, limit: 100))
        pair.client.consume(asked)
        try pair.pump()
        #expect(!pair.server.resetStalled(now: 1_100, limit: 100), "1,000 bytes were taken")
        #expect(!pair.server.resetStalled(now: 1_199, limit: 100))
        #expect(pair.server.resetStalled(now: 1_200, limit: 100))
        try pair.pump()
        #expect(pair.clientLog.last == "1 closed 8")
        #expect(pair.server.streamCount == 1, "nothing waits on the other")
        #expect(!pair.server.resetStalled(now: .max, limit: 100))
    }

    @Test func `the end of an answer alone can wait for the window too`() throws {
        let pair = try HTTP2Pair(client: HTTP2FlowTests.limits { $0.streamWindowBytes = 4 })
        pair.consumesAtOnce = false
        _ = try pair.request()
        try pair.pump()
        let answered = try #require(pair.served[1])
        answered.append("four".utf8Span.span)
        pair.respond(answered)
        try pair.pump()
        answered.finish(withTrailers: false)
        pair.server.resume(answered)
        try pair.pump()
        #expect(pair.clientLog == ["1 head", "1 body four"])
        #expect(!pair.server.resetStalled(now: 5, limit: 10))
        #expect(pair.server.resetStalled(now: 15, limit: 10))
    }

    @Test func `a head is being received from its first frame to its last`() throws {
        let session = try HTTP2Session(
            role: .server, limits: HTTP2Limits(), pool: HTTP2StreamPool())
        func receive(_ bytes: [UInt8]) throws {
            try session.receive(bytes.span)
            session.recycle(session.takeEvents())
        }
        try receive(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0])
        #expect(!session.isReceivingHead)
        // GET http / on stream 1, field by field; END_STREAM, no END_HEADERS.
        try receive([0, 0, 3, 1, 1, 0, 0, 0, 1])
        #expect(session.isReceivingHead)
        try receive([0x82, 0x86])
        #expect(session.isReceivingHead)
        try receive([0x84])
        #expect(session.isReceivingHead)
        #expect(session.headCount == 1)
        // CONTINUATION with END_HEADERS: authority "x".
        try receive([0, 0, 3, 9, 4, 0, 0, 0, 1, 0x41, 0x01, 0x78])
        #expect(!session.isReceivingHead)
        try receive([0, 0, 3, 1, 1, 0, 0, 0, 3, 0x82])
        #expect(session.isReceivingHead)
        #expect(session.headCount == 2)
        session.abandonStreams(code: HTTP2Code.cancel)
        #expect(!session.isReceivingHead)
    }
}
