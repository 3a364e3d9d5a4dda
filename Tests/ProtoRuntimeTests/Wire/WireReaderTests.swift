import Testing

@testable import ProtoRuntime

/// Runs `read` on a reader of `bytes`: a reader cannot leave its scope.
private func reading<Value>(
    _ bytes: [UInt8], _ read: (inout WireReader) throws(WireError) -> Value
) throws(WireError) -> Value {
    var reader = WireReader(bytes.span)
    return try read(&reader)
}

/// Skips every field of a message.
private func skipAll(_ bytes: [UInt8]) throws(WireError) {
    var reader = WireReader(bytes.span)
    while let tag = try reader.readTag() { try reader.skip(tag) }
}

@Suite struct WireReaderTests {
    @Test(
        arguments: [
            ([0x00], 0), ([0x01], 1), ([0x7f], 127), ([0x80, 0x01], 128), ([0x96, 0x01], 150),
            ([0xff, 0xff, 0xff, 0xff, 0x0f], 0xffff_ffff),
            ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], UInt64.max),
            // Longer than needed is legal.
            ([0x81, 0x80, 0x00], 1),
            ([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 1),
        ] as [([UInt8], UInt64)])
    func `a varint has seven bits a byte, lowest first`(bytes: [UInt8], value: UInt64) throws {
        try reading(bytes) { reader throws(WireError) in
            #expect(try reader.readVarint() == value)
            #expect(reader.remaining == 0)
        }
    }

    @Test(
        arguments: [
            ([], .truncated(at: 0)),
            ([0x80], .truncated(at: 0)),
            ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], .truncated(at: 0)),
            // The tenth byte has room for one bit.
            (
                [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], .varintTooLong(at: 0)
            ),
            (
                [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
                .varintTooLong(at: 0)
            ),
        ] as [([UInt8], WireError)])
    func `a varint that ends early or exceeds 64 bits is refused`(
        bytes: [UInt8], error: WireError
    ) {
        #expect(throws: error) {
            try reading(bytes) { reader throws(WireError) in _ = try reader.readVarint() }
        }
    }

    @Test func `fixed values are little-endian`() throws {
        let bytes: [UInt8] = [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8]
        try reading(bytes) { reader throws(WireError) in
            #expect(try reader.readFixed32() == 0x0403_0201)
            #expect(try reader.readFixed64() == 0x0807_0605_0403_0201)
            #expect(reader.remaining == 0)
        }
    }

    @Test func `a fixed value that is cut is refused`() {
        #expect(throws: WireError.truncated(at: 0)) {
            try reading([1, 2, 3]) { reader throws(WireError) in _ = try reader.readFixed32() }
        }
        #expect(throws: WireError.truncated(at: 0)) {
            try reading([1, 2, 3, 4, 5, 6, 7]) { reader throws(WireError) in
                _ = try reader.readFixed64()
            }
        }
    }

    @Test(
        arguments: [
            (0x08, 1, .varint), (0x7a, 15, .lengthDelimited), (0x0b, 1, .startGroup),
            (0x0c, 1, .endGroup), (0x0d, 1, .fixed32), (0xffff_fff9, 536_870_911, .fixed64),
        ] as [(UInt64, Int32, WireType)])
    func `a tag holds the number and the wire type`(
        encoded: UInt64, number: Int32, type: WireType
    ) {
        #expect(WireTag(encoded: encoded) == WireTag(number: number, type: type))
        #expect(UInt64(WireTag(number: number, type: type).encoded) == encoded)
    }

    @Test(
        arguments: [
            [0x00], [0x02], [0x0e], [0x0f],
            // Field number 2^29.
            [0x80, 0x80, 0x80, 0x80, 0x10],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ] as [[UInt8]])
    func `a tag without a legal number or type is refused`(bytes: [UInt8]) {
        #expect(throws: WireError.invalidTag(at: 0)) {
            try reading(bytes) { reader throws(WireError) in _ = try reader.readTag() }
        }
    }

    @Test(
        arguments: [
            ([0x05, 1, 2, 3, 4], .truncated(at: 0)),
            // 2^31 - 1 is a legal length, but these bytes are not there.
            ([0xff, 0xff, 0xff, 0xff, 0x07], .truncated(at: 0)),
            // 2^31, 2^63, 2^64 - 2 and 2^64 - 1.
            ([0x80, 0x80, 0x80, 0x80, 0x08], .invalidLength(at: 0)),
            (
                [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], .invalidLength(at: 0)
            ),
            (
                [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], .invalidLength(at: 0)
            ),
            (
                [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], .invalidLength(at: 0)
            ),
        ] as [([UInt8], WireError)])
    func `a length beyond the message is refused, however large`(
        bytes: [UInt8], error: WireError
    ) {
        #expect(throws: error) {
            try reading(bytes) { reader throws(WireError) in _ = try reader.readBytes() }
        }
        #expect(throws: error) {
            try reading(bytes) { reader throws(WireError) in _ = try reader.readNested() }
        }
    }

    @Test func `length-delimited bytes are lent, not copied`() throws {
        try reading([3, 0x61, 0x62, 0x63, 0]) { reader throws(WireError) in
            let bytes = try reader.readBytes()
            #expect(bytes.count == 3)
            #expect(bytes[2] == 0x63)
            #expect(reader.remaining == 1)
        }
    }

    @Test func `errors count offsets from the outermost message`() {
        // Field 1 holds a message whose field 2 promises nine bytes and has one.
        let bytes: [UInt8] = [0x08, 0x01, 0x0a, 0x03, 0x12, 0x09, 0x61]
        #expect(throws: WireError.truncated(at: 5)) {
            try reading(bytes) { reader throws(WireError) in
                while let tag = try reader.readTag() {
                    guard tag.type == .lengthDelimited else {
                        try reader.skip(tag)
                        continue
                    }
                    var nested = try reader.readMessage(tag)
                    while let inner = try nested.readTag() { try nested.skip(inner) }
                }
            }
        }
    }
}

