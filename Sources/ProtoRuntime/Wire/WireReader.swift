/// A cursor over one encoded message. Borrows the bytes; never allocates; nothing in the bytes can trap it.
///
///     var reader = WireReader(bytes)
///     while let tag = try reader.readTag() {
///         switch tag.number {
///         case 1: name = try reader.readString(tag)
///         default: try reader.skip(tag)
///         }
///     }
///
/// Spec: protobuf Encoding. Offsets in errors count from the outermost message, through all nested readers.
public struct WireReader: ~Escapable {
    @usableFromInline let bytes: Span<UInt8>
    /// Where `bytes` begins in the outermost message.
    @usableFromInline let origin: Int
    /// How many messages and groups enclose this one.
    @usableFromInline let depth: Int
    @usableFromInline var position = 0
    /// Where the last tag began.
    @usableFromInline var tagPosition = 0

    @inlinable @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.init(bytes, origin: 0, depth: 0)
    }

    @inlinable @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, origin: Int, depth: Int) {
        self.bytes = bytes
        self.origin = origin
        self.depth = depth
    }

    /// Byte offset of the next value in the outermost message.
    @inlinable public var offset: Int { origin &+ position }
    @inlinable var tagOffset: Int { origin &+ tagPosition }
    @inlinable public var isAtEnd: Bool { position == bytes.count }
    /// Bytes that were not read yet.
    @inlinable public var remaining: Int { bytes.count &- position }

    /// Reads the next field's tag; nil at the end of the message. An end-group tag is for `skip` or the caller to judge.
    @inlinable
    public mutating func readTag() throws(WireError) -> WireTag? {
        guard !isAtEnd else { return nil }
        tagPosition = position
        guard let tag = WireTag(encoded: try readVarint()) else {
            throw .invalidTag(at: tagOffset)
        }
        return tag
    }

    /// Reads 1 to 10 bytes, seven bits each, lowest first; bits beyond the 64th are an error.
    @inlinable
    public mutating func readVarint() throws(WireError) -> UInt64 {
        let start = offset
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            guard position < bytes.count else { throw .truncated(at: start) }
            let byte = bytes[position]
            position &+= 1
            if shift == 63, byte > 1 { throw .varintTooLong(at: start) }
            value |= UInt64(byte & 0x7f) &<< shift
            if byte < 0x80 { return value }
            shift &+= 7
        }
        throw .varintTooLong(at: start)
    }

    @inlinable
    public mutating func readFixed32() throws(WireError) -> UInt32 {
        guard remaining >= 4 else { throw .truncated(at: offset) }
        var value: UInt32 = 0
        for index in 0..<4 {
            value |= UInt32(bytes[position &+ index]) &<< UInt32(8 &* index)
        }
        position &+= 4
        return value
    }

    @inlinable
    public mutating func readFixed64() throws(WireError) -> UInt64 {
        guard remaining >= 8 else { throw .truncated(at: offset) }
        var value: UInt64 = 0
        for index in 0..<8 {
            value |= UInt64(bytes[position &+ index]) &<< UInt64(8 &* index)
        }
        position &+= 8
        return value
    }

    /// Reads a length and that many bytes, without copying them.
    @inlinable @_lifetime(copy self)
    public mutating func readBytes() throws(WireError) -> Span<UInt8> {
        let start = offset
        let length = try readVarint()
        guard length <= WireLimits.lengthMax else { throw .invalidLength(at: start) }
        guard length <= UInt64(remaining) else { throw .truncated(at: start) }
        let count = Int(truncatingIfNeeded: length)
        let result = bytes.extracting(position..<position &+ count)
        position &+= count
        return result
    }

    /// Reads a length and gives a reader of what follows: a nested message, or a run of packed values.
    @inlinable @_lifetime(copy self)
    public mutating func readNested() throws(WireError) -> WireReader {
        let start = offset
        let body = try readBytes()
        guard depth < WireLimits.depthMax else { throw .tooDeep(at: start) }
        return WireReader(body, origin: offset &- body.count, depth: depth &+ 1)
    }

    /// Reads to the end of the group that `tag` opened and gives a reader of what stands between.
    @inlinable @_lifetime(copy self)
    public mutating func readGroup(_ tag: WireTag) throws(WireError) -> WireReader {
        let first = position
        let end = try skipGroup(tag.number)
        let body = bytes.extracting(first..<end)
        return WireReader(body, origin: origin &+ first, depth: depth &+ 1)
    }
}

// MARK: - Skipping

extension WireReader {
    /// Passes over the value of a field that nobody asked for.
    @inlinable
    public mutating func skip(_ tag: WireTag) throws(WireError) {
        switch tag.type {
        case .varint: _ = try readVarint()
        case .fixed64: _ = try readFixed64()
        case .lengthDelimited: _ = try readBytes()
        case .startGroup: _ = try skipGroup(tag.number)
        case .endGroup: throw .unmatchedGroup(at: tagOffset)
        case .fixed32: _ = try readFixed32()
        }
    }

