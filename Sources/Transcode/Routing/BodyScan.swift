import ProtoRuntime

/// Looks in a message that was made from a JSON body for the value of a field that the path sets too.
///
/// The message comes from our own encoder, which writes one form of each value, so that equal values are equal
/// bytes.
struct BodyScan: ~Escapable {
    let path: FieldPath
    let tables: DescriptorTables
    /// The path's value without its tag.
    let expected: Span<UInt8>

    @_lifetime(copy expected)
    init(path: FieldPath, tables: DescriptorTables, expected: Span<UInt8>) {
        self.path = path
        self.tables = tables
        self.expected = expected
    }

    /// Throws 400 where the body has another value, or another member of a oneof. A default in a field without
    /// presence says nothing.
    func check(_ body: Span<UInt8>, message: Int32) throws(Status) {
        var reader = WireReader(body)
        let finding: Finding
        do throws(WireError) {
            finding = try scan(&reader, body, tables.message(message), level: 0)
        } catch {
            throw Status(.internal, "the encoded body cannot be read: \(error)", reason: "internal")
        }
        if case .agreement = finding { return }
        throw status(for: finding)
    }

    private enum Finding {
        case agreement
        case contradiction
        /// The body sets this field of the same oneof.
        case otherMember(Int32)
    }

    /// `reader` reads part of `body`; its offsets count from the start of `body`.
    private func scan(
        _ reader: inout WireReader, _ body: Span<UInt8>, _ message: MessageEntry, level: Int
    ) throws(WireError) -> Finding {
        let field = tables.field(path.fields[level])
        while let tag = try reader.readTag() {
            var finding = Finding.agreement
            if tag.number != field.number {
                finding = compareOneof(tag.number, field, message)
                try reader.skip(tag)
            } else if level < path.count - 1 {
                var nested = try reader.readMessage(tag)
                finding = try scan(
                    &nested, body, tables.message(field.typeIndex), level: level + 1)
            } else {
                let start = reader.offset
                try reader.skip(tag)
                let value = body.extracting(start..<reader.offset)
                if !isExpected(value), !isDefault(value, field) { finding = .contradiction }
            }
            if case .agreement = finding { continue }
            return finding
        }
        return .agreement
    }

    private func compareOneof(
        _ other: Int32, _ field: FieldEntry, _ message: MessageEntry
    ) -> Finding {
        guard field.oneofIndex >= 0 else { return .agreement }
        let ordinal = tables.ordinal(ofNumber: UInt32(bitPattern: other), in: message)
        guard ordinal >= 0 else { return .agreement }
        let index = message.firstField + ordinal
        return tables.field(index).oneofIndex == field.oneofIndex
            ? .otherMember(index) : .agreement
    }

    private func isExpected(_ value: Span<UInt8>) -> Bool {
        // A wrapper's zero may be written or left out: its length, tag and zeros say the same as length 0.
        if tables.field(path.leaf).kind == .message, isZeroMessage(value),
            isZeroMessage(expected)
        {
            return true
        }
        guard value.count == expected.count else { return false }
        for index in value.indices where value[index] != expected[index] { return false }
        return true
    }

    private func isZeroMessage(_ value: Span<UInt8>) -> Bool {
        for index in value.indices where index != 0 && index != 1 && value[index] != 0 {
            return false
        }
        return value.count <= 10 && (value.count < 2 || Int(value[0]) == value.count - 1)
    }

    private func isDefault(_ value: Span<UInt8>, _ field: FieldEntry) -> Bool {
        if field.flags.contains(.presence) { return false }
        for index in value.indices where value[index] != 0 { return false }
        return true
    }

    private func status(for finding: Finding) -> Status {
        let name = path.name(tables)
        let why: String
        let message: String
        switch finding {
        case .agreement, .contradiction:
            why = "the body's value differs from the path's"
            message = "\(name): \(why)"
        case .otherMember(let other):
            why = "the body sets \(FieldPath(other).name(tables)) of the same oneof"
            message = "\(name) is set by the path; \(why)"
        }
        return .violation(of: name, why, message: message, reason: "path_body_conflict")
    }
}
