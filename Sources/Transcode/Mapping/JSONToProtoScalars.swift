import ProtoRuntime

/// Scalars: text of the document straight to wire bytes.
extension JSONToProtoPass {
    /// Reads one scalar and puts its tag, of which `tagCount` bytes count (0 inside a packed field), and
    /// its value; nothing for a zero that is dropped or an enum name that is ignored.
    @_lifetime(self: copy self)
    mutating func readScalar(
        _ field: Int32, tagCount: UInt8, dropsZero: Bool
    ) throws(JSONFault) {
        // The entry is read field by field: a copy of it would go through memory.
        let kind = tables.field(field).kind
        let bits: UInt64
        needRoom()
        switch kind {
        case .string: return try readString(field, dropsZero: dropsZero)
        case .bytes: return try readBytes(field, dropsZero: dropsZero)
        case .double:
            let value = try readDoubleBits()
            if value == 0, dropsZero { return }
            output.putTag(tables.field(field).tag, count: tagCount)
            return output.putFixed64(value)
        case .bool: bits = try input.readBool() ? 1 : 0
        case .enumeration:
            guard let number = try readEnum(tables.field(field).typeIndex) else {
                return try requireValue(field, at: input.offset)
            }
            bits = UInt64(bitPattern: Int64(number))
        default:
            bits = try readNumber(kind)
        }
        if bits == 0, dropsZero { return }
        output.putTag(tables.field(field).tag, count: tagCount)
        output.putNumber(bits, as: kind)
    }

    /// Reads a double, bare or in quotes.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func readDoubleBits() throws(JSONFault) -> UInt64 {
        guard input.byte == JSONByte.quote else { return try input.readDouble().bitPattern }
        return try readNumber(.double)
    }

    /// Reads a number, bare or in quotes, as the bits that go on the wire.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readNumber(_ kind: FieldKind) throws(JSONFault) -> UInt64 {
        guard input.byte == JSONByte.quote else {
            if kind == .float { return UInt64(try input.readFloat().bitPattern) }
            return try input.readInteger(kind)
        }
        let start = input.offset
        input.advance(1)
        do throws(JSONFault) {
            let bits = try input.readNumber(kind, isQuoted: true)
            guard input.byte == JSONByte.quote else { throw .badNumber }
            input.advance(1)
            return bits
        } catch {
            // Rarely, but legally, characters are written as escapes.
            guard hasEscape(inStringAt: start) else { throw error }
            return try readUnescapedNumber(kind, at: start)
        }
    }

    @inline(never)
    @_lifetime(self: copy self)
    private mutating func readUnescapedNumber(
        _ kind: FieldKind, at start: Int
    ) throws(JSONFault) -> UInt64 {
        input.move(to: start &+ 1)
        try unescape()
        let mark = scratchMark
        faultOffset = start
        var text = ByteCursor(scratch, in: mark..<scratch.count)
        let bits = try text.readNumber(kind, isQuoted: true)
        guard text.isAtEnd else { throw .badNumber }
        faultOffset = -1
        dropScratchText()
        return bits
    }

    @_lifetime(self: copy self)
    mutating func readString(_ field: Int32, dropsZero: Bool) throws(JSONFault) {
        if readShortString(field, dropsZero: dropsZero, tables) { return }
        try readLongString(field, dropsZero: dropsZero)
    }

    /// Most strings are short and plain: one load, one store. False, and nothing is consumed, for others.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readShortString(
        _ field: Int32, dropsZero: Bool, _ tables: DescriptorTables
    ) -> Bool {
        guard input.byte == JSONByte.quote else { return false }
        let bytes = input.vector(ahead: 1)
        let plain = ByteScan.plainCount(bytes)
        guard plain < 16, input.byte(ahead: plain &+ 1) == JSONByte.quote,
            !ByteScan.hasHighBit(bytes)
        else { return false }
        input.advance(plain &+ 2)
        if plain == 0, dropsZero { return true }
        output.putTag(tables.field(field).tag, count: tables.field(field).tagLength)
        output.put(UInt8(truncatingIfNeeded: plain))
        output.put(bytes, count: plain)
        return true
    }

    /// Reads any string.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func readLongString(_ field: Int32, dropsZero: Bool) throws(JSONFault) {
        guard input.byte == JSONByte.quote else { throw .expectedString }
        needRoom()
        input.advance(1)
        let mark = output.count
        output.putTag(tables.field(field).tag, count: tables.field(field).tagLength)
        let start = output.beginLength()
        try input.copyString(into: &output)
        if dropsZero, output.count == start &+ 1 { return output.truncate(to: mark) }
        output.endLength(at: start)
    }

    @_lifetime(self: copy self)
    private mutating func readBytes(_ field: Int32, dropsZero: Bool) throws(JSONFault) {
        guard input.byte == JSONByte.quote else { throw .expectedString }
        input.advance(1)
        let mark = output.count
        output.putTag(tables.field(field).tag, count: tables.field(field).tagLength)
        let start = output.beginLength()
        let text = input.offset
        do throws(JSONFault) {
            try input.readBase64(into: &output)
            guard input.byte == JSONByte.quote else { throw .badBase64 }
            input.advance(1)
        } catch {
            // PHP and others escape the slash.
            guard hasEscape(inStringAt: text &- 1) else { throw error }
            output.truncate(to: start &+ 1)
            input.move(to: text)
            try unescape()
            var held = OutputBlock()
            swap(&held, &scratch)
            var unescaped = ByteCursor(held, in: scratchMark..<held.count)
            try unescaped.readBase64(into: &output)
            guard unescaped.isAtEnd else { throw fail(.badBase64, at: text) }
            swap(&held, &scratch)
            dropScratchText()
        }
        if dropsZero, output.count == start &+ 1 { return output.truncate(to: mark) }
        output.endLength(at: start)
    }

    /// Reads an enum value by name or number; nil for a name that is unknown and ignored.
    @_lifetime(self: copy self)
    mutating func readEnum(_ index: Int32) throws(JSONFault) -> Int32? {
        let enumeration = tables.enumeration(index)
        switch input.byte {
        case JSONByte.quote: break
        case JSONByte.minus, UInt8(ascii: "0")...UInt8(ascii: "9"): return try input.readInt32()
        case UInt8(ascii: "n") where enumeration.isNullValue:
            try input.readNull()
            return 0
        default: throw .expectedEnum
        }
        let start = input.offset
        input.advance(1)
        let number: Int32?
        if try input.skipString() {
            input.move(to: start &+ 1)
            try unescape()
            number = enumNumber(scratch.bytes.extracting(scratchMark..<scratch.count), enumeration)
            dropScratchText()
        } else {
            number = enumNumber(input.span(from: start &+ 1, to: input.offset &- 1), enumeration)
        }
        if number == nil, rejectsUnknown { throw fail(.unknownEnumName, at: start) }
        return number
    }

    private func enumNumber(_ name: Span<UInt8>, _ enumeration: EnumEntry) -> Int32? {
        if let number = tables.enumNumber(named: name, in: enumeration) { return number }
        return stripsEnums ? EnumPrefix.number(ofStripped: name, in: enumeration, tables) : nil
    }
}

