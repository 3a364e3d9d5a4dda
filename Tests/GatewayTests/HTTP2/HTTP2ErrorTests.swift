import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// How streams and sessions end before their time.
@Suite struct HTTP2ErrorTests {
    @Test(arguments: [HTTP2Code.cancel, HTTP2Code.noError, HTTP2Code.internalError, 0xdead_beef])
    func `a reset closes the stream on both sides with its code`(code: UInt32) throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request(body: nil)
        try pair.pump()
        pair.client.reset(stream, code: code)
        try pair.pump()
        #expect(pair.serverLog == ["1 head", "1 closed \(code)"])
        #expect(pair.clientLog == ["1 closed \(code)"])
        #expect(!stream.isOpen)
    }

    @Test func `a stream reset before it was sent is never seen`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request(body: nil)
        pair.client.reset(stream, code: HTTP2Code.cancel)
        try pair.pump()
        #expect(pair.serverLog.isEmpty)
        #expect(pair.clientLog == ["1 closed 8"])
    }

    @Test func `what is done to a closed stream does nothing`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request(body: nil)
        try pair.pump()
        let served = try #require(pair.served[1])
        pair.server.reset(served, code: HTTP2Code.refusedStream)
        try pair.pump()
        pair.clearLogs()
        pair.server.reset(served, code: HTTP2Code.cancel)
        pair.respond(served, isLast: true)
        pair.server.consume(served)
        pair.server.resume(served)
        pair.client.reset(stream, code: HTTP2Code.cancel)
        try pair.pump()
        #expect(pair.clientLog.isEmpty)
        #expect(pair.serverLog.isEmpty)
    }

    @Test func `an answer before the end of the request tells the client to stop`() throws {
        let pair = try HTTP2Pair()
        let stream = try pair.request(body: nil)
        stream.append("half".utf8Span.span)
        pair.client.resume(stream)
        try pair.pump()
        let served = try #require(pair.served[1])
        served.append("no".utf8Span.span)
        served.trailers.append("grpc-status", "3")
        served.finish(withTrailers: true)
        pair.respond(served)
        try pair.pump()
        #expect(pair.clientLog == ["1 head", "1 body no", "1 end", "1 closed 0"])
        #expect(stream.trailers.text == "grpc-status=3")
        #expect(pair.server.streamCount == 0)
        #expect(pair.client.streamCount == 0)
    }

    @Test func `an early answer of a head alone tells the client to stop`() throws {
        let pair = try HTTP2Pair()
        _ = try pair.request(body: nil)
        try pair.pump()
        pair.respond(try #require(pair.served[1]), isLast: true)
        try pair.pump()
        #expect(pair.clientLog == ["1 head last", "1 end", "1 closed 0"])
        #expect(pair.server.streamCount == 0)
    }

    @Test func `a head that is too large to be sent resets its stream`() throws {
        let pair = try HTTP2Pair()
        _ = try pair.request()
        try pair.pump()
        let huge = String(repeating: "x", count: 70_000)
        pair.respond(try #require(pair.served[1]), [("x-huge", huge)], isLast: true)
        try pair.pump()
        #expect(pair.clientLog == ["1 closed \(HTTP2Code.internalError)"])
        #expect(pair.server.streamCount == 0)
    }

    @Test func `trailers that are too large to be sent reset their stream`() throws {
        let pair = try HTTP2Pair()
        _ = try pair.request()
        try pair.pump()
        let served = try #require(pair.served[1])
        served.trailers.append("x-huge", text: String(repeating: "x", count: 70_000))
        served.finish(withTrailers: true)
        pair.respond(served)
        try pair.pump()
        #expect(pair.clientLog.last == "1 closed \(HTTP2Code.internalError)")
        #expect(pair.server.streamCount == 0)
    }

    @Test func `a request that is too large to be sent is refused, and the session goes on`() throws
    {
        let pair = try HTTP2Pair()
        #expect(throws: HTTP2Error.headTooLarge) {
            _ = try pair.request([("x-huge", String(repeating: "x", count: 70_000))])
        }
        #expect(pair.client.streamCount == 0)
        _ = try pair.request()
        try pair.pump()
        #expect(pair.serverLog == ["1 head", "1 end"])
    }

    @Test func `a goaway lets the streams it names finish and refuses the others`() throws {
        let pair = try HTTP2Pair()
        _ = try pair.request()
        try pair.pump()
        pair.server.goAway(code: HTTP2Code.noError)
        _ = try pair.request()
        #expect(try pair.toClient())
        try pair.pump()
        #expect(
            pair.clientLog == [
                "goaway 1 0 keeps streams", "3 closed \(HTTP2Code.refusedStream)",
            ])
        #expect(pair.client.wantsMore)
        pair.respond(try #require(pair.served[1]), isLast: true)
        try pair.pump()
        #expect(pair.clientLog.suffix(3) == ["1 head last", "1 end", "1 closed 0"])
        #expect(!pair.client.wantsMore)
        #expect(!pair.server.wantsMore)
    }

    @Test func `a goaway keeps streams that end in the same piece`() throws {
        let pair = try HTTP2Pair()
        _ = try pair.request()
        try pair.pump()
        pair.server.goAway(code: HTTP2Code.noError)
        pair.respond(try #require(pair.served[1]), isLast: true)
        #expect(try pair.toClient())
        #expect(pair.clientLog.first == "goaway 1 0 keeps streams")
        #expect(pair.clientLog.last == "1 closed 0")
    }

    @Test func `the announcement of a shutdown still lets streams begin`() throws {
        let pair = try HTTP2Pair()
        pair.server.announceShutdown()
        _ = try pair.request()
        try pair.pump()
        #expect(pair.clientLog == ["goaway 2147483647 0 keeps streams"])
        #expect(pair.serverLog == ["1 head", "1 end", "pong"])
        pair.server.goAway(code: HTTP2Code.noError)
        try pair.pump()
        #expect(
            pair.clientLog == [
                "goaway 2147483647 0 keeps streams", "goaway 1 0 keeps streams",
            ])
        pair.respond(try #require(pair.served[1]), isLast: true)
        try pair.pump()
        #expect(!pair.server.wantsMore)
    }

    @Test func `a lost connection closes every stream once`() throws {
        let pair = try HTTP2Pair()
        let streams = try (0..<5).map { _ in try pair.request(body: nil) }
        try pair.pump()
        pair.client.abandonStreams(code: HTTP2Code.cancel)
        #expect(pair.client.streamCount == 0)
        #expect(streams.allSatisfy { !$0.isOpen })
        let events = pair.client.takeEvents()
        #expect(Set(events.events.compactMap { $0.stream?.id }) == [1, 3, 5, 7, 9])
        pair.client.abandonStreams(code: HTTP2Code.cancel)
        #expect(pair.client.takeEvents().isEmpty)
    }

    @Test func `a client that resets streams faster than allowed is sent away`() throws {
        let pair = try HTTP2Pair()
        // nghttp2 counts by the clock and 800 are allowed at once; a slow build needs more than 1,000 to get there.
        for _ in 0..<10_000 {
            let stream = try pair.request(body: nil)
            #expect(try pair.toServer())
            pair.client.reset(stream, code: HTTP2Code.cancel)
            guard try pair.toServer(), pair.client.wantsMore else { break }
            _ = try pair.toClient()
            if pair.clientLog.contains(where: { $0.hasPrefix("goaway") }) { break }
        }
        let goAways = pair.clientLog.filter { $0.hasPrefix("goaway") }
        #expect(goAways.count == 1)
        #expect(pair.serverLog.filter { $0.hasSuffix("head") }.count >= 800)
        #expect(!pair.server.wantsMore)
    }
}
