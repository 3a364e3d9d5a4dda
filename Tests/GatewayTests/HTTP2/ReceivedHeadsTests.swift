import CNghttp2
import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// Heads that are not decoded again: what is known of them must be what decoding them would have said.
@Suite struct ReceivedHeadsTests {
    @Test(
        arguments: [
            ([0x82, 0xbe, 0x88], false), ([], false), ([0x00, 1, 120, 1, 121], false),
            ([0x10, 1, 120, 1, 121], false), ([0x04, 1, 47], false), ([0x0f, 0x2f, 1, 47], false),
            ([0xff, 0x80, 0x01], false), ([0x00, 0x81, 0x1f, 1, 120], false),
            ([0x40, 1, 120, 1, 121], true), ([0x41, 1, 120], true), ([0x20, 0x82], true),
            ([0x3f, 0xe1, 0x1f], true), ([0x82, 0x00, 1, 120, 1], true), ([0x00, 2, 120], true),
            ([0x04], true), ([0xff], true), ([0xff, 0x80, 0x80, 0x01], true), ([0x0f, 0x80], true),
        ] as [([UInt8], Bool)])
    func `a block changes the table unless all of it is known to leave it alone`(
        block: [UInt8], changes: Bool
    ) {
        let said = ReceivedHeads.changesTable(block.span)
        #expect(said == changes)
    }

    @Test func `whenever nghttp2's table changes the block was said to change it`() {
        var random = SeededGenerator(seed: 75)
        for _ in 0..<20_000 {
            var inflater: OpaquePointer?
            guard unsafe nghttp2_hd_inflate_new(&inflater) == 0 else { continue }
            defer { unsafe nghttp2_hd_inflate_del(inflater) }
            // One entry, then bytes of which most are short strings and small indices.
            unsafe ReceivedHeadsTests.inflate(inflater, [0x40, 1, 97, 1, 98])
            let first = unsafe nghttp2_hd_inflate_get_table_entry(inflater, 62)
            let block = (0..<Int.random(in: 1..<24, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 0..<6, using: &random)
                    : UInt8.random(in: 0...255, using: &random)
            }
            unsafe ReceivedHeadsTests.inflate(inflater, block)
            let isSame =
                unsafe nghttp2_hd_inflate_get_table_entry(inflater, 62) == first
                && nghttp2_hd_inflate_get_num_table_entries(inflater) == 62
                && nghttp2_hd_inflate_get_max_dynamic_table_size(inflater) == 4096
            let isToldToChange = ReceivedHeads.changesTable(block.span)
            #expect(isSame || isToldToChange, "\(block)")
        }
    }

