import SwiftProtobuf
import Testing

@testable import ProtoRuntime

/// Looks every name and number of a pool up, and neighbours that must not be found.
private func expectAllFound(in pool: DescriptorPool) {
    let tables = pool.tables
    for index in 0..<tables.messageCount {
        let message = tables.message(index)
        var numbers: Set<Int32> = []
        for ordinal in 0..<message.fieldCount {
            let field = tables.field(message.firstField + ordinal)
            numbers.insert(field.number)
            #expect(Int32(field.ordinal) == ordinal)
            #expect(tables.ordinal(ofNumber: UInt32(field.number), in: message) == ordinal)
            for json in [true, false] {
                let name = pool.fieldName(message.firstField + ordinal, json: json)
                #expect(ordinalNamed(name, in: message, tables) == ordinal, "\(name)")
                #expect(ordinalNamed(name + "x", in: message, tables) == -1)
            }
        }
        for number in numbers.flatMap({ [$0 - 1, $0 + 1] }) where !numbers.contains(number) {
            #expect(tables.ordinal(ofNumber: UInt32(number), in: message) == -1)
        }
        for number in [0, 19_000, 1 << 29, 1 << 31, UInt32.max] {
            #expect(tables.ordinal(ofNumber: number, in: message) == -1)
        }
    }
}

private func ordinalNamed(_ name: String, in message: MessageEntry, _ tables: DescriptorTables)
    -> Int32
{
    let bytes = Array(name.utf8)
    return tables.ordinal(named: bytes.span, in: message)
}

@Suite struct FieldLookUpTests {
    @Test func `every field is found by number, JSON name and declared name`() throws {
        expectAllFound(in: try TestSet.pool())
    }

    @Test func `names of all lengths are told apart`() throws {
        // Names that share their ends and differ in one place, from 1 to 40 bytes.
        var names: Set<String> = []
        for length in 1...40 {
            for place in 0..<length {
                var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
                bytes[place] = UInt8(ascii: "b")
                names.insert(String(decoding: bytes, as: UTF8.self))
            }
        }
        let fields = names.sorted().enumerated().map { FieldProto.make($1, Int32($0 + 1)) }
        let pool = try pool(.make("a.proto", messages: [.make("M", fields)]))
        expectAllFound(in: pool)
        for name in ["", "a", "aa", "c", String(repeating: "a", count: 40)] {
            #expect(ordinalNamed(name, in: pool.tables.message(0), pool.tables) == -1)
        }
        let long = String(repeating: "b", count: 70_000)
        #expect(ordinalNamed(long, in: pool.tables.message(0), pool.tables) == -1)
    }

    @Test func `numbers far apart are found`() throws {
        let numbers: [Int32] = [1, 2, 3, 500, 18_999, 20_000, 1_000_000, 536_870_911]
        let fields = numbers.shuffled().map { FieldProto.make("f\($0)", $0) }
        let pool = try pool(.make("a.proto", messages: [.make("M", fields), .make("Empty")]))
        expectAllFound(in: pool)
        let message = pool.tables.message(0)
        #expect(message.numberSlotCount < 200)
        let ordered = (0..<message.fieldCount).map { pool.tables.field($0).number }
        #expect(ordered == numbers)
    }

    @Test func `a message may have as many fields as slots can name`() throws {
        let count = Int32(TableBuilder.fieldsMax)
        let fields = (0..<count).map {
            FieldProto.make("f\($0)", $0 < 18_000 ? $0 + 1 : $0 + 20_000)
        }
        let pool = try pool(.make("a.proto", messages: [.make("M", fields)]))
        let tables = pool.tables
        let message = tables.message(0)
        for ordinal in stride(from: 0, to: count, by: 97) {
            let number = UInt32(tables.field(ordinal).number)
            #expect(tables.ordinal(ofNumber: number, in: message) == ordinal)
            #expect(ordinalNamed("f\(ordinal)", in: message, tables) == ordinal)
        }
    }

    @Test func `a JSON name wins over another field's declared name`() throws {
        let fields: [FieldProto] = [
            .make("a", 1) { $0.jsonName = "b" }, .make("b", 2) { $0.jsonName = "a" },
        ]
        let pool = try pool(.make("a.proto", messages: [.make("M", fields)]))
        let message = pool.tables.message(0)
        #expect(ordinalNamed("b", in: message, pool.tables) == 0)
        #expect(ordinalNamed("a", in: message, pool.tables) == 1)
    }

