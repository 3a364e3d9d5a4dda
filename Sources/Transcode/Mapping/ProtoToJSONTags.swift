import ProtoRuntime

/// Tags that were not foreseen: other fields, other wire types, unknown fields.
extension ProtoToJSONPass {
    /// Reads a tag and returns the ordinal of its field; -1 after skipping a field that the message does
    /// not have, or not with that wire type.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func readTag(of index: Int32, end: Int) throws(JSONFault) -> Int32 {
        let start = input.offset
        let tag = try input.readWireTag(end: end)
        let ordinal = tables.ordinal(ofNumber: tag.number, in: tables.message(index))
        let field = tables.message(index).firstField &+ ordinal
        if ordinal >= 0, tables.field(field).accepts(tag.wireType) {
            // An overlong tag would hide from the comparison of bytes.
            let length = Int(tables.field(field).tagLength)
            guard input.offset &- start == length else { throw .fieldsOutOfOrder }
            return ordinal
        }
        try input.skipWire(tag, end: end, depth: depth)
        return -1
    }

    /// Fails if a required field is missing. `count` of them have come, each once.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func checkRequired(
        _ entry: MessageEntry, _ count: Int, _ range: Range<Int>
    ) throws(JSONFault) {
        var wanted = 0
        for ordinal in 0..<entry.fieldCount
        where tables.field(entry.firstField &+ ordinal).flags.contains(.required) {
            wanted &+= 1
        }
        guard count < wanted else { return }
        field = missingRequired(entry, range)
        faultOffset = range.lowerBound
        throw .missingRequired
    }

    /// The first required field that the range lacks.
    private func missingRequired(_ entry: MessageEntry, _ range: Range<Int>) -> Int32 {
        var seen: Set<Int32> = []
        var probe = input
        probe.move(to: range.lowerBound)
        while probe.offset < range.upperBound,
            let tag = try? probe.readWireTag(end: range.upperBound)
        {
            seen.insert(tables.ordinal(ofNumber: tag.number, in: entry))
            let skipped: Void? = try? probe.skipWire(tag, end: range.upperBound, depth: 0)
            if skipped == nil { break }
        }
        for ordinal in 0..<entry.fieldCount
        where tables.field(entry.firstField &+ ordinal).flags.contains(.required)
            && !seen.contains(ordinal)
        {
            return entry.firstField &+ ordinal
        }
        return -1
    }
}

extension FieldEntry {
    /// Whether a value with that wire type may be one of the field.
    func accepts(_ wireType: UInt8) -> Bool {
        if kind == .message || kind == .group {
            return wireType == (flags.contains(.delimited) ? 3 : 2)
        }
        return wireType == kind.wireType
            || (wireType == 2 && flags.contains(.repeated) && kind.isPackable)
    }
}

/// A field number and a wire type.
struct WireTag {
    var number: UInt32
    var wireType: UInt8
}

extension ByteCursor {
    /// Reads a tag; field number 0 and numbers above 2^29 - 1 are refused.
    @_lifetime(self: copy self)
    mutating func readWireTag(end: Int) throws(JSONFault) -> WireTag {
        guard let value = readVarint() else { throw .wireVarint }
        guard offset <= end else { throw .wireTruncated }
        guard value >= 8, value <= UInt64(UInt32.max) else { throw .wireTag }
        let number = UInt32(truncatingIfNeeded: value &>> 3)
        return WireTag(number: number, wireType: UInt8(truncatingIfNeeded: value & 7))
    }

    /// Skips the value behind a tag; `depth` messages and groups are open around it.
    @_lifetime(self: copy self)
    mutating func skipWire(_ tag: WireTag, end: Int, depth: Int) throws(JSONFault) {
        switch tag.wireType {
        case 0:
            guard readVarint() != nil else { throw .wireVarint }
        case 1, 5:
            let width = tag.wireType == 1 ? 8 : 4
            guard end &- offset >= width else { throw .wireTruncated }
            advance(width)
        case 2:
            guard let length = readVarint() else { throw .wireVarint }
            let room = end &- offset
            guard room >= 0, length <= UInt64(bitPattern: Int64(room)) else { throw .wireTruncated }
            advance(Int(truncatingIfNeeded: length))
        case 3:
            guard depth < JSONLimits.depth else { throw .tooDeep }
            try skipGroup(tag.number, end: end, depth: depth &+ 1)
        case 4: throw .wireGroup
        default: throw .wireTag
        }
        guard offset <= end else { throw .wireTruncated }
    }

    /// Skips up to and with the end tag of the group.
    @_lifetime(self: copy self)
    private mutating func skipGroup(_ number: UInt32, end: Int, depth: Int) throws(JSONFault) {
        while offset < end {
            let tag = try readWireTag(end: end)
            if tag.wireType == 4 {
                guard tag.number == number else { throw .wireGroup }
                return
            }
            try skipWire(tag, end: end, depth: depth)
        }
        throw .wireTruncated
    }

    /// Where the content of the group ends, whose start tag was consumed: before its end tag.
    func endOfGroup(_ number: UInt32, end: Int, depth: Int) throws(JSONFault) -> Int {
        var probe = self
        while probe.offset < end {
            let before = probe.offset
            let tag = try probe.readWireTag(end: end)
            if tag.wireType == 4 {
                guard tag.number == number else { throw .wireGroup }
                return before
            }
            try probe.skipWire(tag, end: end, depth: depth)
        }
        throw .wireTruncated
    }
}
