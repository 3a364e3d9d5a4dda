import ProtoRuntime

/// Rewrites a message so that it means the same and is in order: fields by number, each in one run;
/// pieces of one message merged, the last scalar and the last member of a oneof kept; map keys once, each
/// entry a key and a value; unknown fields and unknown values of closed enums gone.
///
/// Only for what serializers never write but may: it allocates, and looks at every level once.
struct WireNormalizer {
    let tables: DescriptorTables

    init(_ tables: DescriptorTables) { self.tables = tables }

    /// Appends the ordered bytes of `wire[range]`.
    func normalize(
        _ wire: borrowing OutputBlock, in range: Range<Int>, as type: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        do throws(JSONFault) {
            try message(wire, range, type, depth: 0, into: &output)
        } catch {
            var place = WirePlace(tables)
            let found = place.findBroken(range, in: ByteCursor(wire, in: range), of: type)
            let offset = (found ?? range.lowerBound) - range.lowerBound
            throw place.error(error, offset: offset, field: -1)
        }
    }

    /// One value as it stands in the message: sorts by field, then by place.
    private struct Occurrence: Comparable {
        var ordinal: Int32
        var wireType: UInt8
        /// The value, without tag; of what is length-delimited without its length, of a group without its
        /// end tag.
        var start: Int
        var end: Int

        static func < (left: Occurrence, right: Occurrence) -> Bool {
            left.ordinal == right.ordinal
                ? left.start < right.start : left.ordinal < right.ordinal
        }
    }

    func message(
        _ wire: borrowing OutputBlock, _ range: Range<Int>, _ type: Int32, depth: Int,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        let entry = tables.message(type)
        var all = try occurrences(wire, range, entry, depth: depth)
        resolveOneofs(&all, entry)
        all.sort()
        var index = 0
        while index < all.count {
            var stop = index + 1
            while stop < all.count, all[stop].ordinal == all[index].ordinal { stop += 1 }
            let field = entry.firstField &+ all[index].ordinal
            try write(wire, all[index..<stop], field, depth: depth, into: &output)
            index = stop
        }
        if entry.wellKnown == .any, entry.fieldCount == 2 {
            try normalizePayload(&output, from: all, wire, entry, depth: depth)
        }
    }

    /// Finds the values of known fields in the order in which they stand.
    private func occurrences(
        _ wire: borrowing OutputBlock, _ range: Range<Int>, _ entry: MessageEntry, depth: Int
    ) throws(JSONFault) -> [Occurrence] {
        guard depth < JSONLimits.depth else { throw .tooDeep }
        var found: [Occurrence] = []
        var cursor = ByteCursor(wire, in: range)
        let end = range.upperBound
        while cursor.offset < end {
            let tag = try cursor.readWireTag(end: end)
            let ordinal = tables.ordinal(ofNumber: tag.number, in: entry)
            var start = cursor.offset
            let isKnown =
                ordinal >= 0
                && tables.field(entry.firstField &+ ordinal).accepts(tag.wireType)
            try cursor.skipWire(tag, end: end, depth: depth)
            guard isKnown else { continue }
            var stop = cursor.offset
            var probe = cursor
            probe.move(to: start)
            if tag.wireType == 2 {
                _ = probe.readVarint()
                start = probe.offset
            } else if tag.wireType == 3 {
                stop = try probe.endOfGroup(tag.number, end: end, depth: depth)
            }
            probe.move(to: start)
            let field = tables.field(entry.firstField &+ ordinal)
            if tag.wireType == 0, isUnknownEnum(field, &probe) { continue }
            found.append(
                Occurrence(ordinal: ordinal, wireType: tag.wireType, start: start, end: stop))
        }
        return found
    }

    /// Whether the varint at the cursor is no value of the field's closed enum.
    private func isUnknownEnum(_ field: FieldEntry, _ cursor: inout ByteCursor) -> Bool {
        guard field.kind == .enumeration, let bits = cursor.readVarint() else { return false }
        let enumeration = tables.enumeration(field.typeIndex)
        return enumeration.isClosed
            && tables.enumValueIndex(ofNumber: Int32(truncatingIfNeeded: bits), in: enumeration) < 0
    }

