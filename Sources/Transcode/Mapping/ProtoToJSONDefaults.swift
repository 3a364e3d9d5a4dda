import ProtoRuntime

/// Fields that are not there, for those who want to see them.
extension ProtoToJSONPass {
    /// Prints the fields without presence among `fields` with their defaults: 0, "", false, [], {}.
    @inline(never)
    mutating func writeDefaults(_ fields: Range<Int32>) {
        for field in fields { writeDefault(field) }
    }

    @inline(never)
    mutating func writeDefault(_ field: Int32) {
        let entry = tables.field(field)
        // Nobody knows which extensions a message might have.
        guard entry.flags.isDisjoint(with: [.presence, .isExtension]) else { return }
        writeName(field)
        if entry.flags.contains(.map) {
            output.put(0x7d7b, count: 2)
        } else if entry.flags.contains(.repeated) {
            output.put(0x5d5b, count: 2)
        } else {
            writeZero(entry)
        }
    }

    /// Prints the zero of a scalar type; there is room for 64 bytes.
    mutating func writeZero(_ entry: FieldEntry) {
        switch entry.kind {
        case .string, .bytes: output.put(0x2222, count: 2)
        case .bool: output.putBool(false)
        case .enumeration:
            let enumeration = tables.enumeration(entry.typeIndex)
            // A closed enum need not have a zero: its first value is the default.
            let first = tables.enumValue(enumeration.firstValue).number
            try? writeEnum(enumeration.isClosed ? first : 0, entry.typeIndex)
        default: writeNumber(0, entry.kind)
        }
        output.makeRoom(64)
    }
}
