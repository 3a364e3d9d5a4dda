import ProtoRuntime

/// Single values: wire bytes straight to text.
extension ProtoToJSONPass {
    /// Prints one value of the field; there is room for a scalar of 64 bytes. What was read may lie behind
    /// `end` by a varint or a fixed value: the caller checks.
    @_lifetime(self: copy self)
    mutating func writeValue(_ field: Int32, end: Int) throws(JSONFault) {
        // The entry is read field by field: a copy of it would go through memory.
        let kind = tables.field(field).kind
        switch kind {
        case .string:
            try writeString(end: end)
        case .bytes:
            let stop = try readEnd(within: end)
            output.appendBase64(&input, count: stop &- input.offset)
        case .message:
            let type = tables.field(field).typeIndex
            try writeMessage(type, end: try readEnd(within: end))
        case .group:
            try writeGroup(tables.field(field), end: end)
        case .bool:
            output.putBool(try readVarint() != 0)
        case .enumeration:
            let type = tables.field(field).typeIndex
            try writeEnum(Int32(truncatingIfNeeded: try readVarint()), type)
        case .int32: output.putDecimal(Int64(Int32(truncatingIfNeeded: try readVarint())))
        case .uint32: output.putDecimal(UInt64(UInt32(truncatingIfNeeded: try readVarint())))
        case .int64: writeLong(Int64(bitPattern: try readVarint()))
        case .double:
            let value = Double(bitPattern: input.word())
            input.advance(8)
            output.appendNumber(value)
        default:
            writeNumber(try readBits(kind), kind)
        }
    }

    /// Prints a string; there is room for 64 bytes.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func writeString(end: Int) throws(JSONFault) {
        let stop = try readEnd(within: end)
        let count = stop &- input.offset
        // Most strings are short and plain: one load, one store.
        if count <= 16 {
            let bytes = input.vector
            if ByteScan.plainCount(bytes) >= count, !ByteScan.hasHighBit(bytes) {
                output.putQuoted(bytes, count: count)
                return input.advance(count)
            }
        }
        try writeLongString(upTo: stop)
    }

    @inline(never)
    @_lifetime(self: copy self)
    private mutating func writeLongString(upTo stop: Int) throws(JSONFault) {
        let start = input.offset
        do throws(JSONFault) {
            try output.appendQuoted(&input, count: stop &- start)
        } catch {
            faultOffset = start
            throw error
        }
    }

    /// Prints a group, whose start tag was consumed.
    @inline(never)
    @_lifetime(self: copy self)
    private mutating func writeGroup(_ entry: FieldEntry, end: Int) throws(JSONFault) {
        let number = UInt32(bitPattern: entry.number)
        let stop = try input.endOfGroup(number, end: end, depth: depth)
        try writeMessage(entry.typeIndex, end: stop)
        // The end tag may have more bytes than it needs.
        guard input.offset == stop else { throw .wireTruncated }
        _ = try input.readWireTag(end: end)
    }

    @_lifetime(self: copy self)
    mutating func readVarint() throws(JSONFault) -> UInt64 {
        guard let value = input.readVarint() else { throw .wireVarint }
        return value
    }

    /// Reads the wire bits of a number.
    @_lifetime(self: copy self)
    private mutating func readBits(_ kind: FieldKind) throws(JSONFault) -> UInt64 {
        switch kind {
        case .double, .fixed64, .sfixed64:
            let bits = input.word()
            input.advance(8)
            return bits
        case .float, .fixed32, .sfixed32:
            let bits = input.word32
            input.advance(4)
            return UInt64(bits)
        default: return try readVarint()
        }
    }

    /// Prints a number by its wire bits.
    mutating func writeNumber(_ bits: UInt64, _ kind: FieldKind) {
        switch kind {
        case .int32, .sfixed32: output.putDecimal(Int64(Int32(truncatingIfNeeded: bits)))
        case .uint32, .fixed32: output.putDecimal(UInt64(UInt32(truncatingIfNeeded: bits)))
        case .sint32:
            let narrow = UInt32(truncatingIfNeeded: bits)
            output.putDecimal(Int64(Int32(bitPattern: narrow &>> 1 ^ (0 &- (narrow & 1)))))
        case .int64, .sfixed64: writeLong(Int64(bitPattern: bits))
        case .sint64: writeLong(Int64(bitPattern: bits &>> 1 ^ (0 &- (bits & 1))))
        case .uint64, .fixed64:
            if int64IsNumber { return output.putDecimal(bits) }
            output.put(JSONByte.quote)
            output.putDecimal(bits)
            output.put(JSONByte.quote)
        case .double: output.appendNumber(Double(bitPattern: bits))
        default: output.appendNumber(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        }
    }

    private mutating func writeLong(_ value: Int64) {
        if int64IsNumber { return output.putDecimal(value) }
        output.put(JSONByte.quote)
        output.putDecimal(value)
        output.put(JSONByte.quote)
    }

    /// Prints an enum value by name or number. An unknown number of a closed enum is no value of the
    /// field: the normalizer drops it.
    mutating func writeEnum(_ number: Int32, _ index: Int32) throws(JSONFault) {
        let enumeration = tables.enumeration(index)
        if enumeration.isNullValue { return output.putNull() }
        let value = tables.enumValueIndex(ofNumber: number, in: enumeration)
        if value < 0 {
            if enumeration.isClosed { throw .fieldsOutOfOrder }
            return output.putDecimal(Int64(number))
        }
        guard enums != .number else { return output.putDecimal(Int64(number)) }
        let entry = tables.enumValue(value)
        var skip = 0
        if enums == .stripped {
            let name = tables.text(
                offset: entry.quotedOffset &+ 1, length: entry.quotedLength &- 2)
            skip = EnumPrefix.count(in: name, of: enumeration, tables)
        }
        output.makeRoom(Int(entry.quotedLength) &+ 64)
        if skip > 0 { output.put(JSONByte.quote) }
        let offset = entry.quotedOffset &+ UInt32(truncatingIfNeeded: skip > 0 ? skip &+ 1 : 0)
        let count = Int(entry.quotedLength) &- (skip > 0 ? skip &+ 1 : 0)
        output.putText(tables, at: offset, count: count)
    }
}