    /// Keeps, of each oneof, what came of its last member since another one was there.
    private func resolveOneofs(_ all: inout [Occurrence], _ entry: MessageEntry) {
        guard entry.oneofCount > 0 else { return }
        var winners: [Int16: (ordinal: Int32, start: Int)] = [:]
        for one in all {
            let oneof = tables.field(entry.firstField &+ one.ordinal).oneofIndex
            guard oneof >= 0, winners[oneof]?.ordinal != one.ordinal else { continue }
            winners[oneof] = (one.ordinal, one.start)
        }
        all.removeAll { one in
            let oneof = tables.field(entry.firstField &+ one.ordinal).oneofIndex
            guard let winner = winners[oneof] else { return false }
            return winner.ordinal != one.ordinal || one.start < winner.start
        }
    }

    /// Writes all values of one field.
    private func write(
        _ wire: borrowing OutputBlock, _ values: ArraySlice<Occurrence>, _ field: Int32, depth: Int,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        let entry = tables.field(field)
        if entry.flags.contains(.map) {
            return try writeMap(wire, values, entry, depth: depth, into: &output)
        }
        let isMessage = entry.kind == .message || entry.kind == .group
        if entry.flags.contains(.repeated) {
            for value in values {
                if isMessage {
                    let range = value.start..<value.end
                    try writeMessage(wire, range, entry, depth: depth, into: &output)
                } else {
                    try copyElement(wire, value, entry, into: &output)
                }
            }
        } else if isMessage {
            try merge(wire, values, entry, depth: depth, into: &output)
        } else if let last = values.last {
            try copyElement(wire, last, entry, into: &output)
        }
    }

    /// Copies a scalar, a string, or a packed run of scalars.
    private func copyElement(
        _ wire: borrowing OutputBlock, _ value: Occurrence, _ entry: FieldEntry,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        output.makeRoom(value.end - value.start + 32)
        if value.wireType == 2, entry.kind == .enumeration {
            return try copyEnums(wire, value, entry, into: &output)
        }
        output.putTag(entry.tag & ~7 | UInt64(value.wireType), count: entry.tagLength)
        if value.wireType == 2 { output.putVarint(UInt64(value.end - value.start)) }
        output.append(wire.bytes.extracting(value.start..<value.end))
    }

    /// Copies packed enum values one by one, without the unknown ones of a closed enum.
    private func copyEnums(
        _ wire: borrowing OutputBlock, _ value: Occurrence, _ entry: FieldEntry,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        var cursor = ByteCursor(wire, in: value.start..<value.end)
        while cursor.offset < value.end {
            var probe = cursor
            let isUnknown = isUnknownEnum(entry, &probe)
            guard let bits = cursor.readVarint() else { throw .wireVarint }
            guard cursor.offset <= value.end else { throw .wireTruncated }
            if isUnknown { continue }
            output.makeRoom(32)
            output.putTag(entry.tag & ~7, count: entry.tagLength)
            output.putVarint(bits)
        }
    }

    /// Writes one message from all its pieces: bytes set side by side mean the merged message.
    private func merge(
        _ wire: borrowing OutputBlock, _ pieces: ArraySlice<Occurrence>, _ entry: FieldEntry,
        depth: Int, into output: inout OutputBlock
    ) throws(JSONFault) {
        guard pieces.count > 1 else {
            guard let only = pieces.first else { return }
            return try writeMessage(wire, only.start..<only.end, entry, depth: depth, into: &output)
        }
        var joined = OutputBlock()
        for piece in pieces { joined.append(wire.bytes.extracting(piece.start..<piece.end)) }
        joined.seal()
        try writeMessage(joined, 0..<joined.count, entry, depth: depth, into: &output)
    }

    private func writeMessage(
        _ wire: borrowing OutputBlock, _ range: Range<Int>, _ entry: FieldEntry, depth: Int,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        output.makeRoom(32)
        output.putTag(entry.tag, count: entry.tagLength)
        if entry.flags.contains(.delimited) {
            try message(wire, range, entry.typeIndex, depth: depth + 1, into: &output)
            output.makeRoom(16)
            return output.putTag(entry.tag &+ 1, count: entry.tagLength)
        }
        let start = output.beginLength()
        try message(wire, range, entry.typeIndex, depth: depth + 1, into: &output)
        output.endLength(at: start)
    }
}