@Suite struct WireReaderSkipTests {
    @Test func `unknown fields of every wire type are passed over`() throws {
        try skipAll([
            0x08, 0x96, 0x01,  // varint
            0x11, 1, 2, 3, 4, 5, 6, 7, 8,  // fixed64
            0x1a, 0x02, 0xff, 0xff,  // length-delimited
            0x23, 0x08, 0x01, 0x2b, 0x2c, 0x24,  // group 4 with a varint and an empty group 5
            0x35, 1, 2, 3, 4,  // fixed32
        ])
    }

    @Test(
        arguments: [
            ([0x0c], .unmatchedGroup(at: 0)),
            ([0x0b, 0x14], .unmatchedGroup(at: 1)),
            ([0x0b, 0x13, 0x0c, 0x14], .unmatchedGroup(at: 2)),
            ([0x0b], .truncated(at: 1)),
            ([0x0b, 0x08], .truncated(at: 2)),
            ([0x0b, 0x07], .invalidTag(at: 1)),
        ] as [([UInt8], WireError)])
    func `a group that is not closed by its own end is refused`(bytes: [UInt8], error: WireError) {
        #expect(throws: error) { try skipAll(bytes) }
    }

    @Test func `groups nest a hundred deep and no deeper`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x0b, count: depth) + [UInt8](repeating: 0x0c, count: depth)
        }
        try skipAll(nested(100))
        #expect(throws: WireError.tooDeep(at: 100)) { try skipAll(nested(101)) }
        #expect(throws: WireError.tooDeep(at: 100)) { try skipAll(nested(1_000_000)) }
    }

    @Test func `messages nest a hundred deep and no deeper`() throws {
        /// Enters field 1 again and again; gives the depth reached.
        func descend(_ reader: inout WireReader, _ depth: Int) throws(WireError) -> Int {
            guard let tag = try reader.readTag() else { return depth }
            var inner = try reader.readMessage(tag)
            return try descend(&inner, depth + 1)
        }
        func nested(_ depth: Int) -> [UInt8] {
            var block = OutputBlock()
            func append(_ depth: Int, into block: inout OutputBlock) {
                guard depth > 0 else { return }
                block.appendField(1) { block in append(depth - 1, into: &block) }
            }
            append(depth, into: &block)
            return block.array
        }
        #expect(
            try reading(nested(100)) { reader throws(WireError) in try descend(&reader, 0) } == 100)
        let error = #expect(throws: WireError.self) {
            try reading(nested(101)) { reader throws(WireError) in try descend(&reader, 0) }
        }
        guard case .tooDeep = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `a group's content is read like a message's`() throws {
        try reading([0x0b, 0x08, 0x05, 0x13, 0x14, 0x0c, 0x18, 0x07]) {
            reader throws(WireError) in
            let tag = try require(reader.readTag())
            var group = try reader.readMessage(tag)
            let number = try require(group.readTag())
            #expect(try group.readInt32(number) == 5)
            let inner = try require(group.readTag())
            let isEmpty = try group.readMessage(inner).isAtEnd
            #expect(isEmpty)
            #expect(group.remaining == 0)
            #expect(try reader.readTag() == WireTag(number: 3, type: .varint))
        }
    }
}

/// `#require` that throws what a typed-throws closure may throw.
private func require(_ tag: WireTag?) throws(WireError) -> WireTag {
    guard let tag else { throw .truncated(at: 0) }
    return tag
}
