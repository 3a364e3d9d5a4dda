/// Writes resolved types into flat tables: entries, preformatted names, and the slots that look-ups go through.
struct TableBuilder {
    private(set) var contents = TableContents()
    /// Where a piece of text already stands; the same names come up in many messages.
    private var textOffsets: [String: UInt32] = [:]

    /// What one message may hold: a name slot is ordinal * 2 + 2 at most, in 16 bits.
    static let fieldsMax = 32_767
    /// A slot is index + 1, in 16 bits.
    static let enumValuesMax = 65_534
    /// Bytes of a name: `,"name":` has to fit 16 bits.
    static let nameBytesMax = Int(UInt16.max) - 4

    /// A piece of the text.
    private struct Text {
        let offset: UInt32
        let length: UInt16
    }

    // MARK: - Messages

    /// Appends a message and its fields, which are sorted by number and whose numbers differ; at most `fieldsMax`,
    /// names at most `nameBytesMax` long. `wellKnown`, the flags and the names are taken as they are.
    mutating func append(
        message fullName: String, fields: [ResolvedField], oneofCount: Int16,
        wellKnown: WellKnownType, isMapEntry: Bool, isMessageSet: Bool
    ) {
        let firstField = Int32(truncatingIfNeeded: contents.fields.count)
        for (ordinal, field) in fields.enumerated() {
            contents.fields.append(entry(field, ordinal: UInt16(truncatingIfNeeded: ordinal)))
        }
        let numbers = appendNumberSlots(fields.map(\.number))
        let names = appendNameSlots(fields)
        let text = intern(fullName)
        contents.messages.append(
            MessageEntry(
                firstField: firstField, fieldCount: Int32(truncatingIfNeeded: fields.count),
                numberSlot: numbers.slot, numberSlotCount: numbers.count, nameSlot: names.slot,
                nameMask: names.mask, fullNameOffset: text.offset, fullNameLength: text.length,
                oneofCount: oneofCount, wellKnown: wellKnown, isMapEntry: isMapEntry,
                hasRequired: fields.contains { $0.flags.contains(.required) },
                isMessageSet: isMessageSet))
    }

    /// Appends a field that belongs to no message's run, and gives its index.
    mutating func append(extension field: ResolvedField) -> Int32 {
        let index = Int32(truncatingIfNeeded: contents.fields.count)
        contents.fields.append(entry(field, ordinal: 0))
        return index
    }