    @discardableResult
    private static func inflate(_ inflater: OpaquePointer?, _ block: [UInt8]) -> Bool {
        var offset = 0
        while true {
            var field = unsafe nghttp2_nv()
            var flags: Int32 = 0
            let count = unsafe block.withUnsafeBufferPointer { bytes in
                unsafe nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { unsafe $0 + offset },
                    bytes.count - offset, 1)
            }
            guard count >= 0 else { return false }
            offset += count
            if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 { return true }
        }
    }

    @Test func `only what came twice is kept, and nothing once the table has changed`() {
        var heads = ReceivedHeads()
        let block: [UInt8] = [0x82, 0x84]
        let mark = ReceivedHeads.mark(of: block.span)
        let marks = (0..<2).map { _ in heads.isRepeated(block.span, mark: mark) }
        #expect(marks == [false, true])
        let before = heads.known(block.span, mark: mark)
        _ = heads.keep(block.span, mark: mark, .request)
        let kept = heads.known(block.span, mark: mark)
        heads.forget()
        let after = heads.known(block.span, mark: mark)
        #expect([before == nil, kept == nil, after == nil] == [true, false, true])
    }

    @Test func `another block of the same mark is not taken for it`() {
        var heads = ReceivedHeads()
        let block: [UInt8] = [0x82, 0x84]
        _ = heads.isRepeated(block.span, mark: 9)
        _ = heads.keep(block.span, mark: 9, .request)
        let other: [UInt8] = [0x82, 0x85]
        let (same, another) = (
            heads.known(block.span, mark: 9), heads.known(other.span, mark: 9)
        )
        #expect([same == nil, another == nil] == [false, true])
    }

    /// Requests, some of which repeat, as nghttp2 packs them; in pieces that are cut anywhere.
    @Test(arguments: [1, 3, 40, 1 << 20])
    func `every request says what its client said`(pieceMax: Int) throws {
        var random = SeededGenerator(seed: UInt64(pieceMax))
        let packer = try HeaderPacker()
        let session = try HTTP2Session(
            role: .server, limits: HTTP2Limits(streamsMax: 5000), pool: HTTP2StreamPool())
        var bytes = HeaderPacker.preface
        var expected: [String] = []
        for call in 0..<400 {
            let method = Int.random(in: 0..<12, using: &random)
            var fields = [
                (":method", method == 3 ? "GET" : "POST"), (":scheme", "http"),
                (":path", "/library.v1.Library/Method\(method)?a=\(method)"),
                (":authority", "gateway.test"), ("te", "trailers"),
                ("content-type", "application/grpc"),
            ]
            if method == 5 { fields.append(("content-length", "0")) }
            if method == 7 { fields.append(("grpc-timeout", "\(call)m")) }
            if call % 61 == 0 { fields.append(("x-new", "\(call)")) }
            if method == 9 { fields.append(("authorization", "secret\(call % 2)")) }
            bytes += HeaderPacker.frame(
                type: 1, flags: 5, of: Int32(call * 2 + 1), try packer.block(fields))
            expected.append(
                fields.filter { $0.0 != ":scheme" }.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
            )
        }
        var read: [String] = []
        var offset = 0
        while offset < bytes.count {
            let end = min(bytes.count, offset + Int.random(in: 1...pieceMax, using: &random))
            let input = Array(bytes[offset..<end])
            try session.receive(input.span)
            offset = end
            let events = session.takeEvents()
            for event in events.events {
                guard case .head = event.kind, let stream = event.stream else { continue }
                let head =
                    ":method=\(stream.request.method.text) :path=\(stream.request.target.text)"
                    + " :authority=\(stream.request.authority.text) "
                read.append(head + stream.request.fields.text)
            }
            session.recycle(events)
        }
        #expect(read == expected)
    }

    @Test func `the length of a body is checked of heads that repeat as well`() throws {
        let packer = try HeaderPacker()
        let session = try HTTP2Session(
            role: .server, limits: HTTP2Limits(), pool: HTTP2StreamPool())
        let preface = HeaderPacker.preface
        try session.receive(preface.span)
        for (call, length) in [3, 3, 3, 5, 3, 5, 5, 3, 5].enumerated() {
            let id = Int32(call * 2 + 1)
            let block = try packer.block(
                [
                    (":method", "POST"), (":scheme", "http"), (":path", "/x"),
                    (":authority", "test"), ("content-length", "\(length)"),
                ])
            let input =
                HeaderPacker.frame(type: 1, flags: 4, of: id, block)
                + HeaderPacker.frame(type: 0, flags: 1, of: id, [1, 2, 3])
            try session.receive(input.span)
            var output = ByteBuffer()
            _ = try session.collect(into: &output, limit: .max)
            let events = session.takeEvents()
            var (ends, closes) = (0, 0)
            for event in events.events where event.stream?.id == id {
                if case .end = event.kind { ends += 1 }
                if case .closed(1) = event.kind { closes += 1 }
            }
            session.recycle(events)
            #expect([ends, closes] == (length == 3 ? [1, 0] : [0, 1]), "call \(call)")
        }
    }

    @Test func `answers and trailers say what the upstream said`() throws {
        let pair = try HTTP2Pair()
        for call in 0..<200 {
            let stream = try pair.request([("x-call", "\(call % 3)")])
            try pair.pump()
            let served = try #require(pair.served[stream.id])
            #expect(served.request.fields.text == "x-call=\(call % 3)")
            let tail = call % 50 == 0 ? "\(call)" : "0"
            served.trailers.append("grpc-status", text: tail)
            served.append("answer".utf8Span.span)
            served.finish(withTrailers: true)
            pair.respond(served, [("x-kind", "\(call % 4)")])
            try pair.pump()
            #expect(stream.response.status == 200)
            #expect(stream.response.fields.text == "x-kind=\(call % 4)")
            #expect(stream.trailers.text == "grpc-status=\(tail)")
            #expect(
                pair.received[stream.id].map { String(decoding: $0, as: UTF8.self) } == "answer")
        }
    }

    @Test func `an answer's head is refused where trailers must come, and the reverse`() throws {
        let pair = try HTTP2Pair()
        for _ in 0..<5 {
            let stream = try pair.request()
            try pair.pump()
            // HEADERS, END_HEADERS, of status 200; then the same with END_STREAM, as if it were trailers.
            let id = UInt8(truncatingIfNeeded: stream.id)
            try pair.inject([0, 0, 1, 1, 4, 0, 0, 0, id, 0x88])
            pair.clearLogs()
            try pair.inject([0, 0, 1, 1, 5, 0, 0, 0, id, 0x88])
            try pair.pump()
            #expect(pair.clientLog.filter { $0.hasPrefix("\(id) ") } == ["\(id) closed 1"])
        }
    }
}
