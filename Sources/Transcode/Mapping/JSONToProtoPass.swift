import ProtoRuntime

/// One document on its way to wire bytes: the state of a single pass, and the members of a message.
///
/// Room: before each value the output has room for the rest of the document and 32 bytes more. A short string takes no
/// more bytes on the wire than its member in JSON, but for one where a message's first name is empty; whatever may take
/// more (numbers, elements, entries, long strings, the start and the end of a message) calls `needRoom` first.
struct JSONToProtoPass: ~Copyable, ~Escapable {
    var input: ByteCursor
    var output: OutputBlock
    let tables: DescriptorTables
    let rejectsUnknown: Bool
    let stripsEnums: Bool
    /// Open objects and arrays.
    var depth = 0
    /// Open Any messages: inside them required fields may be missing.
    var anyDepth = 0
    /// The thread's spare block, once it is needed: bits of seen fields, for messages with more of them than a word
    /// has, and keys of large maps; behind them, for a moment, text that was written with escapes.
    var scratch = OutputBlock()
    var scratchMark = 0
    /// Where the fault is, if that is not where the cursor stands; -1 otherwise.
    var faultOffset = -1
    /// The field whose value is being read, or that is missing; -1 at top level.
    var field: Int32 = -1

    /// Takes the bytes out of `output` for the time of the pass; `finish` gives them back.
    @_lifetime(copy input)
    init(
        _ input: consuming ByteCursor, _ output: consuming OutputBlock, _ tables: DescriptorTables,
        _ options: JSONOptions
    ) {
        self.input = input
        self.output = output
        self.tables = tables
        rejectsUnknown = options.unknownFields == .reject
        stripsEnums = options.enums == .stripped
    }

    /// What `readName` returns beside ordinals.
    enum Member {
        static let end: Int32 = -1
        static let skipped: Int32 = -2
        /// "@type" of an Any, skipped.
        static let type: Int32 = -3
    }

    @_lifetime(self: copy self)
    mutating func readMessage(_ index: Int32) throws(JSONFault) {
        let wellKnown = tables.message(index).wellKnown
        if wellKnown == .none {
            try readMembers(of: index)
        } else {
            try readWellKnown(wellKnown, index)
        }
    }

    /// Reads an object as the members of a message and puts its fields in the document's order. With
    /// `isAny`, a member "@type" is passed over.
    @_lifetime(self: copy self)
    mutating func readMembers(of index: Int32, isAny: Bool = false) throws(JSONFault) {
        // A copy, so that nothing of it is read again after a store.
        let tables = tables
        let entry = tables.message(index)
        let start = input.offset
        if entry.isMessageSet { throw .messageSet }
        try open(JSONByte.openBrace, or: .expectedObject)
        var seen = SeenFields(start: start)
        var next: Int32 = 0
        var skip = 1
        var hasType = false
        while true {
            let nameOffset = input.offset
            if next < entry.fieldCount, readKey(entry.firstField &+ next, skip: skip, tables) {
                skip = 0
                let ordinal = next
                next &+= 1
                let field = entry.firstField &+ ordinal
                let first = input.byte
                // The common case alone stands here: a field behind the last one, with a value at once.
                if ordinal == seen.end, first > 32, first != UInt8(ascii: "n"),
                    !tables.field(field).flags.contains(.oneof)
                {
                    seen.end = next
                    self.field = field
                    try readField(field, tables)
                } else {
                    try readMember(ordinal, entry, &seen, from: nameOffset)
                }
                continue
            }
            if skip == 0, input.byte == JSONByte.closeBrace { break }
            let ordinal = try readName(entry, after: next, isFirst: skip == 1, isAny: isAny)
            if ordinal == Member.end { break }
            skip = 0
            if ordinal == Member.skipped { continue }
            if ordinal == Member.type {
                guard !hasType else { throw fail(.anyTypeTwice, atNameFrom: nameOffset) }
                hasType = true
                continue
            }
            next = ordinal &+ 1
            try readMember(ordinal, entry, &seen, from: nameOffset)
        }
        close()
        if entry.hasRequired, anyDepth == 0 { try checkRequired(entry, seen, at: start) }
        if seen.high >= 0 { scratch.truncate(to: seen.high) }
    }

    /// Reads the value of the field whose name was consumed; the name, behind a comma perhaps, starts at
    /// `nameOffset` or later.
    @inline(never)
    @_lifetime(self: copy self)
    private mutating func readMember(
        _ ordinal: Int32, _ entry: MessageEntry, _ seen: inout SeenFields, from nameOffset: Int
    ) throws(JSONFault) {
        if ordinal == seen.end {
            seen.end = ordinal &+ 1
        } else if !take(ordinal, &seen, entry) {
            throw fail(.duplicateField, atNameFrom: nameOffset)
        }
        input.skipSpace()
        let field = entry.firstField &+ ordinal
        self.field = field
        if input.byte == UInt8(ascii: "n"), try readUnset(field) {
            if entry.hasRequired { try requireValue(field, at: seen.start) }
            return
        }
        if tables.field(field).flags.contains(.oneof),
            !take(oneof: tables.field(field).oneofIndex, &seen, entry)
        {
            throw fail(.oneofTwice, atNameFrom: nameOffset)
        }
        try readField(field, tables)
    }

