import ProtoRuntime

/// The prefix that style guides put before every value of an enum: `KIND_` of `Kind`, `HTTP_METHOD_` of
/// `HttpMethod`. Computed where it is wanted, without memory.
enum EnumPrefix {
    /// How many bytes of the value's name are the prefix; 0 when it is missing or nothing would remain.
    static func count(in name: Span<UInt8>, of enumeration: EnumEntry, _ tables: DescriptorTables)
        -> Int
    {
        let type = simpleName(enumeration, tables)
        var position = 0
        for index in type.indices {
            let character = type[index]
            if index > 0, isUpper(character), !isUpper(type[index - 1]) {
                guard position < name.count, name[position] == UInt8(ascii: "_") else { return 0 }
                position += 1
            }
            let wanted = character >= 97 && character <= 122 ? character - 32 : character
            guard position < name.count, name[position] == wanted else { return 0 }
            position += 1
        }
        // A value must be left, and it must not start with a digit.
        guard position + 1 < name.count, name[position] == UInt8(ascii: "_"),
            name[position + 1] &- 48 > 9
        else { return 0 }
        return position + 1
    }

    /// The number of the value whose name without its prefix is `name`.
    static func number(
        ofStripped name: Span<UInt8>, in enumeration: EnumEntry, _ tables: DescriptorTables
    ) -> Int32? {
        for index in 0..<enumeration.valueCount {
            let value = tables.enumValue(enumeration.firstValue &+ index)
            let full = tables.text(
                offset: value.quotedOffset &+ 1, length: value.quotedLength &- 2)
            let skipped = count(in: full, of: enumeration, tables)
            guard skipped > 0, full.count - skipped == name.count else { continue }
            if name.indices.allSatisfy({ name[$0] == full[skipped + $0] }) { return value.number }
        }
        return nil
    }

    /// The last component of the type's full name.
    @_lifetime(immortal)
    private static func simpleName(_ enumeration: EnumEntry, _ tables: DescriptorTables)
        -> Span<UInt8>
    {
        let offset = enumeration.fullNameOffset
        let full = tables.text(offset: offset, length: enumeration.fullNameLength)
        var start = full.count
        while start > 0, full[start - 1] != UInt8(ascii: ".") { start -= 1 }
        return tables.text(
            offset: offset &+ UInt32(truncatingIfNeeded: start),
            length: UInt16(truncatingIfNeeded: full.count - start))
    }

    private static func isUpper(_ character: UInt8) -> Bool { character >= 65 && character <= 90 }
}
