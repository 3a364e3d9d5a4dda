import ProtoRuntime
import Testing

@testable import Transcode

/// 200 times "The quick brown fox. ", compressed by Python's gzip, zlib and brotli and by zstd's command.
private let samples: [(ContentCoding, String)] = [
    (
        .gzip,
        "H4sIAAAAAAACA+3I0QkAEBSG0VX+CUxzJyAi5UaJ8c3g/TuPx2rW3C11xeVnqPgNMpIkSZIkSZIkSZIkyf98k4hKiGgQAAA="
    ),
    (
        .deflate,
        "eJztyNEJABAUhtFV/glMcycgIuVGifHN4P07j8dq1twtdcXlZ6j4DTKSJEmSJEmSJEmSJMn/fL67xBQ="
    ),
    (.brotli, "G2cQ+I2UqtujBqEyQ5Mub3g5yCSvJQnbdJQvkK4bEABqAA=="),
    (.zstd, "KLUv/QRY7QAAqFRoZSBxdWljayBicm93biBmb3guIAEAoQD7yQRGNYp8"),
]

/// A mebibyte of zeros, likewise.
private let bombs: [(ContentCoding, String)] = [
    (.brotli, "W///j38CIB4LBHLvHwA="),
    (.zstd, "KLUv/QRYVAAAEAAAAQD7/znAAgIAEAACABAAAgAQAAIAEAACABAAAgAQAAMAEADxPhbh"),
]

private let plain = [UInt8](String(repeating: "The quick brown fox. ", count: 200).utf8)

private func decoded(_ base64: String) throws -> [UInt8] {
    var block = OutputBlock()
    try BinaryMetadata.decode(base64.utf8Span.span, into: &block)
    return block.array
}

@Suite struct CompressionTests {
    /// What the bytes inflate to behind a byte that was there, or the error.
    private static func inflated(
        _ bytes: [UInt8], _ coding: ContentCoding, limit: Int = 1 << 20
    ) throws(CompressionError) -> [UInt8] {
        var output = OutputBlock()
        output.append(7)
        let compression = Compression()
        do throws(CompressionError) {
            try compression.inflate(bytes.span, coding, into: &output, bytesMax: limit)
        } catch {
            #expect(output.array == [7], "an error leaves the output as it was")
            throw error
        }
        return Array(output.array.dropFirst())
    }

    @Test(arguments: samples) func `what other programs compressed is inflated`(
        coding: ContentCoding, base64: String
    ) throws {
        #expect(try CompressionTests.inflated(decoded(base64), coding) == plain)
    }

    @Test(arguments: samples) func `exactly the limit passes and one byte more does not`(
        coding: ContentCoding, base64: String
    ) throws {
        let bytes = try decoded(base64)
        #expect(try CompressionTests.inflated(bytes, coding, limit: plain.count) == plain)
        #expect(throws: CompressionError.tooLarge) {
            try CompressionTests.inflated(bytes, coding, limit: plain.count - 1)
        }
        #expect(throws: CompressionError.tooLarge) {
            try CompressionTests.inflated(bytes, coding, limit: 0)
        }
    }

    @Test(arguments: bombs) func `a bomb makes no more than the limit and a step`(
        coding: ContentCoding, base64: String
    ) throws {
        let bytes = try decoded(base64)
        var output = OutputBlock()
        #expect(throws: CompressionError.tooLarge) {
            try Compression().inflate(bytes.span, coding, into: &output, bytesMax: 10_000)
        }
        #expect(output.capacity < 64 << 10)
        #expect(
            try CompressionTests.inflated(bytes, coding) == [UInt8](repeating: 0, count: 1 << 20))
    }

    @Test(arguments: samples) func `cut, damaged and lengthened input is malformed`(
        coding: ContentCoding, base64: String
    ) throws {
        let bytes = try decoded(base64)
        for count in 1..<bytes.count {
            #expect(throws: CompressionError.malformed) {
                try CompressionTests.inflated(Array(bytes[..<count]), coding)
            }
        }
        #expect(throws: CompressionError.malformed) {
            try CompressionTests.inflated(bytes + [1, 2, 3], coding)
        }
        #expect(throws: CompressionError.malformed) {
            try CompressionTests.inflated([0xff] + bytes, coding)
        }
    }

    @Test func `gzip and zlib are not taken for each other`() throws {
        let gzip = try decoded(samples[0].1)
        let zlib = try decoded(samples[1].1)
        #expect(throws: CompressionError.malformed) {
            try CompressionTests.inflated(gzip, .deflate)
        }
        #expect(throws: CompressionError.malformed) { try CompressionTests.inflated(zlib, .gzip) }
    }

    @Test func `members and frames one behind the other are one`() throws {
        for coding in [ContentCoding.gzip, .zstd] {
            for (other, base64) in samples where other == coding {
                let bytes = try decoded(base64)
                #expect(try CompressionTests.inflated(bytes + bytes, coding) == plain + plain)
            }
        }
    }

    /// RFC 9659: a decoder need not take windows above 8 MiB.
    @Test func `a zstd frame that asks for a window of 128 MiB is refused`() throws {
        let bytes = try decoded("KLUv/QCI7QAAqFRoZSBxdWljayBicm93biBmb3guIAEAoQD7yQQ=")
        #expect(throws: CompressionError.malformed) { try CompressionTests.inflated(bytes, .zstd) }
    }

    @Test(arguments: ContentCoding.allCases) func `no bytes inflate to no bytes`(
        coding: ContentCoding
    )
        throws
    {
        #expect(try CompressionTests.inflated([], coding) == [])
    }

    @Test func `a decoder serves message after message, after errors too`() throws {
        let compression = Compression()
        for _ in 0..<3 {
            for (coding, base64) in samples {
                let bytes = try decoded(base64)
                var output = OutputBlock()
                #expect(throws: CompressionError.malformed) {
                    try compression.inflate(
                        bytes.span.extracting(0..<20), coding, into: &output, bytesMax: 1 << 20)
                }
                try compression.inflate(bytes.span, coding, into: &output, bytesMax: 1 << 20)
                #expect(output.array == plain)
            }
        }
    }

    @Test(arguments: [ContentCoding.gzip, .brotli, .zstd])
    func `what is compressed is smaller and inflates to what it was`(coding: ContentCoding) throws {
        let compression = Compression()
        for _ in 0..<3 {
            var output = OutputBlock()
            output.append(7)
            #expect(compression.deflate(plain.span, coding, into: &output))
            #expect(output.count < plain.count / 10)
            let made = Array(output.array.dropFirst())
            #expect(try CompressionTests.inflated(made, coding) == plain)
        }
    }

    @Test func `what gains nothing is left alone`() {
        let compression = Compression()
        var random = [UInt8]()
        var state: UInt64 = 88_172_645_463_325_252
        for _ in 0..<2000 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            random.append(UInt8(truncatingIfNeeded: state))
        }
        for coding in ContentCoding.allCases {
            var output = OutputBlock()
            output.append(7)
            #expect(!compression.deflate(random.span, coding, into: &output))
            #expect(!compression.deflate(plain.span.extracting(0..<1023), coding, into: &output))
            #expect(output.array == [7])
        }
    }
}
