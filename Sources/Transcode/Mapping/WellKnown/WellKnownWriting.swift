import ProtoRuntime

/// Messages that have a JSON form of their own: the bytes of the message → JSON.
extension ProtoToJSONPass {
    @_lifetime(self: copy self)
    mutating func writeWellKnown(
        _ type: WellKnownType, _ index: Int32, end: Int
    ) throws(JSONFault) {
        guard depth < JSONLimits.depth else { throw .tooDeep }
        let first = tables.message(index).firstField
        output.makeRoom(64)
        switch type {
        case .none, .empty: try writeObject(of: index, end: end)
        case .timestamp:
            let start = input.offset
            guard output.appendTimestamp(try readTime(index, end: end)) else {
                throw fail(.unprintableTimestamp, at: start)
            }
        case .duration:
            let start = input.offset
            guard output.appendDuration(try readTime(index, end: end)) else {
                throw fail(.unprintableDuration, at: start)
            }
        case .fieldMask: try writeFieldMask(index, end: end)
        case .struct:
            depth &+= 1
            try writeStruct(first, index, end: end)
            depth &-= 1
        case .listValue:
            depth &+= 1
            try writeList(first, index, end: end)
            depth &-= 1
        case .value: try writeDynamicValue(index, end: end)
        case .any: try writeAny(index, end: end)
        default: try writeWrapper(first, index, end: end)
        }
        guard input.offset == end else { throw .wireTruncated }
    }

    @_lifetime(self: copy self)
    mutating func fail(_ fault: JSONFault, at offset: Int) -> JSONFault {
        faultOffset = offset
        return fault
    }

    /// Reads seconds and nanos.
    @_lifetime(self: copy self)
    private mutating func readTime(_ index: Int32, end: Int) throws(JSONFault) -> SecondsAndNanos {
        var time = SecondsAndNanos(seconds: 0, nanos: 0)
        while input.offset < end {
            switch input.byte {
            case 0x08:
                input.advance(1)
                time.seconds = Int64(bitPattern: try readVarint())
            case 0x10:
                input.advance(1)
                time.nanos = Int32(truncatingIfNeeded: try readVarint())
            default:
                guard try readTag(of: index, end: end) < 0 else { throw .fieldsOutOfOrder }
            }
        }
        guard input.offset == end else { throw .wireTruncated }
        return time
    }

    /// Prints the bare scalar of a wrapper.
    @_lifetime(self: copy self)
    private mutating func writeWrapper(_ field: Int32, _ index: Int32, end: Int) throws(JSONFault) {
        let before = output.count
        while input.offset < end {
            guard try readTag(of: index, end: end) == 0 else { continue }
            output.truncate(to: before)
            output.makeRoom(64)
            try writeValue(field, end: end)
        }
        guard input.offset == end else { throw .wireTruncated }
        if output.count == before { writeZero(tables.field(field)) }
        output.makeRoom(64)
    }

    /// Prints a Struct as an object.
    @_lifetime(self: copy self)
    private mutating func writeStruct(_ field: Int32, _ index: Int32, end: Int) throws(JSONFault) {
        output.put(JSONByte.openBrace)
        var isDone = false
        while input.offset < end {
            guard try readTag(of: index, end: end) == 0 else { continue }
            guard !isDone else { throw .fieldsOutOfOrder }
            isDone = true
            try writeEntries(field, end: end)
        }
        output.makeRoom(64)
        output.put(JSONByte.closeBrace)
    }

    /// Prints a ListValue as an array.
    @_lifetime(self: copy self)
    private mutating func writeList(_ field: Int32, _ index: Int32, end: Int) throws(JSONFault) {
        output.put(JSONByte.openBracket)
        let open = output.count
        while input.offset < end {
            guard try readTag(of: index, end: end) == 0 else { continue }
            output.makeRoom(64)
            if output.count > open { output.put(JSONByte.comma) }
            try writeValue(field, end: end)
        }
        output.makeRoom(64)
        output.put(JSONByte.closeBracket)
    }

    /// Prints a Value; one without a kind is null.
    @_lifetime(self: copy self)
    private mutating func writeDynamicValue(_ index: Int32, end: Int) throws(JSONFault) {
        let entry = tables.message(index)
        let before = output.count
        while input.offset < end {
            let ordinal = try readTag(of: index, end: end)
            if ordinal < 0 { continue }
            guard output.count == before else { throw .fieldsOutOfOrder }
            let field = entry.firstField &+ ordinal
            if tables.field(field).kind == .double {
                let value = Double(bitPattern: input.word())
                guard value.isFinite || input.offset &+ 8 > end else { throw .unprintableNumber }
            }
            try writeValue(field, end: end)
        }
        guard input.offset == end else { throw .wireTruncated }
        if output.count == before { output.putNull() }
        output.makeRoom(64)
    }

    /// Prints a FieldMask as one string of paths in lowerCamelCase.
    @_lifetime(self: copy self)
    private mutating func writeFieldMask(_ index: Int32, end: Int) throws(JSONFault) {
        output.put(JSONByte.quote)
        let open = output.count
        while input.offset < end {
            guard try readTag(of: index, end: end) == 0 else { continue }
            let start = input.offset
            let stop = try readEnd(within: end)
            output.makeRoom(stop &- start &+ 64)
            if output.count > open { output.put(JSONByte.comma) }
            guard input.offset < stop, output.putCamelCase(&input, upTo: stop) else {
                throw fail(.unprintableFieldMask, at: start)
            }
        }
        output.makeRoom(64)
        output.put(JSONByte.quote)
    }
}

extension OutputBlock {
    /// Puts a snake_case path as lowerCamelCase; false if that does not lead back, or is no plain name.
    mutating func putCamelCase(_ input: inout ByteCursor, upTo stop: Int) -> Bool {
        while input.offset < stop {
            var character = input.byte
            input.advance(1)
            if character == UInt8(ascii: "_") {
                guard input.offset < stop, input.byte >= 97, input.byte <= 122 else { return false }
                character = input.byte &- 32
                input.advance(1)
            } else {
                let isUpper = character >= 65 && character <= 90
                guard JSONByte.isPathByte(character), !isUpper else { return false }
            }
            put(character)
        }
        return true
    }
}
