import ProtoRuntime

/// One message on its way to JSON: the state of a single pass, and the members of a message.
///
/// The pass prints fields as they come and therefore wants them in ascending order, each at most once (a
/// repeated one in one run), as every serializer writes them. Anything else that is legal makes it throw
/// `.fieldsOutOfOrder`; then `WireNormalizer` puts the message in order and a second pass prints that.
struct ProtoToJSONPass: ~Copyable, ~Escapable {
    var input: ByteCursor
    var output: OutputBlock
    let tables: DescriptorTables
    let emitsDefaults: Bool
    let namesAreProto: Bool
    let enums: JSONOptions.Enums
    let int64IsNumber: Bool
    /// The input comes from the normalizer, which has made sure of what this pass only suspects.
    let isOrdered: Bool
    /// The thread's spare block, once it is needed: keys of large maps.
    var scratch = OutputBlock()
    /// Open messages.
    var depth = 0
    /// Open Any messages: inside them required fields may be missing.
    var anyDepth = 0
    /// Where the fault is, if that is not where the cursor stands; -1 otherwise.
    var faultOffset = -1
    /// The required field that is missing.
    var field: Int32 = -1

    @_lifetime(copy input)
    init(
        _ input: consuming ByteCursor, _ output: consuming OutputBlock, _ tables: DescriptorTables,
        _ options: JSONOptions, isOrdered: Bool
    ) {
        self.isOrdered = isOrdered
        self.input = input
        self.output = output
        self.tables = tables
        emitsDefaults = options.defaults == .emit
        namesAreProto = options.names == .proto
        enums = options.enums
        int64IsNumber = options.int64 == .number
    }

    /// Prints the message whose bytes end at `end`.
    @_lifetime(self: copy self)
    mutating func writeMessage(_ index: Int32, end: Int) throws(JSONFault) {
        let wellKnown = tables.message(index).wellKnown
        if wellKnown == .none {
            try writeObject(of: index, end: end)
        } else {
            try writeWellKnown(wellKnown, index, end: end)
        }
    }

    /// Prints a message as an object of its members; makes its own room and leaves some.
    @_lifetime(self: copy self)
    mutating func writeObject(of index: Int32, end: Int) throws(JSONFault) {
        output.makeRoom(64)
        let start = output.count
        try writeMembers(of: index, end: end)
        // The first member's comma becomes the brace.
        if output.count == start {
            output.put(JSONByte.openBrace)
        } else {
            output.overwrite(at: start, with: JSONByte.openBrace)
        }
        output.put(JSONByte.closeBrace)
    }

    /// Prints the members of a message, a comma before each. There is room for 8 bytes behind them.
    @_lifetime(self: copy self)
    mutating func writeMembers(of index: Int32, end: Int) throws(JSONFault) {
        if tables.message(index).isMessageSet { throw .messageSet }
        guard depth < JSONLimits.depth else { throw .tooDeep }
        depth &+= 1
        let start = input.offset
        let first = tables.message(index).firstField
        let stop = first &+ tables.message(index).fieldCount
        var next = first
        var taken = TakenFields()
        while input.offset < end {
            var field = next
            if next < stop, input.startsWithTag(of: tables.field(next)) {
                input.advance(Int(tables.field(next).tagLength))
            } else {
                let ordinal = try readTag(of: index, end: end)
                if ordinal < 0 { continue }
                field = first &+ ordinal
                guard field >= next else { throw .fieldsOutOfOrder }
                if emitsDefaults { writeDefaults(next..<field) }
            }
            next = field &+ 1
            let flags = tables.field(field).flags
            // The common case alone stands here.
            if flags.isDisjoint(with: [.repeated, .oneof, .required]) {
                try writeSingular(field, flags, end: end)
            } else {
                try take(field, flags, into: &taken)
                try writeField(field, flags, end: end)
            }
        }
        guard input.offset == end else { throw .wireTruncated }
        if emitsDefaults { writeDefaults(next..<stop) }
        if tables.message(index).hasRequired, anyDepth == 0 {
            try checkRequired(tables.message(index), taken.requiredCount, start..<end)
        }
        output.makeRoom(8)
        depth &-= 1
    }

    /// What has to be remembered of the fields that have come.
    private struct TakenFields {
        /// Two oneofs may share a bit; then the normalizer finds that nothing is wrong.
        var oneofs: UInt64 = 0
        var requiredCount = 0
    }

    @inline(never)
    @_lifetime(self: copy self)
    private mutating func take(
        _ field: Int32, _ flags: FieldFlags, into taken: inout TakenFields
    ) throws(JSONFault) {
        if flags.contains(.required) { taken.requiredCount &+= 1 }
        guard flags.contains(.oneof) else { return }
        let oneof = tables.field(field).oneofIndex
        let bit: UInt64 = 1 &<< UInt64(truncatingIfNeeded: Int(oneof))
        guard taken.oneofs & bit == 0 || isOrdered else { throw .fieldsOutOfOrder }
        taken.oneofs |= bit
    }

    /// Prints a comma and the member's name, and makes room for a scalar.
    @inline(__always)
    mutating func writeName(_ field: Int32) {
        if namesAreProto { return writeProtoName(field) }
        let length = Int(tables.field(field).keyLength)
        output.makeRoom(length &+ 64)
        output.putText(tables, at: tables.field(field).keyOffset, count: length)
    }

    @inline(never)
    private mutating func writeProtoName(_ field: Int32) {
        let length = Int(tables.field(field).protoKeyLength)
        output.makeRoom(length &+ 64)
        output.putText(tables, at: tables.field(field).protoKeyOffset, count: length)
    }