    /// Reads `,"name":` if that is what comes, without its comma if `skip` is 1.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readKey(_ field: Int32, skip: Int, _ tables: DescriptorTables) -> Bool {
        let entry = tables.field(field)
        let count = Int(entry.keyLength) &- skip
        let offset = entry.keyOffset &+ UInt32(truncatingIfNeeded: skip)
        guard input.matches(tables, at: offset, count: count) else { return false }
        input.advance(count)
        return true
    }

    /// Reads a member's name and colon in any legal form and returns the field's ordinal; skips a member
    /// that the message does not have.
    @inline(never)
    @_lifetime(self: copy self)
    private mutating func readName(
        _ entry: MessageEntry, after next: Int32, isFirst: Bool, isAny: Bool
    ) throws(JSONFault) -> Int32 {
        if next &+ 1 < entry.fieldCount, !isFirst,
            readKey(entry.firstField &+ next &+ 1, skip: 0, tables)
        {
            return next &+ 1
        }
        input.skipSpace()
        if !isFirst || input.byte == JSONByte.closeBrace {
            if input.byte == JSONByte.closeBrace { return Member.end }
            guard input.byte == JSONByte.comma else { throw .expectedCommaOrBrace }
            input.advance(1)
            input.skipSpace()
        }
        if next < entry.fieldCount, readKey(entry.firstField &+ next, skip: 1, tables) {
            return next
        }
        if next &+ 1 < entry.fieldCount,
            readKey(entry.firstField &+ next &+ 1, skip: 1, tables)
        {
            return next &+ 1
        }
        guard input.byte == JSONByte.quote else { throw .expectedName }
        let start = input.offset
        input.advance(1)
        let ordinal = try readOrdinal(entry, isAny: isAny)
        if ordinal == Member.skipped, rejectsUnknown { throw fail(.unknownField, at: start) }
        try input.readColon()
        if ordinal < 0 { try input.skipValue(depth: depth) }
        return ordinal
    }

    /// Looks the name at the cursor up, escapes decoded.
    @_lifetime(self: copy self)
    private mutating func readOrdinal(
        _ entry: MessageEntry, isAny: Bool
    ) throws(JSONFault) -> Int32 {
        let start = input.offset
        guard try input.skipString() else {
            return ordinal(input.span(from: start, to: input.offset &- 1), entry, isAny)
        }
        input.move(to: start)
        try unescape()
        let found = ordinal(scratch.bytes.extracting(scratchMark..<scratch.count), entry, isAny)
        dropScratchText()
        return found
    }

    private func ordinal(_ name: Span<UInt8>, _ entry: MessageEntry, _ isAny: Bool) -> Int32 {
        let found = tables.ordinal(named: name, in: entry)
        if found >= 0 { return found }
        return isAny && AnyURL.isTypeKey(name) ? Member.type : Member.skipped
    }

    /// Reads null where it means that the field stays unset; false where null is a value.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func readUnset(_ field: Int32) throws(JSONFault) -> Bool {
        let entry = tables.field(field)
        if !entry.flags.contains(.repeated), takesNull(entry) { return false }
        try input.readNull()
        return true
    }

    /// Whether null is a value of the field's type.
    func takesNull(_ entry: FieldEntry) -> Bool {
        switch entry.kind {
        case .message, .group: tables.message(entry.typeIndex).wellKnown == .value
        case .enumeration: tables.enumeration(entry.typeIndex).isNullValue
        default: false
        }
    }

    /// Makes room for the rest of the document and 64 bytes more.
    @inline(__always)
    mutating func needRoom() { output.makeRoom(input.end &- input.offset &+ 64) }

    @inline(__always)
    @_lifetime(self: copy self)
    mutating func open(_ byte: UInt8, or fault: JSONFault) throws(JSONFault) {
        guard input.byte == byte else { throw fault }
        guard depth < JSONLimits.depth else { throw .tooDeep }
        depth &+= 1
        input.advance(1)
    }

    /// Consumes the closing brace or bracket that was seen.
    @_lifetime(self: copy self)
    mutating func close() {
        input.advance(1)
        depth &-= 1
    }

    /// Notes where the fault is when that is not where the cursor stands.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func fail(_ fault: JSONFault, at offset: Int) -> JSONFault {
        faultOffset = offset
        return fault
    }

    /// The same for a member whose name, behind a comma perhaps, starts at `offset` or later.
    @inline(never)
    @_lifetime(self: copy self)
    private mutating func fail(_ fault: JSONFault, atNameFrom offset: Int) -> JSONFault {
        faultOffset = offset
        while faultOffset < input.offset, input.byte(at: faultOffset) != JSONByte.quote {
            faultOffset &+= 1
        }
        return fault
    }
}
