import ProtoRuntime

/// The value of one field: singular, array or object of entries.
extension JSONToProtoPass {
    /// Reads the field's value and puts its tags and bytes.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func readField(_ field: Int32, _ tables: DescriptorTables) throws(JSONFault) {
        let flags = tables.field(field).flags
        if !flags.contains(.repeated) {
            try readSingular(field, dropsZero: !flags.contains(.presence), tables)
        } else if flags.contains(.map) {
            try readMap(field)
        } else {
            try readArray(field)
        }
    }

    /// Reads one value with its tag. A zero is dropped where the field has no presence.
    @inline(__always)
    @_lifetime(self: copy self)
    private mutating func readSingular(
        _ field: Int32, dropsZero: Bool, _ tables: DescriptorTables
    ) throws(JSONFault) {
        switch tables.field(field).kind {
        case .string:
            if !readShortString(field, dropsZero: dropsZero, tables) {
                try readLongString(field, dropsZero: dropsZero)
            }
        case .message, .group: try readNested(field)
        default:
            let tagCount = tables.field(field).tagLength
            try readScalar(field, tagCount: tagCount, dropsZero: dropsZero)
        }
    }

    /// Reads one value with its tag.
    @_lifetime(self: copy self)
    mutating func readValue(_ field: Int32) throws(JSONFault) {
        try readSingular(field, dropsZero: false, tables)
    }

    /// Reads a message with its tag and length, or between its group tags.
    @_lifetime(self: copy self)
    private mutating func readNested(_ field: Int32) throws(JSONFault) {
        needRoom()
        let entry = tables.field(field)
        output.putTag(entry.tag, count: entry.tagLength)
        if entry.flags.contains(.delimited) {
            try readMessage(entry.typeIndex)
            output.makeRoom(16)
            output.putTag(entry.tag &+ 1, count: entry.tagLength)
        } else {
            let start = output.beginLength()
            try readMessage(entry.typeIndex)
            output.endLength(at: start)
        }
        // The end takes more bytes here than there, and many messages may end in a row.
        needRoom()
    }

    /// Reads an array, packed or one tag an element as the tables say.
    @_lifetime(self: copy self)
    mutating func readArray(_ field: Int32) throws(JSONFault) {
        let entry = tables.field(field)
        try open(JSONByte.openBracket, or: .expectedArray)
        input.skipSpace()
        if input.byte == JSONByte.closeBracket { return close() }
        needRoom()
        let before = output.count
        guard entry.flags.contains(.packed) else {
            return try readElements(field, tagCount: entry.tagLength)
        }
        output.putTag(entry.tag, count: entry.tagLength)
        let start = output.beginLength()
        try readElements(field, tagCount: 0)
        if output.count == start &+ 1 {
            output.truncate(to: before)
        } else {
            output.endLength(at: start)
        }
    }

    /// Reads elements up to and with the closing bracket; there is at least one.
    @_lifetime(self: copy self)
    private mutating func readElements(_ field: Int32, tagCount: UInt8) throws(JSONFault) {
        let entry = tables.field(field)
        let isMessage = entry.kind == .message || entry.kind == .group
        while true {
            needRoom()
            if input.byte == UInt8(ascii: "n"), !takesNull(entry) { throw .nullNotAllowed }
            if isMessage {
                try readNested(field)
            } else if entry.kind == .string {
                try readString(field, dropsZero: false)
            } else {
                try readScalar(field, tagCount: tagCount, dropsZero: false)
            }
            input.skipSpace()
            guard input.byte == JSONByte.comma else { break }
            input.advance(1)
            input.skipSpace()
        }
        guard input.byte == JSONByte.closeBracket else { throw .expectedCommaOrBracket }
        close()
    }

    /// Reads an object as the entries of a map: of the field, or of Struct's only one.
    @_lifetime(self: copy self)
    mutating func readMap(_ field: Int32) throws(JSONFault) {
        let entry = tables.field(field)
        let key = tables.message(entry.typeIndex).firstField
        try open(JSONByte.openBrace, or: .expectedObject)
        input.skipSpace()
        if input.byte == JSONByte.closeBrace { return close() }
        var keys = KeySet()
        let first = output.count
        while true {
            needRoom()
            guard input.byte == JSONByte.quote else { throw .expectedName }
            let nameOffset = input.offset
            let mark = output.count
            output.putTag(entry.tag, count: entry.tagLength)
            let start = output.beginLength()
            try readMapKey(key)
            let range = start &+ 1..<output.count
            if !keys.insert(output.fingerprint(range, seed: KeySet.seed), in: &scratch),
                holdsEntry(of: entry, from: first, upTo: mark, key: range)
            {
                throw fail(.duplicateMapKey, at: nameOffset)
            }
            try input.readColon()
            if try readMapValue(key &+ 1) {
                output.endLength(at: start)
            } else {
                output.truncate(to: mark)
            }
            input.skipSpace()
            guard input.byte == JSONByte.comma else { break }
            input.advance(1)
            input.skipSpace()
        }
        guard input.byte == JSONByte.closeBrace else { throw .expectedCommaOrBrace }
        keys.release(&scratch)
        close()
    }

    /// Reads an entry's value; false if it is an enum name that is dropped.
    @_lifetime(self: copy self)
    private mutating func readMapValue(_ field: Int32) throws(JSONFault) -> Bool {
        let entry = tables.field(field)
        if input.byte == UInt8(ascii: "n"), !takesNull(entry) { throw .nullNotAllowed }
        needRoom()
        let before = output.count
        self.field = field
        try readValue(field)
        return output.count > before
    }

    /// Whether an entry with exactly the key bytes `key` (tag included) stands among those written from
    /// `first` up to `mark`. Runs only where fingerprints agree.
    private func holdsEntry(
        of entry: FieldEntry, from first: Int, upTo mark: Int, key: Range<Int>
    ) -> Bool {
        let wanted = output.bytes.extracting(key)
        var cursor = ByteCursor(output, in: first..<mark)
        while cursor.offset < mark {
            cursor.advance(Int(entry.tagLength))
            guard let length = cursor.readVarint(), length >= UInt64(wanted.count) else {
                return true
            }
            let here = cursor.offset
            let found = output.bytes.extracting(here..<here &+ wanted.count)
            if wanted.indices.allSatisfy({ wanted[$0] == found[$0] }) { return true }
            cursor.move(to: here &+ Int(truncatingIfNeeded: length))
        }
        return false
    }
}
