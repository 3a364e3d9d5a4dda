import ProtoRuntime

/// Messages that have a JSON form of their own: JSON → the bytes of the message.
extension JSONToProtoPass {
    @_lifetime(self: copy self)
    mutating func readWellKnown(_ type: WellKnownType, _ index: Int32) throws(JSONFault) {
        let first = tables.message(index).firstField
        needRoom()
        switch type {
        case .none, .empty: try readMembers(of: index)
        case .timestamp: try readTimestamp()
        case .duration: try readDuration()
        case .fieldMask: try readFieldMask()
        case .struct: try readMap(first)
        case .listValue: try readArray(first)
        case .value: try readDynamicValue(index)
        case .any: try readAny(index)
        case .doubleValue, .floatValue, .int64Value, .uint64Value, .int32Value, .uint32Value,
            .boolValue, .stringValue, .bytesValue:
            field = first
            try readScalar(first, tagCount: tables.field(first).tagLength, dropsZero: true)
        }
    }

    /// google.protobuf.Value: any JSON value.
    @_lifetime(self: copy self)
    private mutating func readDynamicValue(_ index: Int32) throws(JSONFault) {
        let first = tables.message(index).firstField
        switch input.byte {
        case UInt8(ascii: "n"):
            try input.readNull()
            output.put(0x0008, count: 2)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            let value = try input.readBool()
            output.put(value ? 0x0120 : 0x0020, count: 2)
        case JSONByte.quote:
            try readString(first &+ 2, dropsZero: false)
        case JSONByte.openBrace:
            try readValue(first &+ 4)
        case JSONByte.openBracket:
            try readValue(first &+ 5)
        case JSONByte.minus, UInt8(ascii: "0")...UInt8(ascii: "9"):
            let value = try input.readDouble()
            output.put(0x11)
            output.putFixed64(value.bitPattern)
        default: throw .expectedValue
        }
    }

    @_lifetime(self: copy self)
    private mutating func readTimestamp() throws(JSONFault) {
        guard input.byte == JSONByte.quote else { throw .expectedString }
        let start = input.offset
        input.advance(1)
        if let time = input.readTimestamp(), input.byte == JSONByte.quote {
            input.advance(1)
            return putTime(time)
        }
        try readSpecialText(at: start)
        var text = ByteCursor(scratch, in: scratchMark..<scratch.count)
        guard let time = text.readTimestamp(), text.isAtEnd else {
            throw fail(.badTimestamp, at: start)
        }
        dropScratchText()
        putTime(time)
    }

    @_lifetime(self: copy self)
    private mutating func readDuration() throws(JSONFault) {
        guard input.byte == JSONByte.quote else { throw .expectedString }
        let start = input.offset
        input.advance(1)
        if let time = input.readDuration(), input.byte == JSONByte.quote {
            input.advance(1)
            return putTime(time)
        }
        try readSpecialText(at: start)
        var text = ByteCursor(scratch, in: scratchMark..<scratch.count)
        guard let time = text.readDuration(), text.isAtEnd else {
            throw fail(.badDuration, at: start)
        }
        dropScratchText()
        putTime(time)
    }

    @_lifetime(self: copy self)
    private mutating func readFieldMask() throws(JSONFault) {
        guard input.byte == JSONByte.quote else { throw .expectedString }
        let start = input.offset
        try readSpecialText(at: start)
        var held = OutputBlock()
        swap(&held, &scratch)
        var text = ByteCursor(held, in: scratchMark..<held.count)
        guard text.readFieldMask(into: &output) else { throw fail(.badFieldMask, at: start) }
        swap(&held, &scratch)
        dropScratchText()
    }

    /// Unescapes the string whose quote stands at `start` into the scratch bytes.
    @_lifetime(self: copy self)
    private mutating func readSpecialText(at start: Int) throws(JSONFault) {
        input.move(to: start &+ 1)
        try unescape()
    }

    private mutating func putTime(_ time: SecondsAndNanos) { output.putTime(time) }
}

/// What Timestamp and Duration hold.
struct SecondsAndNanos: Equatable {
    var seconds: Int64
    var nanos: Int32
}

extension OutputBlock {
    /// Puts fields 1 and 2 of Timestamp and Duration; at most 17 bytes (22 for negative nanos).
    mutating func putTime(_ time: SecondsAndNanos) {
        if time.seconds != 0 {
            put(0x08)
            putVarint(UInt64(bitPattern: time.seconds))
        }
        if time.nanos != 0 {
            put(0x10)
            putVarint(UInt64(bitPattern: Int64(time.nanos)))
        }
    }
}
