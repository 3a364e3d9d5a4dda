import Testing

@testable import Gateway

@Suite struct CRC32Tests {
    @Test(
        arguments: [
            ("", 0), ("a", 0xE8B7_BE43), ("123456789", 0xCBF4_3926),
            ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ] as [(String, UInt32)])
    func `the sums are those that everyone has`(text: String, sum: UInt32) {
        var checksum = CRC32()
        checksum.update(text.utf8Span.span)
        #expect(checksum.value == sum)
        var pieces = CRC32()
        for byte in text.utf8 { pieces.update([byte].span) }
        #expect(pieces.value == sum)
    }
}
