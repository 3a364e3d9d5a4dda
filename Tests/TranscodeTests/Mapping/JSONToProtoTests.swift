import ProtoRuntime
import Testing

@testable import Transcode

/// Structure rules of ProtoJSON, JSON → wire.
@Suite struct JSONToProtoTests {
    static let good: [(String, String, String)] = [
        // Scalars: zeros without presence are not written, with presence they are.
        ("proto3.v1.Scalars", "{}", ""), ("proto3.v1.Scalars", " { } ", ""),
        ("proto3.v1.Scalars", "{\"boolValue\":true}", "68 01"),
        ("proto3.v1.Scalars", "{\"boolValue\":false,\"stringValue\":\"\",\"bytesValue\":\"\"}", ""),
        ("proto3.v1.Optionals", "{\"boolValue\":false,\"stringValue\":\"\"}", "68 00 72 00"),
        ("proto3.v1.Optionals", "{\"doubleValue\":0}", "09 00 00 00 00 00 00 00 00"),
        ("proto3.v1.Scalars", "{\"doubleValue\":-0.0}", "09 00 00 00 00 00 00 00 80"),
        ("proto3.v1.Scalars", "{\"string_value\":\"hi\"}", "72 02 68 69"),
        ("proto3.v1.Scalars", "{\"string\\u0056alue\":\"hi\"}", "72 02 68 69"),
        (
            "proto3.v1.Scalars", "{\"stringValue\" :\n\"hi\" ,\t\"boolValue\": true}",
            "72 02 68 69 68 01"
        ),
        // null leaves a field unset.
        ("proto3.v1.Scalars", "{\"int32Value\":null,\"stringValue\":null}", ""),
        ("proto3.v1.Optionals", "{\"scalars\":null}", ""),
        ("proto3.v1.Repeated", "{\"int32Values\":null}", ""),
        ("proto3.v1.Maps", "{\"int32Map\":null}", ""),
        // Enums by name, alias, number; unknown numbers are kept, in closed enums too.
        ("proto3.v1.Scalars", "{\"mood\":\"MOOD_GLAD\"}", "80 01 01"),
        ("proto3.v1.Scalars", "{\"mood\":1}", "80 01 01"),
        ("proto3.v1.Scalars", "{\"mood\":1.0}", "80 01 01"),
        ("proto3.v1.Scalars", "{\"mood\":77}", "80 01 4d"),
        ("proto3.v1.Scalars", "{\"mood\":\"\\u004dOOD_SAD\"}", "80 01 02"),
        (
            "proto3.v1.Scalars", "{\"mood\":\"MOOD_NEGATIVE\"}",
            "80 01 ff ff ff ff ff ff ff ff ff 01"
        ),
        ("proto2.v1.Scalars", "{\"level\":77}", "80 01 4d"),
        // Unknown names are ignored by default: field unset, element dropped, entry dropped.
        ("proto3.v1.Scalars", "{\"mood\":\"MOOD_X\",\"boolValue\":true}", "68 01"),
        ("proto3.v1.Repeated", "{\"moods\":[\"MOOD_X\",2,\"MOOD_Y\"]}", "82 01 01 02"),
        ("proto3.v1.Repeated", "{\"moods\":[\"MOOD_X\"]}", ""),
        ("proto3.v1.Unpacked", "{\"moods\":[1,\"MOOD_X\",2]}", "40 01 40 02"),
        ("proto3.v1.Maps", "{\"moodMap\":{\"a\":\"MOOD_X\",\"b\":2}}", "82 01 05 0a 01 62 10 02"),
        // Repeated: packed and expanded as the tables say.
        ("proto3.v1.Repeated", "{\"int32Values\":[]}", ""),
        ("proto3.v1.Repeated", "{\"int32Values\":[1,0, \"2\" ]}", "1a 03 01 00 02"),
        ("proto3.v1.Repeated", "{\"stringValues\":[\"\",\"a\"]}", "72 00 72 01 61"),
        (
            "proto3.v1.Repeated", "{\"scalars\":[{},{\"boolValue\":true}]}",
            "8a 01 00 8a 01 02 68 01"
        ),
        ("proto3.v1.Unpacked", "{\"int32Values\":[1,0]}", "18 01 18 00"),
        ("proto2.v1.Repeated", "{\"int32Values\":[1,0]}", "18 01 18 00"),
        ("proto2.v1.Packed", "{\"int32Values\":[1,0]}", "12 02 01 00"),
        // Maps of every kind of key.
        (
            "proto3.v1.Maps", "{\"int32Map\":{\"-1\":0}}",
            "0a 0d 08 ff ff ff ff ff ff ff ff ff 01 10 00"
        ),
        (
            "proto3.v1.Maps", "{\"uint64Map\":{\"18446744073709551615\":1}}",
            "22 0d 08 ff ff ff ff ff ff ff ff ff 01 10 01"
        ),
        ("proto3.v1.Maps", "{\"sint32Map\":{\"-1\":1}}", "2a 04 08 01 10 02"),
        ("proto3.v1.Maps", "{\"fixed32Map\":{\"1\":2}}", "3a 0a 0d 01 00 00 00 15 02 00 00 00"),
        (
            "proto3.v1.Maps", "{\"boolMap\":{\"true\":false,\"false\":true}}",
            "5a 04 08 01 10 00 5a 04 08 00 10 01"
        ),
        ("proto3.v1.Maps", "{\"boolMap\":{\"tru\\u0065\":true}}", "5a 04 08 01 10 01"),
        ("proto3.v1.Maps", "{\"stringMap\":{\"\":\"\"}}", "62 04 0a 00 12 00"),
        ("proto3.v1.Maps", "{\"scalarsMap\":{\"a\":{}}}", "8a 01 05 0a 01 61 12 00"),
        ("proto3.v1.Maps", "{\"int32Map\":{\"\\u0031\":1}}", "0a 04 08 01 10 01"),
        // Oneofs: a null member does not count, a default is present.
        ("proto3.v1.Oneofs", "{\"number\":0}", "10 00"),
        ("proto3.v1.Oneofs", "{\"text\":\"\"}", "1a 00"),
        ("proto3.v1.Oneofs", "{\"text\":null,\"number\":1}", "10 01"),
        ("proto3.v1.Oneofs", "{\"number\":1,\"text\":null}", "10 01"),
        ("proto3.v1.Oneofs", "{\"scalars\":{}}", "32 00"),
        ("proto3.v1.Oneofs", "{\"nothing\":null}", "40 00"),
        ("proto3.v1.Oneofs", "{\"nothing\":\"NULL_VALUE\"}", "40 00"),
        ("proto3.v1.Oneofs", "{\"value\":null}", "4a 02 08 00"),
        ("proto3.v1.Oneofs", "{\"number\":1,\"ratio\":2}", "10 01 61 00 00 00 00 00 00 00 40"),
        // Groups and delimited fields.
        (
            "proto2.v1.Groups", "{\"single\":{\"number\":1,\"deep\":{\"text\":\"a\"}}}",
            "0b 10 01 1b 22 01 61 1c 0c"
        ),
        ("proto2.v1.Groups", "{\"manyones\":[{},{\"number\":1}]}", "2b 2c 2b 08 01 2c"),
        ("proto2.v1.Groups", "{\"chosen\":{},\"after\":5}", "33 34 c0 3e 05"),
        (
            "edition2023.v1.Delimited", "{\"delimited\":{\"number\":1,\"part\":{}}}",
            "0b 08 01 13 14 0c"
        ),
        ("edition2023.v1.Delimited", "{\"time\":\"1970-01-01T00:00:01Z\"}", "3b 08 01 3c"),
        // Tags of one to five bytes.
        ("proto3.v1.Names", "{\"fieldName1\":1,\"field4name5\":1}", "08 01 80 01 01"),
        ("proto3.v1.Names", "{\"FIELDNAME7\":1}", "80 80 01 01"),
        ("proto3.v1.Names", "{\"@type name\":1}", "f8 ff ff 7f 01"),
        ("proto3.v1.Names", "{\"with \\\"quotes\\\" \\\\ and é\":1}", "80 80 80 80 01 01"),
        ("proto3.v1.Names", "{\"highestNumber\":1}", "f8 ff ff ff 0f 01"),
        ("proto3.v1.Names", "{\"_field_name2\":1,\"FieldName8\":1}", "10 01 f8 ff 7f 01"),
        // Any order, and a prediction that fails.
        (
            "proto3.v1.Scalars", "{\"boolValue\":true,\"int32Value\":1,\"int64Value\":2}",
            "68 01 18 01 20 02"
        ),
        ("proto2.v1.Required", "{\"number\":1,\"text\":\"\",\"scalars\":{}}", "08 01 12 00 1a 00"),
    ]

