import Testing

@testable import ProtoRuntime

extension OutputBlock {
    /// A copy of what was written.
    var array: [UInt8] {
        let bytes = self.bytes
        return bytes.indices.map { bytes[$0] }
    }
}

/// What `write` appends to an empty block.
private func written(_ write: (inout OutputBlock) -> Void) -> [UInt8] {
    var block = OutputBlock()
    write(&block)
    return block.array
}

@Suite struct WireWriterTests {
    @Test(
        arguments: [
            0, 1, 127, 128, 150, 16_383, 16_384, 0xffff_ffff, 1 << 63, UInt64.max,
        ] as [UInt64])
    func `a varint reads back`(value: UInt64) throws {
        let bytes = written { $0.appendVarint(value) }
        var reader = WireReader(bytes.span)
        #expect(try reader.readVarint() == value)
        #expect(reader.remaining == 0)
        #expect(bytes.count == max(1, (64 - value.leadingZeroBitCount + 6) / 7))
    }

    @Test(
        arguments: [
            (0, 0), (-1, 1), (1, 2), (-2, 3), (Int32.max, UInt32.max - 1), (Int32.min, UInt32.max),
        ] as [(Int32, UInt32)])
    func `zigzag alternates the signs`(value: Int32, encoded: UInt32) {
        #expect(ZigZag.encode(value) == encoded)
        #expect(ZigZag.decode(encoded) == value)
        #expect(ZigZag.decode(ZigZag.encode(Int64(value))) == Int64(value))
        #expect(written { $0.appendZigZag(value) } == written { $0.appendVarint(UInt64(encoded)) })
    }

    @Test func `zigzag covers all of sint64`() {
        #expect(ZigZag.encode(Int64.min) == UInt64.max)
        #expect(ZigZag.decode(UInt64.max) == Int64.min)
        #expect(ZigZag.encode(Int64.max) == UInt64.max - 1)
    }

    @Test(arguments: [0, 1, 127, 128, 129, 16_383, 16_384, 100_000])
    func `a length prefix takes as many bytes as it needs`(count: Int) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let bytes = written { block in
            block.append(0xee)
            block.appendLengthPrefixed { block in block.append(content.span) }
            block.append(0xdd)
        }
        let expected = written { block in
            block.append(0xee)
            block.appendVarint(UInt64(count))
            block.append(content.span)
            block.append(0xdd)
        }
        #expect(bytes == expected)
    }

    @Test func `every kind of field reads back`() throws {
        let bytes = written { block in
            block.appendField(1, int64: -1)
            block.appendField(2, bool: true)
            block.appendField(3, double: -0.5)
            block.appendField(4, float: 1.5)
            block.appendField(5, string: "grüße")
            block.appendField(6, bytes: [0xff, 0x00].span)
            block.appendField(7) { block in block.appendField(1, varint: 300) }
            block.appendTag(8, .startGroup)
            block.appendTag(8, .endGroup)
            block.appendTag(WireTag.numberMax, .fixed32)
            block.appendFixed32(0xdead_beef)
        }
        var reader = WireReader(bytes.span)
        var seen: [Int32] = []
        while let tag = try reader.readTag() {
            seen.append(tag.number)
            switch tag.number {
            case 1: #expect(try reader.readInt64(tag) == -1)
            case 2: #expect(try reader.readBool(tag))
            case 3: #expect(try reader.readDouble(tag) == -0.5)
            case 4: #expect(try reader.readFloat(tag) == 1.5)
            case 5: #expect(try reader.readString(tag) == "grüße")
            case 6: #expect(try reader.readBytes(tag).count == 2)
            case 7:
                var nested = try reader.readMessage(tag)
                let inner = try #require(try nested.readTag())
                #expect(try nested.readUInt64(inner) == 300)
            case 8:
                let isEmpty = try reader.readMessage(tag).isAtEnd
                #expect(isEmpty)
            default: #expect(try reader.readFixed32() == 0xdead_beef)
            }
        }
        #expect(seen == [1, 2, 3, 4, 5, 6, 7, 8, WireTag.numberMax])
    }

    @Test func `a field of another wire type than declared is refused`() throws {
        let bytes = written { $0.appendField(1, varint: 1) }
        var reader = WireReader(bytes.span)
        let tag = try #require(try reader.readTag())
        #expect(throws: WireError.unexpectedWireType(at: 0)) { try reader.readString(tag) }
    }

    @Test func `a string that is not UTF-8 is refused`() throws {
        let bytes = written { $0.appendField(1, bytes: [0x61, 0xc3].span) }
        var reader = WireReader(bytes.span)
        let tag = try #require(try reader.readTag())
        #expect(throws: WireError.invalidUTF8(at: 1)) { try reader.readString(tag) }
    }

    @Test func `repeated scalars are read packed and expanded alike`() throws {
        let bytes = written { block in
            block.appendTag(1, .lengthDelimited)
            block.appendLengthPrefixed { block in
                for value in [1, 300, 70_000] as [UInt64] { block.appendVarint(value) }
            }
            block.appendField(1, varint: 4)
        }
        var reader = WireReader(bytes.span)
        var values: [UInt64] = []
        while let tag = try reader.readTag() {
            var run = try reader.readPacked(tag, of: .varint)
            while !run.isAtEnd { values.append(try run.readVarint()) }
        }
        #expect(values == [1, 300, 70_000, 4])
    }
}
