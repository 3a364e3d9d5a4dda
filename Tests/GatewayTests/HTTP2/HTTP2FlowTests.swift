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
        served.trailers.append("b", String(repeating: "y", count: 200))
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
}