extension WireNormalizer {
    /// Writes a map with each key once: the last entry of a key stands in the place of its first.
    private func writeMap(
        _ wire: borrowing OutputBlock, _ values: ArraySlice<Occurrence>, _ entry: FieldEntry,
        depth: Int, into output: inout OutputBlock
    ) throws(JSONFault) {
        var places: [[UInt8]: Int] = [:]
        var entries: [[UInt8]] = []
        for value in values {
            var one = OutputBlock()
            let range = value.start..<value.end
            try message(wire, range, entry.typeIndex, depth: depth + 1, into: &one)
            one.seal()
            let key = self.key(of: one, entry.typeIndex)
            guard !dropsEntry(one, wire, range, entry.typeIndex) else { continue }
            let bytes = Self.array(one.bytes)
            if let place = places[key] {
                entries[place] = bytes
            } else {
                places[key] = entries.count
                entries.append(bytes)
            }
        }
        for bytes in entries {
            output.makeRoom(32)
            output.putTag(entry.tag, count: entry.tagLength)
            output.putVarint(UInt64(bytes.count))
            output.append(bytes.span)
        }
    }

    /// The key of an ordered entry, in one form whatever its encoding was.
    private func key(of entry: borrowing OutputBlock, _ type: Int32) -> [UInt8] {
        let field = tables.field(tables.message(type).firstField)
        var cursor = ByteCursor(entry, in: 0..<entry.count)
        guard cursor.offset < entry.count, cursor.startsWithTag(of: field) else {
            return field.kind.wireType == 2 ? [] : Self.bytes(of: 0)
        }
        cursor.advance(Int(field.tagLength))
        switch field.kind.wireType {
        case 0:
            var bits = cursor.readVarint() ?? 0
            if field.kind == .bool { bits = bits == 0 ? 0 : 1 }
            let is32 = field.kind == .int32 || field.kind == .uint32 || field.kind == .sint32
            return Self.bytes(of: is32 ? bits & 0xffff_ffff : bits)
        case 1: return Self.bytes(of: cursor.word())
        case 5: return Self.bytes(of: UInt64(cursor.word32))
        default:
            let count = Int(truncatingIfNeeded: cursor.readVarint() ?? 0)
            return Self.array(entry.bytes.extracting(cursor.offset..<cursor.offset + count))
        }
    }

    /// An entry whose value is an unknown number of a closed enum is no entry.
    private func dropsEntry(
        _ ordered: borrowing OutputBlock, _ wire: borrowing OutputBlock, _ range: Range<Int>,
        _ type: Int32
    ) -> Bool {
        let value = tables.field(tables.message(type).firstField &+ 1)
        guard value.kind == .enumeration, !holdsField(2, ordered, 0..<ordered.count) else {
            return false
        }
        return holdsField(2, wire, range)
    }

    private func holdsField(
        _ number: UInt32, _ wire: borrowing OutputBlock, _ range: Range<Int>
    ) -> Bool {
        var cursor = ByteCursor(wire, in: range)
        while cursor.offset < range.upperBound {
            guard let tag = try? cursor.readWireTag(end: range.upperBound) else { return false }
            if tag.number == number { return true }
            let skipped: Void? = try? cursor.skipWire(tag, end: range.upperBound, depth: 0)
            if skipped == nil { return false }
        }
        return false
    }

    /// Orders the message inside an Any, if its type is known.
    private func normalizePayload(
        _ output: inout OutputBlock, from all: [Occurrence], _ wire: borrowing OutputBlock,
        _ entry: MessageEntry, depth: Int
    ) throws(JSONFault) {
        guard let url = all.last(where: { $0.ordinal == 0 }),
            let value = all.last(where: { $0.ordinal == 1 })
        else { return }
        let text = wire.bytes.extracting(url.start..<url.end)
        guard let name = AnyURL.typeName(of: text) else { return }
        let type = tables.messageIndex(named: text.extracting(name..<text.count))
        guard type >= 0 else { return }
        let written = value.end - value.start
        output.truncate(to: output.count - written)
        var ordered = OutputBlock()
        try message(wire, value.start..<value.end, type, depth: depth + 1, into: &ordered)
        // The length in front may have become shorter: it is written anew.
        var width = 1
        while width < 10, written >> (7 * width) != 0 { width += 1 }
        output.truncate(to: output.count - width)
        output.makeRoom(16)
        output.putVarint(UInt64(ordered.count))
        output.append(ordered.bytes)
    }

    private static func array(_ bytes: Span<UInt8>) -> [UInt8] {
        var array: [UInt8] = []
        array.reserveCapacity(bytes.count)
        for index in bytes.indices { array.append(bytes[index]) }
        return array
    }

    private static func bytes(of bits: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
    }
}
