public import ProtoRuntime

/// Why a path or query value was refused.
public struct ScalarTextError: Error, Equatable, Sendable, CustomStringConvertible {
    public var reason: JSONFault
    /// What was expected, without the field's name: "expected an integer".
    public var message: String

    public var description: String { message }
}

/// One value of a field given as text, as paths and queries give it.
public enum ScalarText {
    /// Appends one value of a scalar field, or of one whose message has a scalar JSON form (Timestamp,
    /// Duration, FieldMask, wrappers), given as text without quotes, already percent-decoded: tag and
    /// value. Never packed, so that repeated fields take one call a value; zeros are written. Booleans
    /// are true, false, 1, 0; enums names or numbers; an unknown name is an error. On failure the output
    /// is what it was.
    public static func append(
        _ text: Span<UInt8>, field: Int32, tables: DescriptorTables, into output: inout OutputBlock
    ) throws(ScalarTextError) {
        let before = output.count
        do throws(JSONFault) {
            try write(text, field: field, tables, into: &output)
        } catch {
            output.truncate(to: before)
            var message = error.text
            if error == .outOfRange { message += " of \(tables.field(field).kind)" }
            throw ScalarTextError(reason: error, message: message)
        }
    }

    /// Whether the field may be bound from a path or query: a scalar, or a message with a scalar form.
    public static func isScalar(field: Int32, tables: DescriptorTables) -> Bool {
        let entry = tables.field(field)
        guard !entry.flags.contains(.map) else { return false }
        guard entry.kind == .message || entry.kind == .group else { return true }
        switch tables.message(entry.typeIndex).wellKnown {
        case .none, .struct, .value, .listValue, .any, .empty: return false
        default: return true
        }
    }

    private static func write(
        _ text: Span<UInt8>, field: Int32, _ tables: DescriptorTables,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        let entry = tables.field(field)
        output.makeRoom(text.count &* 2 &+ 64)
        switch entry.kind {
        case .message, .group: try writeMessage(text, entry, tables, into: &output)
        case .string:
            output.putTag(entry.tag, count: entry.tagLength)
            output.putVarint(UInt64(text.count))
            let start = output.count
            output.append(text)
            output.seal()
            guard output.holdsUTF8(from: start) else { throw .invalidUTF8 }
        case .bytes:
            output.putTag(entry.tag, count: entry.tagLength)
            let start = output.beginLength()
            let held = sealed(text)
            var cursor = ByteCursor(held, in: 0..<held.count)
            try cursor.readBase64(into: &output)
            guard cursor.isAtEnd else { throw .badBase64 }
            output.endLength(at: start)
        default:
            let bits = try number(text, entry, tables, behind: &output)
            output.putTag(expandedTag(entry), count: entry.tagLength)
            output.putNumber(bits, as: entry.kind)
        }
    }

    /// The wire bits of a number, bool or enum. Uses the bytes behind the output as scratch.
    private static func number(
        _ text: Span<UInt8>, _ entry: FieldEntry, _ tables: DescriptorTables,
        behind output: inout OutputBlock
    ) throws(JSONFault) -> UInt64 {
        if entry.kind == .bool { return try bool(text) }
        if entry.kind == .enumeration {
            let enumeration = tables.enumeration(entry.typeIndex)
            if let number = tables.enumNumber(named: text, in: enumeration) {
                return UInt64(bitPattern: Int64(number))
            }
        }
        let isInteger = entry.kind != .double && entry.kind != .float
        if isInteger, text.indices.contains(where: { !isIntegerByte(text[$0]) }) {
            throw entry.kind == .enumeration ? .unknownEnumName : .expectedInteger
        }
        let kind = entry.kind == .enumeration ? .int32 : entry.kind
        let mark = output.count
        output.append(text)
        output.seal()
        let bits: UInt64
        do throws(JSONFault) {
            bits = try parse(output, from: mark, as: kind)
        } catch {
            output.truncate(to: mark)
            throw error
        }
        output.truncate(to: mark)
        return bits
    }

    private static func parse(
        _ block: borrowing OutputBlock, from start: Int, as kind: FieldKind
    ) throws(JSONFault) -> UInt64 {
        var cursor = ByteCursor(block, in: start..<block.count)
        let bits = try cursor.readNumber(kind, isQuoted: true)
        guard cursor.isAtEnd else { throw .badNumber }
        return bits
    }

    private static func isIntegerByte(_ byte: UInt8) -> Bool {
        byte &- JSONByte.zero <= 9 || byte == JSONByte.minus
    }

    private static func bool(_ text: Span<UInt8>) throws(JSONFault) -> UInt64 {
        if text.isEqual(to: "true") || text.isEqual(to: "1") { return 1 }
        if text.isEqual(to: "false") || text.isEqual(to: "0") { return 0 }
        throw .expectedBool
    }

    private static func writeMessage(
        _ text: Span<UInt8>, _ entry: FieldEntry, _ tables: DescriptorTables,
        into output: inout OutputBlock
    ) throws(JSONFault) {
        let message = tables.message(entry.typeIndex)
        output.putTag(entry.tag, count: entry.tagLength)
        let isGroup = entry.flags.contains(.delimited)
        let start = isGroup ? 0 : output.beginLength()
        switch message.wellKnown {
        case .none, .struct, .value, .listValue, .any, .empty: throw .expectedObject
        case .timestamp, .duration:
            let held = sealed(text)
            var cursor = ByteCursor(held, in: 0..<held.count)
            let isTimestamp = message.wellKnown == .timestamp
            let time = isTimestamp ? cursor.readTimestamp() : cursor.readDuration()
            guard let time, cursor.isAtEnd else {
                throw isTimestamp ? .badTimestamp : .badDuration
            }
            output.putTime(time)
        case .fieldMask:
            let held = sealed(text)
            var cursor = ByteCursor(held, in: 0..<held.count)
            guard cursor.readFieldMask(into: &output) else { throw .badFieldMask }
        default: try write(text, field: message.firstField, tables, into: &output)
        }
        output.makeRoom(16)
        if isGroup {
            output.putTag(entry.tag &+ 1, count: entry.tagLength)
        } else {
            output.endLength(at: start)
        }
    }

    /// The tag of one element; that of a packed field is of the whole list.
    private static func expandedTag(_ entry: FieldEntry) -> UInt64 {
        guard entry.flags.contains(.packed) else { return entry.tag }
        let wireType: UInt64 =
            switch entry.kind {
            case .double, .fixed64, .sfixed64: 1
            case .float, .fixed32, .sfixed32: 5
            default: 0
            }
        return entry.tag & ~7 | wireType
    }

    /// A copy that a cursor may read, NUL behind it.
    private static func sealed(_ text: Span<UInt8>) -> OutputBlock {
        var block = OutputBlock()
        block.append(text)
        block.seal()
        return block
    }
}
