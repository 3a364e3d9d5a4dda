import CNghttp2
import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// Header blocks against the examples of RFC 7541 and against nghttp2's decoder.
@Suite struct HPACKEncoderTests {
    @Test func `the first two requests of RFC 7541 C_3 are encoded byte for byte`() {
        var encoder = HPACKEncoder()
        let head = [
            (":method", "GET"), (":scheme", "http"), (":path", "/"),
            (":authority", "www.example.com"),
        ]
        #expect(
            encoder.block(head) == [0x82, 0x86, 0x84, 0x41, 0x0f] + Array("www.example.com".utf8))
        #expect(
            encoder.block(head + [("cache-control", "no-cache")])
                == [0x82, 0x86, 0x84, 0xbe, 0x58, 0x08] + Array("no-cache".utf8))
    }

    @Test
    func `a literal of RFC 7541 C_2_1 is encoded byte for byte, and is one byte from then on`() {
        var encoder = HPACKEncoder()
        let field = [("custom-key", "custom-header")]
        let literal = [0x40, 0x0a] + Array("custom-key".utf8) + [0x0d]
        #expect(encoder.block(field) == literal + Array("custom-header".utf8))
        #expect(encoder.block(field) == [0xbe])
    }

    @Test(
        arguments: [
            (200, [0x88]), (204, [0x89]), (206, [0x8a]), (304, [0x8b]), (400, [0x8c]),
            (404, [0x8d]),
            (500, [0x8e]), (429, [0x48, 3, 52, 50, 57]), (7, [0x48, 3, 49, 48, 48]),
            (1234, [0x48, 3, 57, 57, 57]),
        ] as [(Int, [UInt8])])
    func `a status is one byte where the table has it`(status: Int, block: [UInt8]) {
        var encoder = HPACKEncoder()
        #expect(encoder.block([], status: status) == block)
    }

    @Test(arguments: [
        ("authorization", UInt8(0x1f)), ("proxy-authorization", 0x1f), ("cookie", 0x1f),
        ("set-cookie", 0x1f),
    ])
    func `a secret is never indexed`(name: String, first: UInt8) {
        var encoder = HPACKEncoder()
        let field = [(name, "secret")]
        let block = encoder.block(field)
        #expect(block.first == first)
        #expect(encoder.block(field) == block)
    }

    @Test(arguments: ["x-request-id", "grpc-timeout", "traceparent"])
    func `of a field that differs from call to call the table keeps the name`(name: String) {
        var encoder = HPACKEncoder()
        let first = encoder.block([(name, "one")])
        #expect(first.first == 0x40)
        #expect(encoder.block([(name, "two")]) == [0x0f, 62 - 15, 3] + Array("two".utf8))
        #expect(encoder.block([(name, "one")]) == [0x0f, 62 - 15, 3] + Array("one".utf8))
    }

    @Test(arguments: [("content-length", UInt8(28)), ("location", 46), ("etag", 34), ("age", 21)])
    func `one whose name is in the static table does not enter ours`(name: String, index: UInt8) {
        var encoder = HPACKEncoder()
        #expect(encoder.block([(name, "1")]) == [0x0f, index - 15, 1, 49])
        #expect(encoder.block([("x", "y")]).first == 0x40)
        #expect(encoder.block([("x", "y")]) == [0xbe])
    }

    @Test func `a value too large for the table is sent as it is`() {
        var encoder = HPACKEncoder()
        let value = String(repeating: "v", count: 3100)
        let block = encoder.block([("x-large", value)])
        #expect(block.first == 0)
        #expect(block == encoder.block([("x-large", value)]))
    }

    @Test func `a peer without a table is told so and gets literals`() {
        var encoder = HPACKEncoder()
        _ = encoder.block([("x-a", "1")])
        encoder.changeLimit(to: 0)
        let literal: [UInt8] = [0x00, 3] + Array("x-a".utf8) + [1, 49]
        #expect(encoder.block([("x-a", "1")]) == [0x20] + literal)
        #expect(encoder.block([("x-a", "1")]) == literal)
    }

    @Test func `of limits that changed in between the smallest and the last are told`() {
        var encoder = HPACKEncoder()
        encoder.changeLimit(to: 100)
        encoder.changeLimit(to: 65_536)
        // Both before the field: 100 is 31 + 69, and our own 4,096 is 31 + 4,065 = 0x61 | 0x1f << 7.
        #expect(encoder.block([], status: 200) == [0x3f, 69, 0x3f, 0xe1, 0x1f, 0x88])
        encoder.changeLimit(to: 8192)
        #expect(encoder.block([], status: 200) == [0x88])
    }

    @Test func `nghttp2 reads what was meant, whatever the fields and the limits`() throws {
        var random = SeededGenerator(seed: 7541)
        let names = [
            ":path", ":authority", "te", "content-type", "x-request-id", "grpc-timeout", "x-a",
            "x-b",
            "a-x", "cookie", "date", "user-agent", "etag", "x-forwarded-proto", "x-forwarded-port",
        ]
        for round in 0..<40 {
            var encoder = HPACKEncoder()
            let decoder = try HeaderBlockDecoder()
            // Few values in one round, so that much is found, and many in another, so that much is evicted.
            let variety = 1 + round * 12
            for _ in 0..<200 {
                if Int.random(in: 0..<20, using: &random) == 0 {
                    let limit = UInt32(
                        Int.random(in: 0..<3, using: &random) == 0
                            ? 0 : Int.random(in: 0..<6000, using: &random))
                    encoder.changeLimit(to: limit)
                    decoder.changeLimit(to: limit)
                }
                let fields = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
                    let value = Int.random(in: 0..<variety, using: &random)
                    let length =
                        Int.random(in: 0..<40, using: &random) == 0
                        ? Int.random(in: 0..<5000, using: &random) : value % 50
                    return (
                        names[Int.random(in: 0..<names.count, using: &random)],
                        "\(value)" + String(repeating: "-", count: length)
                    )
                }
                let read = try decoder.read(encoder.block(fields))
                #expect(read == fields.map { "\($0.0)=\($0.1)" })
            }
        }
    }

    @Test func `heads that begin alike are read as what they are`() throws {
        var random = SeededGenerator(seed: 9113)
        var encoder = HPACKEncoder()
        let decoder = try HeaderBlockDecoder()
        for round in 0..<2000 {
            // Eleven methods, of which some share a slot; now and then something enters the table, or it shrinks.
            let method = Int.random(in: 0..<11, using: &random)
            var head = [
                (":method", "POST"), (":scheme", "http"), (":path", "/library.v1/Method\(method)"),
                ("te", "trailers"), ("content-type", method % 2 == 0 ? "application/grpc" : "a/b"),
            ]
            if round % 3 == 0 { head.append(("grpc-timeout", "\(round)m")) }
            head.append(("x-forwarded-for", "10.0.0.\(method % 3)"))
            head.append(("x-request-id", "\(round)"))
            if round % 97 == 0 { head.append(("x-new", "\(round)")) }
            if round % 211 == 0 {
                let limit = UInt32(Int.random(in: 0..<5000, using: &random))
                encoder.changeLimit(to: limit)
                decoder.changeLimit(to: limit)
            }
            #expect(try decoder.read(encoder.block(head)) == head.map { "\($0.0)=\($0.1)" })
            let status = [200, 404, 503][method % 3]
            let answer = [("content-type", "application/json"), ("x-request-id", "\(round)")]
            #expect(
                try decoder.read(encoder.block(answer, status: status))
                    == [":status=\(status)"] + answer.map { "\($0.0)=\($0.1)" })
        }
    }

    @Test func `names are told apart where their buckets are the same`() throws {
        var encoder = HPACKEncoder()
        let decoder = try HeaderBlockDecoder()
        let fields = (0..<300).map { ("x-\($0 % 40)-y", "\($0 % 3)") }
        #expect(
            try decoder.read(encoder.block(fields)) == fields.map { "\($0.0)=\($0.1)" })
    }

    @Test func `entries are found when their numbers have wrapped round`() throws {
        var encoder = HPACKEncoder(firstNumber: .max - 20)
        let decoder = try HeaderBlockDecoder()
        for round in 0..<100 {
            let fields = (0..<5).map { ("x-name-\($0)", "\(round / 7)") }
            #expect(try decoder.read(encoder.block(fields)) == fields.map { "\($0.0)=\($0.1)" })
        }
        #expect(encoder.block([("x-name-0", "14")]).count == 1)
    }
}

