import ProtoRuntime

/// Maps: entries in the order in which they come.
extension ProtoToJSONPass {
    /// Prints the entries of a map, the first of whose tags was consumed, without braces.
    @_lifetime(self: copy self)
    mutating func writeEntries(_ field: Int32, end: Int) throws(JSONFault) {
        let entry = tables.field(field)
        let key = tables.message(entry.typeIndex).firstField
        let open = output.count
        var keys = KeySet()
        while true {
            let stop = try readEnd(within: end)
            output.makeRoom(64)
            if output.count > open { output.put(JSONByte.comma) }
            try writeKey(key, end: stop, into: &keys)
            output.makeRoom(64)
            output.put(JSONByte.colon)
            try writeEntryValue(key &+ 1, end: stop)
            // More than one key and one value: legal, and never written.
            guard input.offset == stop else {
                throw input.offset > stop ? .wireTruncated : .fieldsOutOfOrder
            }
            guard input.offset < end, input.startsWithTag(of: entry) else {
                return keys.release(&scratch)
            }
            input.advance(Int(entry.tagLength))
        }
    }

    /// Prints the entry's key, in quotes; where it is missing it is the type's default.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func writeKey(
        _ field: Int32, end: Int, into keys: inout KeySet
    ) throws(JSONFault) {
        var isPresent = false
        if input.offset < end, input.startsWithTag(of: tables.field(field)) {
            input.advance(Int(tables.field(field).tagLength))
            isPresent = true
        }
        let print: UInt64
        let kind = tables.field(field).kind
        if kind == .string {
            let stop = isPresent ? try readEnd(within: end) : input.offset
            print = input.fingerprint(count: stop &- input.offset, seed: KeySet.seed)
            try writeString(upTo: stop)
        } else {
            let bits = isPresent ? try readKeyBits(kind) : 0
            guard input.offset <= end else { throw .wireTruncated }
            print = ByteHash.print(of: bits, seed: KeySet.seed)
            writeKey(bits, kind)
        }
        guard isOrdered || keys.insert(print, in: &scratch) else { throw .fieldsOutOfOrder }
    }

    private mutating func writeKey(_ bits: UInt64, _ kind: FieldKind) {
        output.put(JSONByte.quote)
        switch kind {
        case .bool: output.putBool(bits != 0)
        case .int32, .sint32, .sfixed32, .int64, .sint64, .sfixed64:
            output.putDecimal(Int64(bitPattern: bits))
        default: output.putDecimal(bits)
        }
        output.put(JSONByte.quote)
    }

    /// Reads a key as its value, so that all encodings of one key agree.
    @_lifetime(self: copy self)
    private mutating func readKeyBits(_ kind: FieldKind) throws(JSONFault) -> UInt64 {
        switch kind {
        case .bool: return try readVarint() != 0 ? 1 : 0
        case .int32: return UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: try readVarint())))
        case .uint32: return UInt64(UInt32(truncatingIfNeeded: try readVarint()))
        case .sint32:
            let bits = UInt32(truncatingIfNeeded: try readVarint())
            return UInt64(bitPattern: Int64(Int32(bitPattern: bits &>> 1 ^ (0 &- (bits & 1)))))
        case .sint64:
            let bits = try readVarint()
            return bits &>> 1 ^ (0 &- (bits & 1))
        case .fixed64, .sfixed64:
            let bits = input.word()
            input.advance(8)
            return bits
        case .fixed32, .sfixed32:
            let bits = input.word32
            input.advance(4)
            return kind == .fixed32
                ? UInt64(bits) : UInt64(bitPattern: Int64(Int32(bitPattern: bits)))
        default: return try readVarint()
        }
    }

    /// Prints the entry's value; where it is missing it is the type's default.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func writeEntryValue(_ field: Int32, end: Int) throws(JSONFault) {
        if input.offset < end, input.startsWithTag(of: tables.field(field)) {
            input.advance(Int(tables.field(field).tagLength))
            guard tables.field(field).kind == .string else {
                return try writeValue(field, end: end)
            }
            return try writeString(upTo: try readEnd(within: end))
        }
        try writeEntryDefault(field, end: end)
    }

    @inline(never)
    @_lifetime(self: copy self)
    private mutating func writeEntryDefault(_ field: Int32, end: Int) throws(JSONFault) {
        guard input.offset == end else { throw .fieldsOutOfOrder }
        let entry = tables.field(field)
        if entry.kind == .message || entry.kind == .group {
            try writeMessage(entry.typeIndex, end: end)
        } else {
            writeZero(entry)
        }
    }
}
