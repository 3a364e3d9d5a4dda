import ProtoRuntime
import Testing

@testable import Transcode

/// Values of paths and queries, SEMANTICS a.6.
@Suite struct ScalarTextTests {
    static let good: [(String, String, String, String)] = [
        ("proto3.v1.Scalars", "int32_value", "-1", "18 ff ff ff ff ff ff ff ff ff 01"),
        ("proto3.v1.Scalars", "int32_value", "0", "18 00"),
        (
            "proto3.v1.Scalars", "uint64_value", "18446744073709551615",
            "30 ff ff ff ff ff ff ff ff ff 01"
        ),
        ("proto3.v1.Scalars", "sint32_value", "-1", "38 01"),
        ("proto3.v1.Scalars", "fixed32_value", "1", "4d 01 00 00 00"),
        ("proto3.v1.Scalars", "double_value", "1.5", "09 00 00 00 00 00 00 f8 3f"),
        ("proto3.v1.Scalars", "double_value", "-Infinity", "09 00 00 00 00 00 00 f0 ff"),
        ("proto3.v1.Scalars", "float_value", "1e2", "15 00 00 c8 42"),
        ("proto3.v1.Scalars", "float_value", "NaN", "15 00 00 c0 7f"),
        ("proto3.v1.Scalars", "bool_value", "true", "68 01"),
        ("proto3.v1.Scalars", "bool_value", "0", "68 00"),
        ("proto3.v1.Scalars", "bool_value", "1", "68 01"),
        ("proto3.v1.Scalars", "bool_value", "false", "68 00"),
        ("proto3.v1.Scalars", "string_value", "", "72 00"),
        ("proto3.v1.Scalars", "string_value", "a\"é", "72 04 61 22 c3 a9"),
        ("proto3.v1.Scalars", "bytes_value", "AAE", "7a 02 00 01"),
        ("proto3.v1.Scalars", "bytes_value", "_-8=", "7a 02 ff ef"),
        ("proto3.v1.Scalars", "mood", "MOOD_SAD", "80 01 02"),
        ("proto3.v1.Scalars", "mood", "2", "80 01 02"),
        ("proto3.v1.Repeated", "int32_values", "5", "18 05"),
        ("proto3.v1.Repeated", "fixed64_values", "1", "51 01 00 00 00 00 00 00 00"),
        ("proto3.v1.Repeated", "moods", "MOOD_SAD", "80 01 02"),
        ("proto3.v1.Repeated", "string_values", "a", "72 01 61"),
        ("proto3.v1.WellKnown", "timestamp", "1970-01-01T00:00:01Z", "0a 02 08 01"),
        ("proto3.v1.WellKnown", "duration", "1.5s", "12 08 08 01 10 80 ca b5 ee 01"),
        (
            "proto3.v1.WellKnown", "field_mask", "fooBar,a",
            "1a 0c 0a 07 66 6f 6f 5f 62 61 72 0a 01 61"
        ),
        ("proto3.v1.WellKnown", "int64_value", "5", "62 02 08 05"),
        ("proto3.v1.WellKnown", "string_value", "a", "8a 01 03 0a 01 61"),
        ("edition2023.v1.Delimited", "time", "1970-01-01T00:00:01Z", "3b 08 01 3c"),
    ]

    @Test(arguments: good)
    func `text becomes one tag and value`(
        _ message: String, _ name: String, _ text: String, _ hex: String
    ) throws {
        let field = try Codec.field(message, name)
        let tables = try Codec.type(message).tables
        #expect(ScalarText.isScalar(field: field, tables: tables))
        var output = Codec.block([0xee])
        try ScalarText.append(Array(text.utf8).span, field: field, tables: tables, into: &output)
        #expect(Codec.hex(Codec.bytes(output)) == "ee " + hex)
    }

    static let bad: [(String, String, String, JSONFault)] = [
        ("proto3.v1.Scalars", "int32_value", "", .expectedInteger),
        ("proto3.v1.Scalars", "int32_value", "2147483648", .outOfRange),
        ("proto3.v1.Scalars", "int32_value", "1.0", .expectedInteger),
        ("proto3.v1.Scalars", "int32_value", "1e2", .expectedInteger),
        ("proto3.v1.Scalars", "int32_value", " 1", .expectedInteger),
        ("proto3.v1.Scalars", "int32_value", "+1", .expectedInteger),
        ("proto3.v1.Scalars", "int32_value", "1-", .badNumber),
        ("proto3.v1.Scalars", "bool_value", "", .expectedBool),
        ("proto3.v1.Scalars", "bool_value", "TRUE", .expectedBool),
        ("proto3.v1.Scalars", "bool_value", "truex", .expectedBool),
        ("proto3.v1.Scalars", "bool_value", "11", .expectedBool),
        ("proto3.v1.Scalars", "double_value", "x", .expectedNumber),
        ("proto3.v1.Scalars", "double_value", "1e400", .outOfRange),
        ("proto3.v1.Scalars", "double_value", "1\"", .badNumber),
        ("proto3.v1.Scalars", "mood", "SAD", .unknownEnumName),
        ("proto3.v1.Scalars", "mood", "", .expectedInteger),
        ("proto3.v1.Scalars", "bytes_value", "A", .badBase64),
        ("proto3.v1.WellKnown", "timestamp", "now", .badTimestamp),
        ("proto3.v1.WellKnown", "duration", "1", .badDuration),
        ("proto3.v1.WellKnown", "field_mask", "a_b", .badFieldMask),
        ("proto3.v1.WellKnown", "field_mask", "é", .badFieldMask),
        ("proto3.v1.WellKnown", "struct", "{}", .expectedObject),
        ("proto3.v1.WellKnown", "int64_value", "x", .expectedInteger),
    ]

    @Test(arguments: bad)
    func `bad text is refused and leaves nothing behind`(
        _ message: String, _ name: String, _ text: String, _ fault: JSONFault
    ) throws {
        let field = try Codec.field(message, name)
        let tables = try Codec.type(message).tables
        var output = Codec.block([0xee])
        var reason: JSONFault?
        do {
            try ScalarText.append(
                Array(text.utf8).span, field: field, tables: tables, into: &output)
        } catch {
            reason = error.reason
        }
        #expect(reason == fault)
        #expect(Codec.bytes(output) == [0xee])
    }

    @Test func `messages and maps cannot be bound, invalid UTF-8 neither`() throws {
        let tables = try Codec.type("proto3.v1.Maps").tables
        for (message, name) in [
            ("proto3.v1.Maps", "int32_map"), ("proto3.v1.Optionals", "scalars"),
            ("proto3.v1.WellKnown", "any"), ("proto3.v1.WellKnown", "value"),
        ] {
            #expect(!ScalarText.isScalar(field: try Codec.field(message, name), tables: tables))
        }
        let field = try Codec.field("proto3.v1.Scalars", "string_value")
        var output = OutputBlock()
        #expect(throws: ScalarTextError.self) {
            try ScalarText.append([0xff].span, field: field, tables: tables, into: &output)
        }
    }
}