extension HPACKEncoder {
    fileprivate mutating func block(_ list: [(String, String)], status: Int? = nil) -> [UInt8] {
        var fields = Fields()
        for (name, value) in list {
            fields.append(name: name.utf8Span.span, value: value.utf8Span.span)
        }
        var block = OutputBlock()
        encode(fields, status: status, into: &block)
        return block.bytes.array
    }
}

/// nghttp2's decoder of header blocks.
@safe
private final class HeaderBlockDecoder {
    struct Failure: Error { let code: Int }

    private var inflater: OpaquePointer?

    init() throws {
        let code = unsafe nghttp2_hd_inflate_new(&inflater)
        guard code == 0 else { throw Failure(code: Int(code)) }
    }

    deinit { unsafe nghttp2_hd_inflate_del(inflater) }

    func changeLimit(to bytes: UInt32) {
        _ = unsafe nghttp2_hd_inflate_change_table_size(inflater, Int(bytes))
    }

    /// "name=value" of each field.
    func read(_ block: [UInt8]) throws -> [String] {
        var fields: [String] = []
        var offset = 0
        while true {
            var field = unsafe nghttp2_nv()
            var flags: Int32 = 0
            let count = unsafe block.withUnsafeBufferPointer { bytes in
                unsafe nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { unsafe $0 + offset },
                    bytes.count - offset, 1)
            }
            guard count >= 0 else { throw Failure(code: count) }
            offset += count
            if UInt32(flags) & NGHTTP2_HD_INFLATE_EMIT.rawValue != 0 {
                unsafe fields.append(
                    HeaderBlockDecoder.text(field.name, field.namelen) + "="
                        + HeaderBlockDecoder.text(field.value, field.valuelen))
            }
            if UInt32(flags) & NGHTTP2_HD_INFLATE_FINAL.rawValue != 0 { break }
        }
        _ = unsafe nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }

    private static func text(_ start: UnsafePointer<UInt8>?, _ count: Int) -> String {
        unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
