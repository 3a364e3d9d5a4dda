import ProtoRuntime
import Testing

@testable import Transcode

private let codings: [ContentCoding] = [.gzip, .brotli, .zstd]

/// What a stream inflates to that comes in pieces of `size` bytes, with so much room at a time.
private func decoded(
    _ bytes: [UInt8], _ coding: ContentCoding, size: Int, room: Int
) throws(CompressionError) -> (plain: [UInt8], isWhole: Bool) {
    guard let decoder = coding.makeDecoder() else { return ([], false) }
    var plain: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: size) {
        let piece = Array(bytes[start..<min(start + size, bytes.count)])
        var offset = 0
        while true {
            var output = OutputBlock()
            try decoder.decode(piece.span, from: &offset, into: &output, room: room)
            #expect(output.count <= room)
            plain += output.array
            if output.count < room, offset == piece.count { break }
        }
    }
    return (plain, decoder.isAtEnd)
}

@Suite struct StreamCodersTests {
    private let texts = [
        "{\"name\":\"a\"}\n", "", String(repeating: "The quick brown fox. ", count: 3000), "end",
    ].map { Array($0.utf8) }

    @Test(arguments: codings)
    func `every piece can be read as soon as it was written`(coding: ContentCoding) throws {
        let encoder = try #require(coding.makeEncoder())
        let decoder = try #require(coding.makeDecoder())
        for (index, text) in texts.enumerated() {
            var packed = OutputBlock()
            let isLast = index == texts.count - 1
            let isDone = encoder.encode(text.span, isLast: isLast, into: &packed)
            #expect(isDone)
            var plain = OutputBlock()
            var offset = 0
            let bytes = packed.array
            try decoder.decode(bytes.span, from: &offset, into: &plain, room: 1 << 20)
            #expect(plain.array == text)
            #expect(offset == bytes.count)
            #expect(decoder.isAtEnd == isLast)
        }
    }

    @Test(arguments: codings)
    func `the whole is what one-shot decoders read`(coding: ContentCoding) throws {
        let encoder = try #require(coding.makeEncoder())
        var packed = OutputBlock()
        for (index, text) in texts.enumerated() {
            _ = encoder.encode(text.span, isLast: index == texts.count - 1, into: &packed)
        }
        var plain = OutputBlock()
        try Compression().inflate(packed.bytes, coding, into: &plain, bytesMax: 1 << 20)
        #expect(plain.array == Array(texts.joined()))
        #expect(packed.count < 3000)
    }

    @Test(arguments: codings)
    func `a stream is inflated whatever its pieces and the room`(coding: ContentCoding) throws {
        let plain = Array(texts.joined())
        var packed = OutputBlock()
        #expect(Compression().deflate(plain.span, coding, into: &packed))
        for (size, room) in [(1, 1 << 16), (7, 100), (1 << 20, 1), (3, 1000)] {
            let outcome = try decoded(packed.array, coding, size: size, room: room)
            #expect(outcome.plain == plain)
            #expect(outcome.isWhole)
        }
        let cut = Array(packed.array.dropLast())
        #expect(try decoded(cut, coding, size: 10, room: 1 << 16).isWhole == false)
    }

    @Test(arguments: codings) func `what is not of the coding is refused`(coding: ContentCoding) {
        #expect(throws: CompressionError.malformed) {
            _ = try decoded(Array(repeating: 0xff, count: 100), coding, size: 10, room: 100)
        }
    }

    @Test(arguments: codings) func `nothing at all is an empty body`(coding: ContentCoding) throws {
        let decoder = try #require(coding.makeDecoder())
        #expect(decoder.isAtEnd)
    }
}