    /// Prints one field, whose tag was consumed, with all that follows of it.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func writeField(_ field: Int32, _ flags: FieldFlags, end: Int) throws(JSONFault) {
        guard flags.contains(.repeated) else {
            return try writeSingular(field, flags, end: end)
        }
        let before = output.count
        writeName(field)
        try writeRepeated(field, from: before, end: end)
    }

    /// Prints one field that is not repeated, whose tag was consumed.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func writeSingular(
        _ field: Int32, _ flags: FieldFlags, end: Int
    ) throws(JSONFault) {
        let before = output.count
        writeName(field)
        // A default that stands on the wire is still one (SEMANTICS b.3).
        if try !writeValue(field, unlessZero: flags, end: end) { output.truncate(to: before) }
        guard input.offset <= end else { throw .wireTruncated }
    }

    /// Prints a map or a list, the first of whose tags was consumed; its name starts at `before`.
    @inline(never)
    @_lifetime(self: copy self)
    private mutating func writeRepeated(
        _ field: Int32, from before: Int, end: Int
    ) throws(JSONFault) {
        if tables.field(field).flags.contains(.map) {
            output.put(JSONByte.openBrace)
            try writeEntries(field, end: end)
            output.makeRoom(8)
            output.put(JSONByte.closeBrace)
        } else if try !writeElements(field, end: end) {
            output.truncate(to: before)
            if emitsDefaults { writeDefault(field) }
        }
    }

    /// Prints an array of the elements whose first tag was consumed; false, with rubbish behind the name,
    /// if there are none.
    @_lifetime(self: copy self)
    private mutating func writeElements(_ field: Int32, end: Int) throws(JSONFault) -> Bool {
        let entry = tables.field(field)
        let isPackable = entry.kind.isPackable
        output.put(JSONByte.openBracket)
        let start = output.count
        repeat {
            output.makeRoom(64)
            if isPackable, isLengthDelimited(input.byte(at: input.offset &- Int(entry.tagLength))) {
                try writePacked(field, upTo: try readEnd(within: end))
            } else {
                if entry.kind == .string {
                    try writeString(upTo: try readEnd(within: end))
                } else {
                    try writeValue(field, end: end)
                    guard input.offset <= end else { throw .wireTruncated }
                }
                output.makeRoom(8)
                output.put(JSONByte.comma)
            }
        } while continues(entry, isPackable, end: end)
        guard output.count > start else { return false }
        output.overwrite(at: output.count &- 1, with: JSONByte.closeBracket)
        return true
    }

    /// Prints packed values, a comma behind each.
    @_lifetime(self: copy self)
    private mutating func writePacked(_ field: Int32, upTo stop: Int) throws(JSONFault) {
        let kind = tables.field(field).kind
        while input.offset < stop {
            output.makeRoom(64)
            if kind == .int32 {
                output.putDecimal(Int64(Int32(truncatingIfNeeded: try readVarint())))
            } else {
                try writeValue(field, end: stop)
            }
            output.put(JSONByte.comma)
        }
        guard input.offset == stop else { throw .wireTruncated }
    }

    /// Consumes the field's tag if it comes again, packed or not.
    @_lifetime(self: copy self)
    private mutating func continues(_ entry: FieldEntry, _ isPackable: Bool, end: Int) -> Bool {
        guard input.offset < end else { return false }
        guard input.startsWithTag(of: entry) || (isPackable && startsWithOtherForm(entry)) else {
            return false
        }
        input.advance(Int(entry.tagLength))
        return true
    }

    /// Whether the field's tag comes with the other of its two wire types.
    private func startsWithOtherForm(_ entry: FieldEntry) -> Bool {
        var other = entry
        other.tag = entry.tag & ~7 | UInt64(entry.isPacked ? entry.kind.wireType : 2)
        return input.startsWithTag(of: other)
    }

    /// Whether a tag with that first byte has the length-delimited wire type.
    private func isLengthDelimited(_ byte: UInt8) -> Bool { byte & 7 == 2 }

    /// Reads a length and returns where it ends, which is not behind `end`.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readEnd(within end: Int) throws(JSONFault) -> Int {
        guard let length = input.readVarint() else { throw .wireVarint }
        let room = end &- input.offset
        guard room >= 0, length <= UInt64(bitPattern: Int64(room)) else { throw .wireTruncated }
        return input.offset &+ Int(truncatingIfNeeded: length)
    }
}

extension ByteCursor {
    /// Whether the field's tag comes next. At the very end of the input it may lie.
    @inline(__always)
    func startsWithTag(of field: FieldEntry) -> Bool {
        (word() ^ field.tag) & field.tagMask == 0
    }
}

extension FieldEntry {
    var isPacked: Bool { flags.contains(.packed) }
}

extension FieldKind {
    /// Whether the value of a varint is its low 32 bits.
    var is32Bit: Bool {
        switch self {
        case .int32, .uint32, .sint32, .enumeration: true
        default: false
        }
    }

    /// Whether a repeated field of the kind may be written packed.
    var isPackable: Bool {
        switch self {
        case .string, .bytes, .message, .group: false
        default: true
        }
    }

    /// The wire type of one value.
    var wireType: UInt8 {
        switch self {
        case .double, .fixed64, .sfixed64: 1
        case .string, .bytes, .message: 2
        case .group: 3
        case .float, .fixed32, .sfixed32: 5
        default: 0
        }
    }
}
