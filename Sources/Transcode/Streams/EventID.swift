import ProtoRuntime

/// The field of a message that becomes the `id` of its event.
struct EventID: Sendable {
    let path: FieldPath

    /// Whether a field's value can be one: a single string or integer.
    static func isSupported(_ field: FieldEntry) -> Bool {
        guard !field.flags.contains(.repeated), !field.flags.contains(.map) else { return false }
        switch field.kind {
        case .string, .int32, .int64, .uint32, .uint64, .sint32, .sint64, .fixed32, .fixed64,
            .sfixed32, .sfixed64:
            return true
        case .double, .float, .bool, .group, .message, .bytes, .enumeration: return false
        }
    }

    /// Appends the value that the message `wire[range]` has for the field; as on the wire, the last one counts.
    /// - Returns: false, and nothing is appended, when it has none, or one that no `id` line can carry: a line break
    ///   would end the line, NUL makes readers drop it.
    func append(
        from wire: borrowing OutputBlock, in range: Range<Int>, _ tables: DescriptorTables,
        to output: inout OutputBlock
    ) -> Bool {
        let start = output.count
        let reader = WireReader(wire.bytes.extracting(range))
        var isFound = false
        do throws(WireError) {
            try find(reader, at: 0, tables, &isFound, start, &output)
        } catch {
            isFound = false
        }
        for index in start..<output.count {
            let byte = output[index]
            if byte == 0 || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                isFound = false
            }
        }
        if !isFound { output.truncate(to: start) }
        return isFound
    }

    private func find(
        _ reader: consuming WireReader, at depth: Int, _ tables: DescriptorTables,
        _ isFound: inout Bool, _ start: Int, _ output: inout OutputBlock
    ) throws(WireError) {
        let field = tables.field(path.fields[depth])
        while let tag = try reader.readTag() {
            guard tag.number == field.number else {
                try reader.skip(tag)
                continue
            }
            if depth < path.count - 1 {
                try find(
                    try reader.readMessage(tag), at: depth + 1, tables, &isFound, start, &output)
            } else {
                output.truncate(to: start)
                try EventID.append(&reader, tag, field.kind, &output)
                isFound = true
            }
        }
    }

    private static func append(
        _ reader: inout WireReader, _ tag: ProtoRuntime.WireTag, _ kind: FieldKind,
        _ output: inout OutputBlock
    ) throws(WireError) {
        let fixed: WireType =
            switch kind {
            case .fixed32, .sfixed32: .fixed32
            case .fixed64, .sfixed64: .fixed64
            default: tag.type
            }
        guard tag.type == fixed else { return try reader.skip(tag) }
        switch kind {
        case .int32: output.append(text: String(try reader.readInt32(tag)))
        case .int64: output.append(text: String(try reader.readInt64(tag)))
        case .uint32: output.append(text: String(try reader.readUInt32(tag)))
        case .uint64: output.append(text: String(try reader.readUInt64(tag)))
        case .sint32: output.append(text: String(try reader.readSInt32(tag)))
        case .sint64: output.append(text: String(try reader.readSInt64(tag)))
        case .fixed32: output.append(text: String(try reader.readFixed32()))
        case .fixed64: output.append(text: String(try reader.readFixed64()))
        case .sfixed32: output.append(text: String(Int32(bitPattern: try reader.readFixed32())))
        case .sfixed64: output.append(text: String(Int64(bitPattern: try reader.readFixed64())))
        default: output.append(try reader.readBytes(tag))
        }
    }
}