    /// Index of the field that the message, which was appended, has under that number.
    func fieldIndex(ofNumber number: Int32, in message: Int32) -> Int32 {
        let entry = contents.messages[Int(message)]
        var range = entry.firstField..<entry.firstField + entry.fieldCount
        while !range.isEmpty {
            let middle = range.lowerBound + Int32(range.count / 2)
            let found = contents.fields[Int(middle)].number
            if found == number { return middle }
            range = found < number ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return -1
    }

    private mutating func entry(_ field: ResolvedField, ordinal: UInt16) -> FieldEntry {
        let wireType = field.flags.contains(.packed) ? .lengthDelimited : field.kind.wireType
        let tag = TableBuilder.encodedTag(field.number, wireType)
        let json = key(field.jsonName)
        let proto = key(field.name)
        return FieldEntry(
            tag: tag.bytes, tagMask: (1 << UInt64(8 * tag.length)) - 1,
            number: field.number, typeIndex: field.typeIndex,
            keyOffset: json.key.offset, protoKeyOffset: proto.key.offset,
            nameOffset: json.name.offset, protoNameOffset: proto.name.offset,
            keyLength: json.key.length, protoKeyLength: proto.key.length,
            nameLength: json.name.length, protoNameLength: proto.name.length,
            flags: field.flags, oneofIndex: field.oneofIndex, ordinal: ordinal,
            kind: field.kind, tagLength: tag.length)
    }

    /// The tag as a varint, first byte lowest. Extensions of a MessageSet may have numbers beyond `WireTag.numberMax`;
    /// they are never written with this tag.
    private static func encodedTag(_ number: Int32, _ type: WireType) -> (
        bytes: UInt64, length: UInt8
    ) {
        var rest = UInt64(UInt32(bitPattern: number)) << 3 | UInt64(type.rawValue)
        var bytes: UInt64 = 0
        var length: UInt8 = 0
        while rest >= 0x80 {
            bytes |= (rest & 0x7f | 0x80) << UInt64(8 * length)
            rest >>= 7
            length += 1
        }
        return (bytes | rest << UInt64(8 * length), length + 1)
    }

    // MARK: - Enums

    /// Appends an enum with its values in declaration order; names differ, at least one value, at most `enumValuesMax`.
    mutating func append(
        enumeration fullName: String, values: [(name: String, number: Int32)], isClosed: Bool
    ) {
        let firstValue = Int32(truncatingIfNeeded: contents.enumValues.count)
        for value in values {
            let text = intern("\"\(value.name)\"")
            contents.enumValues.append(
                EnumValueEntry(
                    number: value.number, quotedOffset: text.offset, quotedLength: text.length))
        }
        let dense = appendDenseSlots(values.map(\.number))
        let sparse = appendSparseSlots(values.map(\.number), outside: dense.range)
        let names = appendHashTable(
            values.enumerated().map { index, value in
                (NameHash.hash(Array(value.name.utf8)), UInt16(truncatingIfNeeded: index + 1))
            })
        let text = intern(fullName)
        contents.enums.append(
            EnumEntry(
                firstValue: firstValue, valueCount: Int32(truncatingIfNeeded: values.count),
                numberSlot: dense.slot,
                numberSlotCount: Int32(truncatingIfNeeded: dense.range.count),
                lowest: Int32(truncatingIfNeeded: dense.range.lowerBound),
                sparseSlot: sparse.slot, sparseMask: sparse.mask,
                nameSlot: names.slot, nameMask: names.mask,
                fullNameOffset: text.offset, fullNameLength: text.length,
                isClosed: isClosed, isNullValue: fullName == "google.protobuf.NullValue"))
    }

    // MARK: - Text

    /// Where `,"name":` stands (escaped), and where the bare name.
    private mutating func key(_ name: String) -> (key: Text, name: Text) {
        let escaped = JSONName.escaped(name)
        let key = intern(",\"\(escaped)\":")
        guard escaped == name else { return (key, intern(name)) }
        // The bare name stands inside the key.
        return (key, Text(offset: key.offset + 2, length: key.length - 4))
    }

    private mutating func intern(_ text: String) -> Text {
        let length = UInt16(clamping: text.utf8.count)
        if let offset = textOffsets[text] { return Text(offset: offset, length: length) }
        let offset = UInt32(clamping: contents.text.count)
        contents.text += Array(text.utf8)
        textOffsets[text] = offset
        return Text(offset: offset, length: length)
    }

    // MARK: - Slots

    /// How far a dense table may reach for `count` numbers: a fourth of it filled, or short anyway.
    private static func denseMax(_ count: Int) -> Int { 4 * count + 64 }

    private var nextSlot: Int32 { Int32(truncatingIfNeeded: contents.slots.count) }

    /// `numbers` are sorted; the table reaches to the last one that keeps it dense enough.
    private mutating func appendNumberSlots(_ numbers: [Int32]) -> (slot: Int32, count: Int32) {
        let slot = nextSlot
        var count = 0
        for (index, number) in numbers.enumerated()
        where Int(number) < TableBuilder.denseMax(index + 1) {
            count = Int(number) + 1
        }
        var slots = [UInt16](repeating: 0, count: count)
        for (index, number) in numbers.enumerated() where Int(number) < count {
            slots[Int(number)] = UInt16(truncatingIfNeeded: index + 1)
        }
        contents.slots += slots
        return (slot, Int32(truncatingIfNeeded: count))
    }

    /// A table of the numbers in one range; the first declared of two values with one number counts.
    private mutating func appendDenseSlots(_ numbers: [Int32]) -> (slot: Int32, range: Range<Int>) {
        let slot = nextSlot
        let lowest = Int(numbers.min() ?? 0)
        let highest = Int(numbers.max() ?? 0)
        let limit = TableBuilder.denseMax(numbers.count)
        let range: Range<Int>
        if highest - lowest < limit {
            range = lowest..<highest + 1
        } else {
            // Around zero, where most values stand; the others go into the sparse table.
            let end = numbers.lazy.map(Int.init).filter { $0 >= 0 && $0 < limit }.max() ?? -1
            range = 0..<end + 1
        }
        var slots = [UInt16](repeating: 0, count: range.count)
        for (index, number) in numbers.enumerated().reversed() where range.contains(Int(number)) {
            slots[Int(number) - range.lowerBound] = UInt16(truncatingIfNeeded: index + 1)
        }
        contents.slots += slots
        return (slot, range)
    }

    private mutating func appendSparseSlots(_ numbers: [Int32], outside range: Range<Int>) -> (
        slot: Int32, mask: UInt32
    ) {
        var seen: Set<Int32> = []
        var entries: [(hash: UInt32, value: UInt16)] = []
        for (index, number) in numbers.enumerated()
        where !range.contains(Int(number)) && seen.insert(number).inserted {
            entries.append((NameHash.hash(number), UInt16(truncatingIfNeeded: index + 1)))
        }
        return appendHashTable(entries)
    }

    /// JSON names first, so that they win where a proto name is the same; empty names cannot be looked up.
    private mutating func appendNameSlots(_ fields: [ResolvedField]) -> (slot: Int32, mask: UInt32)
    {
        var taken: Set<String> = [""]
        var entries: [(hash: UInt32, value: UInt16)] = []
        for (ordinal, field) in fields.enumerated() where taken.insert(field.jsonName).inserted {
            let value = UInt16(truncatingIfNeeded: ordinal * 2 + 1)
            entries.append((NameHash.hash(Array(field.jsonName.utf8)), value))
        }
        for (ordinal, field) in fields.enumerated() where taken.insert(field.name).inserted {
            let value = UInt16(truncatingIfNeeded: ordinal * 2 + 2)
            entries.append((NameHash.hash(Array(field.name.utf8)), value))
        }
        return appendHashTable(entries)
    }

    /// An open-addressed table, at most half full. A small one is made larger when that spares all collisions.
    private mutating func appendHashTable(_ entries: [(hash: UInt32, value: UInt16)]) -> (
        slot: Int32, mask: UInt32
    ) {
        var size = 1
        while size < 2 * entries.count { size *= 2 }
        let larger = [size, size * 2, size * 4].first { size in
            entries.count <= 64
                && Set(entries.map { $0.hash & UInt32(size - 1) }).count == entries.count
        }
        size = larger ?? size
        let mask = UInt32(size - 1)
        var slots = [UInt16](repeating: 0, count: size)
        for (hash, value) in entries {
            var probe = hash & mask
            while slots[Int(probe)] != 0 { probe = (probe &+ 1) & mask }
            slots[Int(probe)] = value
        }
        let slot = nextSlot
        contents.slots += slots
        return (slot, mask)
    }
}