    @Test(arguments: good)
    func `legal JSON becomes exactly these bytes`(
        _ type: String, _ json: String, _ hex: String
    ) throws {
        #expect(Codec.hex(try Codec.wire(json, type)) == hex)
    }

    static let bad: [(String, String, JSONFault, String)] = [
        ("proto3.v1.Scalars", "null", .expectedObject, ""),
        ("proto3.v1.Scalars", "[]", .expectedObject, ""),
        ("proto3.v1.Scalars", "\"x\"", .expectedObject, ""),
        ("proto3.v1.Scalars", "1", .expectedObject, ""),
        ("proto3.v1.Scalars", "{\"boolValue\":\"true\"}", .expectedBool, "boolValue"),
        ("proto3.v1.Scalars", "{\"boolValue\":1}", .expectedBool, "boolValue"),
        ("proto3.v1.Scalars", "{\"stringValue\":1}", .expectedString, "stringValue"),
        ("proto3.v1.Scalars", "{\"stringValue\":[\"a\"]}", .expectedString, "stringValue"),
        ("proto3.v1.Scalars", "{\"mood\":[\"MOOD_SAD\"]}", .expectedEnum, "mood"),
        ("proto3.v1.Scalars", "{\"mood\":true}", .expectedEnum, "mood"),
        ("proto3.v1.Scalars", "{\"mood\":MOOD_SAD}", .expectedEnum, "mood"),
        ("proto3.v1.Scalars", "{\"mood\":1.5}", .notInteger, "mood"),
        ("proto3.v1.Scalars", "{\"mood\":2147483648}", .outOfRange, "mood"),
        ("proto3.v1.Repeated", "{\"int32Values\":1}", .expectedArray, "int32Values"),
        ("proto3.v1.Repeated", "{\"int32Values\":{}}", .expectedArray, "int32Values"),
        ("proto3.v1.Repeated", "{\"int32Values\":[1,null]}", .nullNotAllowed, "int32Values[1]"),
        ("proto3.v1.Repeated", "{\"scalars\":[null]}", .nullNotAllowed, "scalars[0]"),
        ("proto3.v1.Repeated", "{\"int32Values\":[1,]}", .expectedInteger, "int32Values[1]"),
        ("proto3.v1.Repeated", "{\"int32Values\":[[1]]}", .expectedInteger, "int32Values[0]"),
        (
            "proto3.v1.Repeated", "{\"scalars\":[{},{\"mood\":{}}]}", .expectedEnum,
            "scalars[1].mood"
        ),
        ("proto3.v1.Maps", "{\"stringMap\":[]}", .expectedObject, "stringMap"),
        ("proto3.v1.Maps", "{\"stringMap\":{\"a\":null}}", .nullNotAllowed, "stringMap.a"),
        ("proto3.v1.Maps", "{\"stringMap\":{\"a b\":1}}", .expectedString, "stringMap[\"a b\"]"),
        (
            "proto3.v1.Maps", "{\"stringMap\":{\"a\":\"\",\"\\u0061\":\"\"}}", .duplicateMapKey,
            "stringMap[\"\\u0061\"]"
        ),
        ("proto3.v1.Maps", "{\"int32Map\":{\"1\":1,\"1\":2}}", .duplicateMapKey, "int32Map.1"),
        ("proto3.v1.Maps", "{\"int32Map\":{\"x\":1}}", .expectedInteger, "int32Map.x"),
        ("proto3.v1.Maps", "{\"int32Map\":{\"\":1}}", .expectedInteger, "int32Map[\"\"]"),
        ("proto3.v1.Maps", "{\"int32Map\":{\"1.0\":1}}", .expectedInteger, "int32Map[\"1.0\"]"),
        ("proto3.v1.Maps", "{\"int32Map\":{\"1e1\":1}}", .expectedInteger, "int32Map.1e1"),
        ("proto3.v1.Maps", "{\"int32Map\":{\"2147483648\":1}}", .outOfRange, "int32Map.2147483648"),
        ("proto3.v1.Maps", "{\"int32Map\":{1:1}}", .expectedName, "int32Map"),
        ("proto3.v1.Maps", "{\"boolMap\":{\"1\":true}}", .expectedBool, "boolMap.1"),
        ("proto3.v1.Maps", "{\"boolMap\":{\"True\":true}}", .expectedBool, "boolMap.True"),
        ("proto3.v1.Scalars", "{\"int32Value\":1,\"int32Value\":1}", .duplicateField, "int32Value"),
        (
            "proto3.v1.Scalars", "{\"int32Value\":1,\"int32_value\":1}", .duplicateField,
            "int32_value"
        ),
        (
            "proto3.v1.Scalars", "{\"int32Value\":null,\"int32Value\":1}", .duplicateField,
            "int32Value"
        ),
        (
            "proto3.v1.Repeated", "{\"int32Values\":[1],\"int32Values\":[2]}", .duplicateField,
            "int32Values"
        ),
        ("proto3.v1.Oneofs", "{\"number\":1,\"text\":\"a\"}", .oneofTwice, "text"),
        ("proto3.v1.Oneofs", "{\"nothing\":null,\"text\":\"a\"}", .oneofTwice, "text"),
        ("proto3.v1.Oneofs", "{\"again\":{\"number\":1,\"mood\":1}}", .oneofTwice, "again.mood"),
        ("proto2.v1.Required", "{\"number\":1,\"scalars\":{}}", .missingRequired, "text"),
        (
            "proto2.v1.Required", "{\"number\":1,\"text\":null,\"scalars\":{}}", .missingRequired,
            "text"
        ),
        ("proto2.v1.Everything", "{\"required\":{}}", .missingRequired, "required.number"),
        ("proto2.v1.Groups", "{\"single\":1}", .expectedObject, "single"),
        ("proto2.v1.Set", "{}", .messageSet, ""),
        (
            "proto3.v1.Recursive", "{\"child\":{\"children\":[{},{\"level\":\"x\"}]}}",
            .expectedInteger, "child.children[1].level"
        ),
        (
            "proto3.v1.Recursive", "{\"named\":{\"k.1\":{\"level\":{}}}}", .expectedInteger,
            "named[\"k.1\"].level"
        ),
    ]

