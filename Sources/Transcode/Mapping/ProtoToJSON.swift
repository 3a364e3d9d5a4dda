public import ProtoRuntime

/// Wire bytes → JSON in one pass, by the flat tables. A trivial value: made per call at no cost.
///
///     0a 06 0a 04 6a 61 7a 7a 12 02 07 08  →  {"shelf":{"theme":"jazz"},"ids":["7","8"]}
///
/// Fields are printed in the order of their numbers. Nothing is allocated but what the output needs, unless
/// the message is written in an unusual way (see `WireNormalizer`).
public struct ProtoToJSON {
    let tables: DescriptorTables
    let options: JSONOptions

    public init(_ tables: DescriptorTables, options: JSONOptions) {
        self.tables = tables
        self.options = options
    }

    /// Prints the message with index `message` that `wire[range]` holds. On failure the output is what it
    /// was.
    public func format(
        _ wire: borrowing OutputBlock, in range: Range<Int>, as message: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        try run(wire, in: range, type: message, field: -1, into: &output)
    }

    /// Prints only the value of one field of that message (`response_body: "f"`); where it is absent its
    /// default: `[]`, `{}`, `0`, `""`, and `null` for what has presence.
    public func formatField(
        _ wire: borrowing OutputBlock, in range: Range<Int>, as message: Int32, field: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        try run(wire, in: range, type: message, field: field, into: &output)
    }

    private func run(
        _ wire: borrowing OutputBlock, in range: Range<Int>, type: Int32, field: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        let before = output.count
        let failure = pass(wire, in: range, (type, field), isOrdered: false, into: &output)
        if let failure {
            output.truncate(to: before)
            // A value that cannot be printed need not be the last of its field, nor a message all of it.
            guard !failure.reason.isMalformedWire, !range.isEmpty else { throw failure }
            var ordered = OutputBlock(capacity: range.count)
            try WireNormalizer(tables).normalize(wire, in: range, as: type, into: &ordered)
            ordered.seal()
            let all = 0..<ordered.count
            if let second = pass(ordered, in: all, (type, field), isOrdered: true, into: &output) {
                output.truncate(to: before)
                // The first knows its offset in the bytes that came.
                throw second.reason == failure.reason && second.path == failure.path
                    ? failure : second
            }
        }
        if options.indent > 0 { JSONIndenter.indent(&output, from: before, by: options.indent) }
    }

    /// One pass over a message in order, or over one field of it. The output keeps what a failed pass
    /// has printed.
    private func pass(
        _ wire: borrowing OutputBlock, in range: Range<Int>, _ target: (type: Int32, field: Int32),
        isOrdered: Bool, into output: inout OutputBlock
    ) -> JSONError? {
        guard wire.isAllocated else {
            // A block that was never written to has no bytes to point at.
            var empty = OutputBlock()
            empty.seal()
            return pass(empty, in: range, target, isOrdered: isOrdered, into: &output)
        }
        var taken = OutputBlock()
        swap(&taken, &output)
        let cursor = ByteCursor(wire, in: range)
        var pass = ProtoToJSONPass(cursor, taken, tables, options, isOrdered: isOrdered)
        var failure: JSONFault?
        do throws(JSONFault) {
            if target.field < 0 {
                try pass.writeMessage(target.type, end: range.upperBound)
            } else {
                try pass.writeOnly(target.field, of: target.type, end: range.upperBound)
            }
        } catch {
            failure = error
        }
        let offset = pass.faultOffset >= 0 ? pass.faultOffset : pass.input.offset
        let culprit = pass.field
        pass.giveBack(&output)
        guard let failure else { return nil }
        var place = WirePlace(tables)
        // Nobody is told where fields are out of order: they are put in order.
        if failure != .fieldsOutOfOrder {
            place.find(
                min(offset, range.upperBound), in: cursor, of: target.type,
                isMessage: failure == .missingRequired)
        }
        return place.error(failure, offset: offset - range.lowerBound, field: culprit)
    }
}

extension ProtoToJSONPass {
    /// Puts the output back where it was taken from, and the scratch bytes.
    mutating func giveBack(_ output: inout OutputBlock) {
        swap(&self.output, &output)
        guard scratch.isAllocated else { return }
        var spare = OutputBlock()
        swap(&spare, &scratch)
        SpareBlock.giveBack(spare)
    }

    /// Prints the value of one field of the message and nothing else.
    @_lifetime(self: copy self)
    mutating func writeOnly(_ field: Int32, of index: Int32, end: Int) throws(JSONFault) {
        let message = tables.message(index)
        let entry = tables.field(field)
        var found = false
        // Another member of the same oneof: the later one counts.
        var hasRival = false
        let before = output.count
        while input.offset < end {
            let ordinal = try readTag(of: index, end: end)
            if ordinal < 0 { continue }
            if message.firstField &+ ordinal == field {
                guard !found else { throw .fieldsOutOfOrder }
                found = true
                try writeField(field, entry.flags, end: end)
                continue
            }
            let other = tables.field(message.firstField &+ ordinal)
            hasRival = hasRival || (other.oneofIndex >= 0 && other.oneofIndex == entry.oneofIndex)
            input.move(to: input.offset &- Int(other.tagLength))
            try input.skipWire(try input.readWireTag(end: end), end: end, depth: 0)
        }
        guard !(found && hasRival) else { throw .fieldsOutOfOrder }
        if output.count > before {
            // The name that comes with the value is not wanted.
            let name = namesAreProto ? entry.protoKeyLength : entry.keyLength
            output.remove(before..<before + Int(name))
            return
        }
        output.makeRoom(64)
        if entry.flags.contains(.map) { return output.put(0x7d7b, count: 2) }
        if entry.flags.contains(.repeated) { return output.put(0x5d5b, count: 2) }
        if entry.flags.contains(.presence) { return output.putNull() }
        writeZero(entry)
    }
}
