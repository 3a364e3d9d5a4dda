import Testing

@testable import Transcode

@Suite struct BinaryMetadataTests {
    private func decoded(_ text: String) -> [UInt8]? {
        try? writtenBytes { block throws(BinaryMetadata.Malformed) in
            try BinaryMetadata.decode(text.utf8Span.span, into: &block)
        }
    }

    @Test(
        arguments: [
            ([], "", ""), ([0], "AA", "AA=="), ([0, 1], "AAE", "AAE="),
            ([0, 1, 2], "AAEC", "AAEC"),
            ([251, 255, 255, 255], "+////w", "+////w=="),
        ] as [([UInt8], String, String)])
    func `bytes go there and back`(_ bytes: [UInt8], _ bare: String, _ padded: String) {
        #expect(written { BinaryMetadata.encode(bytes.span, into: &$0) } == bare)
        #expect(written { BinaryMetadata.encode(bytes.span, padded: true, into: &$0) } == padded)
        #expect(decoded(bare) == bytes)
        #expect(decoded(padded) == bytes)
    }

    @Test func `the URL alphabet is read too`() {
        #expect(decoded("-____w") == [251, 255, 255, 255])
    }

    @Test(arguments: ["A", "AAAAA", "A===", "AA=", "AAE==", "=", "A A", "AA\n", "é", "AAEC="])
    func `anything else is malformed`(_ text: String) {
        #expect(decoded(text) == nil)
    }
}