    @Test(arguments: bad)
    func `what is not legal is refused with its path`(
        _ type: String, _ json: String, _ fault: JSONFault, _ path: String
    ) throws {
        let error = try Codec.refusal(json, type)
        #expect(error?.reason == fault)
        #expect(error?.path == path)
        #expect(error?.isInternal == false)
    }

    @Test func `an error says where, what was expected and what was found`() throws {
        let error = try Codec.refusal("{\"mood\" : [1]}", "proto3.v1.Scalars")
        #expect(error?.offset == 10)
        #expect(error?.message == "expected the name or number of an enum value, found an array")
        let range = try Codec.refusal("{\"int32Value\":3e9}", "proto3.v1.Scalars")
        #expect(
            range?.description == "int32Value: number out of range of int32, found 3e9 (byte 17)")
        let end = try Codec.refusal("{\"int32Value\":", "proto3.v1.Scalars")
        #expect(end?.message == "expected an integer, found the end of the document")
    }

    @Test(
        arguments: [
            ("{\"int32Value\":01}", "expected a number as JSON writes it, found 01"),
            ("{\"int32Value\":1.5}", "expected an integer without a fraction, found 1.5"),
            ("{\"int32Value\":\"1.5\"}", "expected an integer without a fraction, found \"1.5\""),
            ("{\"uint64Value\":-1}", "number out of range of uint64, found -1"),
            ("{\"floatValue\":\"1e99\"}", "number out of range of float, found \"1e99\""),
            ("{\"bytesValue\":\"a*b\"}", "expected base64, found \"a*b\""),
            (
                "{\"stringValue\":null,\"mood\":\"X\"}",
                "expected a value of gatewaytest.proto3.v1.Mood, found \"X\""
            ),
            ("{\"boolValue\":\"true\"}", "expected true or false, found a string"),
            ("{\"stringValue\":\"a\" \"b\"}", "expected ',' or '}', found a string"),
        ])
    func `a value that does not fit is quoted`(_ json: String, _ message: String) throws {
        let strict = JSONOptions(unknownFields: .reject)
        #expect(try Codec.refusal(json, "proto3.v1.Scalars", strict)?.message == message)
    }

    @Test func `unknown fields are ignored or refused`() throws {
        let json =
            "{\"u\":{\"a\":[1,{\"b\":null}]},\"level\":1,\"child\":{\"v\":\"\\ud83d\\ude00\"}}"
        #expect(try Codec.wire(json, "proto3.v1.Recursive") == [8, 1, 0x12, 0])
        let strict = JSONOptions(unknownFields: .reject)
        #expect(try Codec.refusal(json, "proto3.v1.Recursive", strict)?.path == "u")
        let nested = "{\"level\":1,\"child\":{\"v\":1}}"
        let error = try Codec.refusal(nested, "proto3.v1.Recursive", strict)
        #expect(error?.reason == .unknownField)
        #expect(error?.path == "child.v")
        #expect(error?.offset == 20)
        let mood = try Codec.refusal("{\"mood\":\"MOOD_X\"}", "proto3.v1.Scalars", strict)
        #expect(mood?.reason == .unknownEnumName)
        #expect(mood?.path == "mood")
    }

    @Test func `stripped enum names are read where the option says so`() throws {
        let stripped = JSONOptions(unknownFields: .reject, enums: .stripped)
        #expect(
            try Codec.wire("{\"mood\":\"SAD\"}", "proto3.v1.Scalars", stripped) == [0x80, 1, 2])
        #expect(
            try Codec.wire("{\"mood\":\"MOOD_SAD\"}", "proto3.v1.Scalars", stripped) == [
                0x80, 1, 2,
            ])
        #expect(try Codec.refusal("{\"mood\":\"AD\"}", "proto3.v1.Scalars", stripped) != nil)
        let plain = JSONOptions(unknownFields: .reject)
        #expect(try Codec.refusal("{\"mood\":\"SAD\"}", "proto3.v1.Scalars", plain) != nil)
    }

    @Test(arguments: [
        ("proto3.v1.Recursive", "{\"child\":", "}"), ("google.protobuf.Value", "[", "]"),
        ("google.protobuf.Value", "{\"a\":", "}"), ("proto3.v1.Recursive", "{\"u\":", "}"),
        ("proto2.v1.Everything", "{\"unknown\":", "}"),
    ])
    func `a hundred levels are read, one more is refused`(
        _ type: String, _ open: String, _ close: String
    ) throws {
        func nested(_ levels: Int) -> String {
            String(repeating: open, count: levels - 1) + "{}"
                + String(repeating: close, count: levels - 1)
        }
        #expect(try Codec.refusal(nested(100), type) == nil)
        #expect(try Codec.refusal(nested(101), type)?.reason == .tooDeep)
        #expect(try Codec.refusal(nested(100_000), type)?.reason == .tooDeep)
    }

    @Test func `maps of many keys nest, and a duplicate is found at every level`() throws {
        func map(_ last: String) -> String {
            "{" + (0..<40).map { "\"k\($0)\":{}" }.joined(separator: ",") + last + "}"
        }
        func outer(_ last: String, inner: String = "") -> String {
            let entries = (0..<40).map { index in
                "\"\(index)\":{\"named\":\(map(index == 39 ? inner : ""))}"
            }
            return "{\"recursiveMap\":{" + entries.joined(separator: ",") + last + "}}"
        }
        let wire = try Codec.wire(outer(""), "proto3.v1.Maps")
        #expect(try Codec.json(wire, "proto3.v1.Maps") == outer(""))
        let inner = try Codec.refusal(outer("", inner: ",\"k7\":{}"), "proto3.v1.Maps")
        #expect(inner?.reason == .duplicateMapKey)
        #expect(inner?.path == "recursiveMap.39.named.k7")
        let last = try Codec.refusal(outer(",\"7\":{}"), "proto3.v1.Maps")
        #expect(last?.reason == .duplicateMapKey)
        #expect(last?.path == "recursiveMap.7")
        // On the wire the last entry of a key counts.
        let twice = try Codec.json(wire + [0x92, 1, 4, 8, 7, 0x12, 0], "proto3.v1.Maps")
        #expect(twice.contains("\"7\":{},\"8\":{\"named\""))
    }

    @Test func `a map of many keys takes linear time and its one duplicate is found`() throws {
        let entries = (0..<20_000).map { "\"key\($0)\":\"\"" }
        let all = "{\"stringMap\":{" + entries.joined(separator: ",")
        #expect(try Codec.refusal(all + "}}", "proto3.v1.Maps") == nil)
        let error = try Codec.refusal(all + ",\"key9999\":\"\"}}", "proto3.v1.Maps")
        #expect(error?.reason == .duplicateMapKey)
        #expect(error?.path == "stringMap.key9999")
    }

    @Test func `one field is read alone, as a body`() throws {
        let field = try Codec.field("proto3.v1.Repeated", "int32_values")
        let tables = try Codec.type("proto3.v1.Repeated").tables
        let codec = JSONToProto(tables, options: JSONOptions())
        for (json, hex) in [("[1,2]", "1a 02 01 02"), ("null", ""), (" [] ", "")] {
            var input = Codec.block(Array(json.utf8))
            input.seal()
            var output = OutputBlock()
            try codec.encodeField(input, in: 0..<input.count, field: field, into: &output)
            #expect(Codec.hex(Codec.bytes(output)) == hex)
        }
        var bad = Codec.block(Array("[1] 2".utf8))
        bad.seal()
        var output = OutputBlock()
        #expect(throws: JSONError.self) {
            try codec.encodeField(bad, in: 0..<5, field: field, into: &output)
        }
    }
}