    @Test func `keys are preformatted and escaped, bare names are not`() throws {
        let pool = try TestSet.pool()
        let tables = pool.tables
        let plain = try pool.field("gatewaytest.proto3.v1.Names", "field_name1")
        #expect(
            string(tables.text(offset: plain.keyOffset, length: plain.keyLength))
                == ",\"fieldName1\":")
        #expect(
            string(tables.text(offset: plain.protoKeyOffset, length: plain.protoKeyLength))
                == ",\"field_name1\":")
        let quoted = try pool.field("gatewaytest.proto3.v1.Names", "quoted")
        #expect(
            string(tables.text(offset: quoted.keyOffset, length: quoted.keyLength))
                == #","with \"quotes\" \\ and é":"#)
        #expect(
            string(tables.text(offset: quoted.nameOffset, length: quoted.nameLength))
                == #"with "quotes" \ and é"#)
    }

    @Test(
        arguments: [
            ("field_name1", [0x08]), ("field__name3_", [0x78]), ("field4name5", [0x80, 0x01]),
            ("FieldName6", [0xf8, 0x7f]), ("FIELD_NAME7", [0x80, 0x80, 0x01]),
            ("__field_name8", [0xf8, 0xff, 0x7f]), ("field_name_9", [0x80, 0x80, 0x80, 0x01]),
            ("quoted", [0x80, 0x80, 0x80, 0x80, 0x01]),
            ("highest_number", [0xf8, 0xff, 0xff, 0xff, 0x0f]),
        ] as [(String, [UInt8])])
    func `tags are encoded beforehand`(name: String, tag: [UInt8]) throws {
        let field = try TestSet.pool().field("gatewaytest.proto3.v1.Names", name)
        let bytes = (0..<Int(field.tagLength)).map {
            UInt8(truncatingIfNeeded: field.tag >> (8 * UInt64($0)))
        }
        #expect(bytes == tag)
        let bits = (0..<tag.count).reduce(0) { $0 | 0xff << (8 * UInt64($1)) }
        #expect(field.tagMask == bits)
    }
}

@Suite struct EnumLookUpTests {
    private func number(_ name: String, in enumeration: EnumEntry, _ tables: DescriptorTables)
        -> Int32?
    {
        let bytes = Array(name.utf8)
        return tables.enumNumber(named: bytes.span, in: enumeration)
    }

    private func expectAllFound(in pool: DescriptorPool) {
        let tables = pool.tables
        for index in 0..<tables.enumCount {
            let entry = tables.enumeration(index)
            var first: [Int32: Int32] = [:]
            for value in entry.firstValue..<entry.firstValue + entry.valueCount {
                let found = tables.enumValue(value)
                if first[found.number] == nil { first[found.number] = value }
                let name = string(
                    tables.text(offset: found.quotedOffset + 1, length: found.quotedLength - 2))
                #expect(number(name, in: entry, tables) == found.number)
                #expect(number(name + "_", in: entry, tables) == nil)
            }
            let neighbours = first.keys.flatMap { [$0 &- 1, $0 &+ 1] }
            for number in Array(first.keys) + neighbours + [0, Int32.min, Int32.max] {
                let found = tables.enumValueIndex(ofNumber: number, in: entry)
                #expect(found == first[number] ?? -1)
            }
        }
    }

    @Test func `every value is found by name, and by number the first declared`() throws {
        expectAllFound(in: try TestSet.pool())
    }

    @Test(
        arguments: [
            [0], [0, 1, 2], [0, Int32.max], [0, Int32.min], [0, -1, 1, -1_000_000, 1_000_000],
            [5, 6, 7], [1_000_000, 1_000_001], [Int32.min, Int32.max], [-3, -2, -1],
            [Int32.max - 1, Int32.max], [Int32.min, Int32.min + 2],
            Array(-300..<300), [0] + Array(100_000..<101_000),
        ] as [[Int32]])
    func `numbers are found wherever they lie`(numbers: [Int32]) throws {
        let values = numbers.enumerated().map { ("V\($0)", $1) }
        let enumeration = EnumProto.make("E", values)
        let pool = try pool(
            .make("a.proto", enums: [enumeration]) { $0.syntax = "proto2" })
        expectAllFound(in: pool)
        #expect(pool.tables.enumeration(0).numberSlotCount <= 4 * Int32(numbers.count) + 64)
    }

    @Test func `NullValue is known`() throws {
        #expect(try TestSet.pool().enumeration("google.protobuf.NullValue").isNullValue)
        #expect(try TestSet.pool().enumeration("gatewaytest.proto3.v1.Mood").isNullValue == false)
    }
}