    /// Passes over a group's fields and its end tag; gives the position of that end tag. A loop, not a recursion:
    /// the open groups' numbers stand in a fixed array, so depth costs no stack.
    @usableFromInline
    mutating func skipGroup(_ number: Int32) throws(WireError) -> Int {
        let room = WireLimits.depthMax - depth
        var open = InlineArray<100, Int32>(repeating: 0)
        guard room > 0 else { throw .tooDeep(at: offset) }
        open[0] = number
        var count = 1
        while true {
            guard let tag = try readTag() else { throw .truncated(at: offset) }
            switch tag.type {
            case .startGroup:
                guard count < room else { throw .tooDeep(at: tagOffset) }
                open[count] = tag.number
                count += 1
            case .endGroup:
                guard open[count - 1] == tag.number else {
                    throw .unmatchedGroup(at: tagOffset)
                }
                count -= 1
                if count == 0 { return tagPosition }
            default:
                try skip(tag)
            }
        }
    }
}

// MARK: - Values by declared type

extension WireReader {
    /// Checks that the field has the wire type of its declaration.
    @inlinable
    func expect(_ type: WireType, _ tag: WireTag) throws(WireError) {
        guard tag.type == type else { throw .unexpectedWireType(at: tagOffset) }
    }

    /// int32, uint32 and enum: the low 32 bits, whatever the rest.
    @inlinable
    public mutating func readInt32(_ tag: WireTag) throws(WireError) -> Int32 {
        Int32(truncatingIfNeeded: try readUInt64(tag))
    }

    @inlinable
    public mutating func readUInt32(_ tag: WireTag) throws(WireError) -> UInt32 {
        UInt32(truncatingIfNeeded: try readUInt64(tag))
    }

    @inlinable
    public mutating func readInt64(_ tag: WireTag) throws(WireError) -> Int64 {
        Int64(bitPattern: try readUInt64(tag))
    }

    @inlinable
    public mutating func readUInt64(_ tag: WireTag) throws(WireError) -> UInt64 {
        try expect(.varint, tag)
        return try readVarint()
    }

    @inlinable
    public mutating func readBool(_ tag: WireTag) throws(WireError) -> Bool {
        try readUInt64(tag) != 0
    }

    @inlinable
    public mutating func readSInt32(_ tag: WireTag) throws(WireError) -> Int32 {
        ZigZag.decode(try readUInt32(tag))
    }

    @inlinable
    public mutating func readSInt64(_ tag: WireTag) throws(WireError) -> Int64 {
        ZigZag.decode(try readUInt64(tag))
    }

    @inlinable
    public mutating func readFloat(_ tag: WireTag) throws(WireError) -> Float {
        try expect(.fixed32, tag)
        return Float(bitPattern: try readFixed32())
    }

    @inlinable
    public mutating func readDouble(_ tag: WireTag) throws(WireError) -> Double {
        try expect(.fixed64, tag)
        return Double(bitPattern: try readFixed64())
    }

    @inlinable @_lifetime(copy self)
    public mutating func readBytes(_ tag: WireTag) throws(WireError) -> Span<UInt8> {
        try expect(.lengthDelimited, tag)
        return try readBytes()
    }

    /// Reads a string and checks that it is UTF-8. Allocates the String: not for the hot path.
    public mutating func readString(_ tag: WireTag) throws(WireError) -> String {
        let start = offset
        let text = try readBytes(tag)
        guard let utf8 = try? UTF8Span(validating: text) else { throw .invalidUTF8(at: start) }
        return String(copying: utf8)
    }

    /// Gives a reader of a nested message, whether it is written with a length or as a group.
    @inlinable @_lifetime(copy self)
    public mutating func readMessage(_ tag: WireTag) throws(WireError) -> WireReader {
        if tag.type == .startGroup { return try readGroup(tag) }
        try expect(.lengthDelimited, tag)
        return try readNested()
    }

    /// Gives a reader of a repeated scalar's values: a packed run, or the single value of an expanded one. Read with
    /// `readVarint`, `readFixed32` or `readFixed64` until `isAtEnd`.
    @inlinable @_lifetime(copy self)
    public mutating func readPacked(_ tag: WireTag, of type: WireType) throws(WireError)
        -> WireReader
    {
        if tag.type == .lengthDelimited { return try readNested() }
        try expect(type, tag)
        let first = position
        try skip(tag)
        return WireReader(
            bytes.extracting(first..<position), origin: origin &+ first, depth: depth &+ 1)
    }
}

/// Signed integers as sint32 and sint64 write them: small magnitudes of both signs become small numbers.
public enum ZigZag {
    @inlinable public static func encode(_ value: Int32) -> UInt32 {
        UInt32(bitPattern: (value &<< 1) ^ (value &>> 31))
    }

    @inlinable public static func encode(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    @inlinable public static func decode(_ value: UInt32) -> Int32 {
        Int32(bitPattern: value &>> 1) ^ -Int32(bitPattern: value & 1)
    }

    @inlinable public static func decode(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
    }
}
