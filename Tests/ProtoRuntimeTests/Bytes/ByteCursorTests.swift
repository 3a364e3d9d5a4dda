import Testing

@testable import ProtoRuntime

@Suite struct ByteCursorTests {
    static let varints: [UInt64] = [
        0, 1, 127, 128, 300, 16_383, 16_384, 1 << 21 - 1, 1 << 21, 1 << 28, 1 << 35 - 1, 1 << 35,
        1 << 42, 1 << 49, 1 << 56 - 1, 1 << 56, 1 << 63 - 1, 1 << 63, .max,
    ]

    @Test(arguments: varints) func `a varint reads back in the shortest form`(_ value: UInt64) {
        var block = OutputBlock()
        block.makeRoom(64)
        block.putVarint(value)
        #expect(block.count == max(1, (64 - value.leadingZeroBitCount + 6) / 7))
        let count = block.count
        block.put(0xffff_ffff, count: 4)
        var cursor = ByteCursor(block, in: 0..<block.count)
        #expect(cursor.readVarint() == value)
        #expect(cursor.offset == count)
    }

    @Test func `a varint of eleven bytes is none, and overlong zeros are read`() {
        var block = OutputBlock()
        for _ in 0..<10 { block.append(0x80) }
        block.append(1)
        var cursor = ByteCursor(block, in: 0..<block.count)
        #expect(cursor.readVarint() == nil)
        var overlong = OutputBlock()
        for byte in [0x81, 0x80, 0x80, 0x00] as [UInt8] { overlong.append(byte) }
        var reader = ByteCursor(overlong, in: 0..<overlong.count)
        #expect(reader.readVarint() == 1)
        #expect(reader.offset == 4)
    }

    @Test(arguments: [0, 1, 126, 127, 128, 129, 1_000, 16_383, 16_384, 2_097_151, 2_097_152])
    func `a length is widened without touching its content`(_ count: Int) {
        var block = OutputBlock()
        block.append(7)
        block.makeRoom(1)
        let start = block.beginLength()
        for index in 0..<count { block.append(UInt8(truncatingIfNeeded: index)) }
        block.endLength(at: start)
        var cursor = ByteCursor(block, in: 1..<block.count)
        #expect(cursor.readVarint() == UInt64(count))
        let first = cursor.offset
        #expect(block.count - first == count)
        let isSame = (0..<count).allSatisfy { block[first + $0] == UInt8(truncatingIfNeeded: $0) }
        #expect(isSame)
    }

    @Test func `equal bytes have equal fingerprints, whatever stands behind them`() {
        var block = OutputBlock()
        let alphabet = "abcdefghijklmnopqrstuvwxyz"
        for text in [alphabet, alphabet, "Abcdefghijklmnopqrstuvwxyz"] {
            block.append(text: text)
        }
        let seed: UInt64 = 42
        for count in 0..<26 {
            let first = block.fingerprint(0..<count, seed: seed)
            #expect(first == block.fingerprint(26..<26 + count, seed: seed))
            #expect(first != block.fingerprint(0..<count + 1, seed: seed))
            #expect(count == 0 || first != block.fingerprint(52..<52 + count, seed: seed))
        }
    }

    static let texts = [
        "", "plain", "0123456789abcdef", "0123456789abcde\"", "\"", "a\\", "0123456789\u{1}",
        "0123456789abcdefg\n", "é", "0123456é", "0123456789abcdé", "\u{7f}", "~\u{1f}",
    ]

    @Test(arguments: texts) func `a plain run ends at the first byte that needs care`(
        _ text: String
    ) {
        var block = OutputBlock()
        block.append(text: text)
        block.seal()
        let cursor = ByteCursor(block, in: 0..<block.count)
        let wanted = text.utf8.prefix(16).prefix { $0 != 34 && $0 != 92 && $0 >= 32 }.count
        #expect(ByteScan.plainCount(cursor.vector) == wanted)
        let ascii = text.utf8.prefix(wanted).prefix { $0 < 128 }.count
        #expect(ByteScan.plainASCIICount(cursor.vector) == ascii)
    }
}