extension JSONToProtoPass {
    /// Copies the string at the cursor, escapes decoded, into the scratch bytes, sealed.
    @_lifetime(self: copy self)
    mutating func unescape() throws(JSONFault) {
        needScratch()
        scratchMark = scratch.count
        scratch.makeRoom(input.end &- input.offset &+ 64)
        try input.copyString(into: &scratch)
        scratch.seal()
    }

    /// Whether the string whose quote is at `start` has an escape. The cursor stays where it is.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func hasEscape(inStringAt start: Int) -> Bool {
        let here = input.offset
        defer { input.move(to: here) }
        input.move(to: start &+ 1)
        return (try? input.skipString()) ?? false
    }

    @_lifetime(self: copy self)
    mutating func dropScratchText() { scratch.truncate(to: scratchMark) }
}

extension ByteCursor {
    /// Reads a number of the kind, in the form that its quotes allow, as the bits that go on the wire.
    @_lifetime(self: copy self)
    mutating func readNumber(_ kind: FieldKind, isQuoted: Bool) throws(JSONFault) -> UInt64 {
        switch kind {
        case .double:
            if isQuoted, let special = readSpecial() { return special.bitPattern }
            return try readDouble().bitPattern
        case .float:
            if isQuoted, let special = readSpecial() { return UInt64(Float(special).bitPattern) }
            return UInt64(try readFloat().bitPattern)
        default: return try readInteger(kind)
        }
    }

    /// Reads `NaN`, `Infinity` or `-Infinity`; nil if it is none of them.
    @_lifetime(self: copy self)
    private mutating func readSpecial() -> Double? {
        let word = word()
        if word & 0xff_ffff == 0x4e_614e {
            advance(3)
            return .nan
        }
        if word == 0x7974_696e_6966_6e49 {
            advance(8)
            return .infinity
        }
        if byte == JSONByte.minus, self.word(ahead: 1) == 0x7974_696e_6966_6e49 {
            advance(9)
            return -.infinity
        }
        return nil
    }
}

extension OutputBlock {
    /// Puts the wire bytes of a number, bool or enum.
    @inline(__always)
    mutating func putNumber(_ bits: UInt64, as kind: FieldKind) {
        switch kind {
        case .double, .fixed64, .sfixed64: putFixed64(bits)
        case .float, .fixed32, .sfixed32: put(bits, count: 4)
        default: putVarint(bits)
        }
    }
}
