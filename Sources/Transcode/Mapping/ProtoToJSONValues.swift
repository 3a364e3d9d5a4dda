import ProtoRuntime

/// Single values: wire bytes straight to text.
extension ProtoToJSONPass {
    /// Prints one value of the field; there is room for a scalar of 64 bytes. What was read may lie behind
    /// `end` by a varint or a fixed value: the caller checks.
    @_lifetime(self: copy self)
    mutating func writeValue(_ field: Int32, end: Int) throws(JSONFault) {
        _ = try writeValue(field, unlessZero: .presence, end: end)
    }

    /// The same; false, with nothing printed, for a zero of a field whose flags say that zeros are not printed.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func writeValue(
        _ field: Int32, unlessZero flags: FieldFlags, end: Int
    ) throws(JSONFault) -> Bool {
        // The entry is read field by field: a copy of it would go through memory.
        let kind = tables.field(field).kind
        switch kind {
        case .string:
            let stop = try readEnd(within: end)
            if stop == input.offset, dropsZero(flags) { return false }
            try writeString(upTo: stop)
        case .bytes:
            let stop = try readEnd(within: end)
            if stop == input.offset, dropsZero(flags) { return false }
            output.appendBase64(&input, count: stop &- input.offset)
        case .message:
            let type = tables.field(field).typeIndex
            try writeMessage(type, end: try readEnd(within: end))
        case .group:
            try writeGroup(tables.field(field), end: end)
        case .enumeration:
            let number = Int32(truncatingIfNeeded: try readVarint())
            if number == 0, dropsZero(flags) { return false }
            try writeEnum(number, tables.field(field).typeIndex)
        case .bool:
            let bits = try readVarint()
            if bits == 0, dropsZero(flags) { return false }
            output.putBool(bits != 0)
        case .int32:
            let value = Int32(truncatingIfNeeded: try readVarint())
            if value == 0, dropsZero(flags) { return false }
            output.putDecimal(Int64(value))
        case .int64:
            let value = Int64(bitPattern: try readVarint())
            if value == 0, dropsZero(flags) { return false }
            writeLong(value)
        case .double:
            let value = Double(bitPattern: input.word())
            input.advance(8)
            if value.bitPattern == 0, dropsZero(flags) { return false }
            output.appendNumber(value)
        default:
            let bits = try readBits(kind)
            if bits == 0, dropsZero(flags) { return false }
            writeNumber(bits, kind)
        }
        return true
    }

    @inline(__always)
    private func dropsZero(_ flags: FieldFlags) -> Bool {
        !flags.contains(.presence) && !emitsDefaults
    }

    /// Prints the string that ends at `stop`; there is room for 64 bytes.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func writeString(upTo stop: Int) throws(JSONFault) {
        let count = stop &- input.offset
        // Most strings are short and plain: one load, one store.
        if count <= 16 {
            let bytes = input.vector
            if ByteScan.plainASCIICount(bytes) >= count {
                output.putQuoted(bytes, count: count)
                return input.advance(count)
            }
        }
        try writeLongString(upTo: stop)
    }

    @inline(never)
    @_lifetime(self: copy self)
    mutating func writeLongString(upTo stop: Int) throws(JSONFault) {
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

    /// Reads the wire bits of a number; of 32-bit kinds only the low half counts.
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
        default:
            let bits = try readVarint()
            return kind.is32Bit ? bits & 0xffff_ffff : bits
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

    /// Prints an enum value by name or number.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func writeEnum(_ number: Int32, _ index: Int32) throws(JSONFault) {
        let value = tables.enumValueIndex(ofNumber: number, in: tables.enumeration(index))
        guard value >= 0, enums == .name, !tables.enumeration(index).isNullValue else {
            return try writeOtherEnum(number, index, value)
        }
        let length = Int(tables.enumValue(value).quotedLength)
        output.makeRoom(length &+ 64)
        output.putText(tables, at: tables.enumValue(value).quotedOffset, count: length)
    }

    /// Prints an enum value that is not just its name. An unknown number of a closed enum is no value of the
    /// field: the normalizer drops it.
    @inline(never)
    @_lifetime(self: copy self)
    private mutating func writeOtherEnum(
        _ number: Int32, _ index: Int32, _ value: Int32
    ) throws(JSONFault) {
        let enumeration = tables.enumeration(index)
        if enumeration.isNullValue { return output.putNull() }
        if value < 0, enumeration.isClosed { throw .fieldsOutOfOrder }
        guard value >= 0, enums != .number else { return output.putDecimal(Int64(number)) }
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
