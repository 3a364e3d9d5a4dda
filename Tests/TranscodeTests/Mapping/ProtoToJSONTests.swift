import ProtoRuntime
import Testing

@testable import Transcode

/// Structure rules of ProtoJSON, wire → JSON.
@Suite struct ProtoToJSONTests {
    static let good: [(String, String, String)] = [
        ("proto3.v1.Scalars", "", "{}"),
        ("proto3.v1.Scalars", "18 01 72 02 68 69", "{\"int32Value\":1,\"stringValue\":\"hi\"}"),
        ("proto3.v1.Scalars", "20 ff ff ff ff ff ff ff ff ff 01", "{\"int64Value\":\"-1\"}"),
        ("proto3.v1.Scalars", "18 ff ff ff ff 0f", "{\"int32Value\":-1}"),
        ("proto3.v1.Scalars", "28 ff ff ff ff ff 01", "{\"uint32Value\":4294967295}"),
        ("proto3.v1.Scalars", "38 01 40 02", "{\"sint32Value\":-1,\"sint64Value\":\"1\"}"),
        ("proto3.v1.Scalars", "68 80 01", "{\"boolValue\":true}"),
        ("proto3.v1.Scalars", "80 01 01", "{\"mood\":\"MOOD_HAPPY\"}"),
        ("proto3.v1.Scalars", "80 01 4d", "{\"mood\":77}"),
        ("proto3.v1.Optionals", "18 00", "{\"int32Value\":0}"),
        // Defaults that stand on the wire are not printed where there is no presence.
        ("proto3.v1.Scalars", "18 00 20 00 68 00 72 00 80 01 00", "{}"),
        ("proto3.v1.Scalars", "09 00 00 00 00 00 00 00 00 18 05", "{\"int32Value\":5}"),
        ("proto3.v1.Scalars", "09 00 00 00 00 00 00 00 80", "{\"doubleValue\":-0.0}"),
        ("proto3.v1.Scalars", "09 00 00 00 00 00 00 f0 3f", "{\"doubleValue\":1}"),
        ("proto3.v1.Scalars", "18 01 18 00", "{}"),
        // In however many bytes they stand.
        ("proto3.v1.Scalars", "18 80 00 20 80 80 80 00 68 80 00 72 80 00 80 01 80 80 00", "{}"),
        ("proto3.v1.Scalars", "18 80 80 80 80 10 28 80 80 80 80 20", "{}"),
        ("proto3.v1.Scalars", "20 80 80 80 80 10", "{\"int64Value\":\"4294967296\"}"),
        ("proto3.v1.Scalars", "18 80 01 28 80 02", "{\"int32Value\":128,\"uint32Value\":256}"),
        ("proto3.v1.Scalars", "68 80 80 80 80 10", "{\"boolValue\":true}"),
        ("proto3.v1.Optionals", "18 80 00", "{\"int32Value\":0}"),
        ("proto3.v1.Repeated", "1a 03 01 02 03", "{\"int32Values\":[1,2,3]}"),
        ("proto3.v1.Repeated", "1a 00", "{}"),
        ("proto3.v1.Repeated", "72 00 72 01 61", "{\"stringValues\":[\"\",\"a\"]}"),
        ("proto3.v1.Maps", "0a 04 08 01 10 02 0a 02 08 03", "{\"int32Map\":{\"1\":2,\"3\":0}}"),
        ("proto3.v1.Maps", "62 00", "{\"stringMap\":{\"\":\"\"}}"),
        ("proto3.v1.Maps", "5a 02 08 01", "{\"boolMap\":{\"true\":false}}"),
        (
            "proto3.v1.Maps", "9a 01 03 0a 01 61",
            "{\"timestampMap\":{\"a\":\"1970-01-01T00:00:00Z\"}}"
        ),
        (
            "proto2.v1.Groups", "0b 10 01 1b 22 01 61 1c 0c",
            "{\"single\":{\"number\":1,\"deep\":{\"text\":\"a\"}}}"
        ),
        ("proto2.v1.Groups", "2b 2c 2b 08 01 2c", "{\"manyones\":[{},{\"number\":1}]}"),
        ("proto2.v1.Groups", "2b 08 01 ac 00", "{\"manyones\":[{\"number\":1}]}"),
        ("proto3.v1.Oneofs", "40 00", "{\"nothing\":null}"),
        ("proto3.v1.Names", "f8 ff ff ff 0f 01", "{\"highestNumber\":1}"),
        ("proto3.v1.Names", "80 80 80 80 01 01", "{\"with \\\"quotes\\\" \\\\ and é\":1}"),
        // Unknown fields of every wire type are passed over, known numbers with another type too.
        ("proto3.v1.Recursive", "c0 3e 01 08 01", "{\"level\":1}"),
        (
            "proto3.v1.Recursive",
            "c1 3e 01 02 03 04 05 06 07 08 c2 3e 01 61 c5 3e 01 02 03 04 08 01", "{\"level\":1}"
        ),
        ("proto3.v1.Recursive", "c3 3e 08 01 c3 3e c4 3e c4 3e 08 01", "{\"level\":1}"),
        ("proto3.v1.Recursive", "0d 01 02 03 04 0a 00 10 05 08 01", "{\"level\":1}"),
        // Order and number of occurrences.
        ("proto3.v1.Scalars", "68 01 18 01", "{\"int32Value\":1,\"boolValue\":true}"),
        ("proto3.v1.Scalars", "18 01 18 02", "{\"int32Value\":2}"),
        ("proto3.v1.Repeated", "1a 01 01 18 02 1a 02 03 04", "{\"int32Values\":[1,2,3,4]}"),
        ("proto3.v1.Repeated", "18 01 1a 01 02", "{\"int32Values\":[1,2]}"),
        (
            "proto3.v1.Repeated", "1a 01 01 72 01 61 18 02 72 01 62",
            "{\"int32Values\":[1,2],\"stringValues\":[\"a\",\"b\"]}"
        ),
        ("proto2.v1.Repeated", "1a 02 01 02 18 03", "{\"int32Values\":[1,2,3]}"),
        (
            "proto3.v1.Recursive", "12 02 08 01 12 04 12 02 08 02",
            "{\"child\":{\"level\":1,\"child\":{\"level\":2}}}"
        ),
        (
            "proto3.v1.Recursive", "12 02 08 01 12 02 08 02 08 09",
            "{\"level\":9,\"child\":{\"level\":2}}"
        ),
        ("proto3.v1.Oneofs", "10 01 1a 01 61", "{\"text\":\"a\"}"),
        ("proto3.v1.Oneofs", "1a 01 61 10 01", "{\"number\":1}"),
        (
            "proto3.v1.Recursive", "2a 02 08 01 32 02 08 02 2a 04 12 02 08 03",
            "{\"left\":{\"child\":{\"level\":3}}}"
        ),
        ("proto3.v1.Maps", "0a 04 08 01 10 02 0a 04 08 01 10 03", "{\"int32Map\":{\"1\":3}}"),
        ("proto3.v1.Maps", "0a 04 10 02 08 01", "{\"int32Map\":{\"1\":2}}"),
        ("proto3.v1.Maps", "0a 06 08 01 10 02 10 05", "{\"int32Map\":{\"1\":5}}"),
        (
            "proto3.v1.Maps", "0a 04 08 01 10 02 12 04 08 01 10 02 0a 04 08 03 10 04",
            "{\"int32Map\":{\"1\":2,\"3\":4},\"int64Map\":{\"1\":\"2\"}}"
        ),
        ("proto3.v1.Recursive", "88 80 00 05", "{\"level\":5}"),
        // What cannot be printed may be overwritten, and a message completed.
        (
            "proto2.v1.Required", "08 01 12 00 1a 00 22 02 08 02 22 04 12 00 1a 00",
            "{\"number\":1,\"text\":\"\",\"scalars\":{},\"again\":{\"number\":2,\"text\":\"\",\"scalars\":{}}}"
        ),
        (
            "proto3.v1.WellKnown", "0a 07 08 ff ff ff ff ff 7f 0a 02 08 01",
            "{\"timestamp\":\"1970-01-01T00:00:01Z\"}"
        ),
        // Unknown numbers of closed enums are no values.
        ("proto2.v1.Scalars", "80 01 4d", "{}"),
        ("proto2.v1.Scalars", "80 01 05 80 01 4d", "{\"level\":\"LEVEL_LOW\"}"),
        ("proto2.v1.Packed", "32 03 05 4d 06", "{\"levels\":[\"LEVEL_LOW\",\"LEVEL_MIDDLE\"]}"),
        ("proto2.v1.Packed", "32 01 4d", "{}"),
        (
            "proto2.v1.Maps", "0a 05 0a 01 61 10 4d 0a 05 0a 01 62 10 01",
            "{\"ranks\":{\"b\":\"RANK_FIRST\"}}"
        ),
        ("proto2.v1.Oneofs", "08 01 20 4d", "{\"number\":1}"),
    ]

    static let shortEscapes: [UInt8: String] = [
        8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: "\\\"", 92: "\\\\",
    ]

    @Test(arguments: 0..<128 as Range<UInt8>)
    func `a character is escaped where RFC 8259 wants it`(_ byte: UInt8) throws {
        let text = [0x61, byte, 0x62]
        let hex = String(byte, radix: 16)
        let long = byte < 32 ? "\\u" + String(repeating: "0", count: 4 - hex.count) + hex : nil
        let expected =
            ProtoToJSONTests.shortEscapes[byte] ?? long ?? String(UnicodeScalar(byte))
        let json = try Codec.json([0x72, 0x03] + text, "proto3.v1.Scalars")
        #expect(json == "{\"stringValue\":\"a\(expected)b\"}")
    }

    @Test(arguments: good)
    func `legal wire bytes become exactly this JSON`(
        _ type: String, _ hex: String, _ json: String
    ) throws {
        #expect(try Codec.json(hex, type) == json)
    }

    static let bad: [(String, String, JSONFault, String)] = [
        ("proto3.v1.Scalars", "18", .wireTruncated, "int32Value"),
        ("proto3.v1.Scalars", "18 80", .wireTruncated, ""),
        ("proto3.v1.Scalars", "18 80 80 80 80 80 80 80 80 80 80 01", .wireVarint, ""),
        ("proto3.v1.Scalars", "09 01", .wireTruncated, ""),
        ("proto3.v1.Scalars", "15 01", .wireTruncated, ""),
        ("proto3.v1.Scalars", "72 05 61", .wireTruncated, ""),
        ("proto3.v1.Scalars", "72 80 80 80 80 08", .wireTruncated, ""),
        ("proto3.v1.Scalars", "72 80 80 80 80 80 80 80 80 80 01", .wireTruncated, ""),
        ("proto3.v1.Scalars", "72 fe ff ff ff ff ff ff ff ff 01", .wireTruncated, ""),
        ("proto3.v1.Recursive", "12 fe ff ff ff ff ff ff ff ff 01", .wireTruncated, ""),
        ("proto3.v1.Recursive", "c2 3e fe ff ff ff ff ff ff ff ff 01", .wireTruncated, ""),
        ("proto3.v1.Repeated", "1a fe ff ff ff ff ff ff ff ff 01", .wireTruncated, ""),
        ("proto3.v1.Repeated", "1a 80 80 80 80 08", .wireTruncated, ""),
        ("proto3.v1.Repeated", "1a 02 01 80", .wireTruncated, ""),
        ("proto3.v1.Repeated", "0a 07 01 02 03 04 05 06 07", .wireTruncated, ""),
        ("proto3.v1.Maps", "0a fe ff ff ff ff ff ff ff ff 01", .wireTruncated, ""),
        ("proto3.v1.Maps", "62 03 0a 05 61", .wireTruncated, ""),
        ("proto3.v1.Scalars", "00", .wireTag, ""), ("proto3.v1.Scalars", "07", .wireTag, ""),
        ("proto3.v1.Scalars", "0f", .wireTag, ""),
        ("proto3.v1.Scalars", "80 80 80 80 10", .wireTag, ""),
        ("proto3.v1.Scalars", "0c", .wireGroup, ""),
        ("proto3.v1.Recursive", "c3 3e cc 3e", .wireGroup, ""),
        ("proto3.v1.Recursive", "c3 3e", .wireTruncated, ""),
        ("proto2.v1.Groups", "0b 10 01", .wireTruncated, ""),
        ("proto2.v1.Groups", "0b 10 01 14", .wireGroup, ""),
        ("proto3.v1.Scalars", "72 01 ff", .invalidUTF8, "stringValue"),
        ("proto3.v1.Repeated", "72 01 61 72 01 ff", .invalidUTF8, "stringValues[1]"),
        ("proto3.v1.Recursive", "12 04 1a 02 08 80", .wireTruncated, ""),
        ("proto2.v1.Scalars", "72 02 c3 28", .invalidUTF8, "stringValue"),
        ("proto2.v1.Required", "08 01", .missingRequired, "text"),
        ("proto2.v1.Everything", "1a 02 08 01", .missingRequired, "required.text"),
        ("proto2.v1.Set", "", .messageSet, ""),
    ]

    @Test(arguments: bad)
    func `broken wire bytes are an error of the upstream`(
        _ type: String, _ hex: String, _ fault: JSONFault, _ path: String
    ) throws {
        let error = try Codec.refusal(wire: Codec.bytes(hex: hex), type)
        #expect(error?.reason == fault)
        #expect(error?.isInternal == true)
        if !path.isEmpty { #expect(error?.path == path) }
    }

    @Test(arguments: [
        ("12 02 08 01 08 09 12 03 08 02 78", "child", 10),
        ("08 01 12 00 08 02 12 05 12 03 12 05 08", "child.child.child", 10),
        ("12 00 08 01 1a 00 1a 02 08 80", "children[1].level", 8),
        ("12 00 08 01 78", "", 4),
    ])
    func `broken bytes are found in a message that is out of order`(
        _ hex: String, _ path: String, _ offset: Int
    ) throws {
        let error = try Codec.refusal(wire: Codec.bytes(hex: hex), "proto3.v1.Recursive")
        #expect(error?.reason == .wireTruncated)
        #expect(error?.path == path)
        #expect(error?.offset == offset)
    }

    @Test func `an empty message in a block without memory is one all the same`() throws {
        let type = try Codec.type("proto2.v1.Required")
        var output = OutputBlock()
        #expect(throws: JSONError.self) {
            try ProtoToJSON(type.tables, options: JSONOptions()).format(
                OutputBlock(), in: 0..<0, as: type.index, into: &output)
        }
    }

    @Test func `options choose names, enums, numbers and defaults`() throws {
        let hex = "18 01 20 02 80 01 02"
        let type = "proto3.v1.Scalars"
        #expect(
            try Codec.json(hex, type, JSONOptions(names: .proto))
                == "{\"int32_value\":1,\"int64_value\":\"2\",\"mood\":\"MOOD_SAD\"}")
        #expect(
            try Codec.json(hex, type, JSONOptions(int64: .number))
                == "{\"int32Value\":1,\"int64Value\":2,\"mood\":\"MOOD_SAD\"}")
        #expect(
            try Codec.json(hex, type, JSONOptions(enums: .number))
                == "{\"int32Value\":1,\"int64Value\":\"2\",\"mood\":2}")
        #expect(
            try Codec.json(hex, type, JSONOptions(enums: .stripped))
                == "{\"int32Value\":1,\"int64Value\":\"2\",\"mood\":\"SAD\"}")
        #expect(
            try Codec.json("18 01", type, JSONOptions(defaults: .emit))
                == "{\"doubleValue\":0,\"floatValue\":0,\"int32Value\":1,\"int64Value\":\"0\",\"uint32Value\":0,\"uint64Value\":\"0\",\"sint32Value\":0,\"sint64Value\":\"0\",\"fixed32Value\":0,\"fixed64Value\":\"0\",\"sfixed32Value\":0,\"sfixed64Value\":\"0\",\"boolValue\":false,\"stringValue\":\"\",\"bytesValue\":\"\",\"mood\":\"MOOD_UNSPECIFIED\"}"
        )
        // Nothing with presence is made up.
        #expect(try Codec.json("", "proto3.v1.Optionals", JSONOptions(defaults: .emit)) == "{}")
        #expect(
            try Codec.json("", "proto3.v1.Oneofs", JSONOptions(defaults: .emit))
                == "{\"before\":\"\"}")
        #expect(
            try Codec.json("", "proto3.v1.Recursive", JSONOptions(defaults: .emit))
                == "{\"level\":0,\"children\":[],\"named\":{}}")
    }

    @Test func `indentation spreads over lines`() throws {
        let hex = "12 00 1a 02 08 01 1a 00 22 05 0a 01 61 12 00"
        let json = try Codec.json(hex, "proto3.v1.Recursive", JSONOptions(indent: 2))
        #expect(
            json == """
                {
                  "child": {},
                  "children": [
                    {
                      "level": 1
                    },
                    {}
                  ],
                  "named": {
                    "a": {}
                  }
                }
                """)
        #expect(try Codec.json("", "proto3.v1.Recursive", JSONOptions(indent: 2)) == "{}")
        let tricky = try Codec.json(
            "0a 04 7b 22 3a 5c", "google.protobuf.StringValue", JSONOptions(indent: 2))
        #expect(tricky == "\"{\\\":\\\\\"")
    }

    @Test(arguments: [([0x12], 100), ([0x1a], 100), ([0x2a], 100)] as [([UInt8], Int)])
    func `a hundred levels are printed, one more is refused`(_ tag: [UInt8], _ limit: Int) throws {
        func nested(_ levels: Int) -> [UInt8] {
            var wire: [UInt8] = []
            for _ in 1..<levels {
                var length: [UInt8] = []
                var rest = wire.count
                repeat {
                    length.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
                    rest >>= 7
                } while rest > 0
                wire = tag + length + wire
            }
            return wire
        }
        #expect(try Codec.refusal(wire: nested(limit), "proto3.v1.Recursive") == nil)
        #expect(
            try Codec.refusal(wire: nested(limit + 1), "proto3.v1.Recursive")?.reason == .tooDeep)
        #expect(try Codec.refusal(wire: nested(5_000), "proto3.v1.Recursive")?.reason == .tooDeep)
        let groups = [UInt8](repeating: 0xc3, count: 1) + [0x3e]
        let open = Array(repeatElement(groups, count: 10_000).joined())
        #expect(try Codec.refusal(wire: open, "proto3.v1.Recursive")?.reason == .tooDeep)
    }

    @Test func `messages out of order at every level take no more than twice the time`() throws {
        var wire: [UInt8] = [8, 1]
        for _ in 0..<90 {
            guard wire.count < 16_000 else { break }
            let count = wire.count
            let length =
                count < 128 ? [UInt8(count)] : [UInt8(count & 127) | 128, UInt8(count >> 7)]
            wire = [0x12] + length + wire + [8, 1]
        }
        let json = try Codec.json(wire, "proto3.v1.Recursive")
        #expect(json.hasPrefix("{\"level\":1,\"child\":{\"level\":1,\"child\":{"))
    }

    @Test func `one field is printed alone, with its default when absent`() throws {
        let cases: [(String, String, String, String)] = [
            ("proto3.v1.Repeated", "int32_values", "72 01 61 1a 02 01 02", "[1,2]"),
            ("proto3.v1.Repeated", "int32_values", "", "[]"),
            ("proto3.v1.Maps", "int32_map", "", "{}"),
            ("proto3.v1.Maps", "int32_map", "0a 04 08 01 10 02", "{\"1\":2}"),
            ("proto3.v1.Scalars", "int32_value", "68 01", "0"),
            ("proto3.v1.Scalars", "string_value", "", "\"\""),
            ("proto3.v1.Scalars", "int64_value", "20 05", "\"5\""),
            ("proto3.v1.Optionals", "scalars", "", "null"),
            ("proto3.v1.Optionals", "scalars", "8a 01 00", "{}"),
            ("proto3.v1.Optionals", "int32_value", "", "null"),
            ("proto3.v1.Recursive", "child", "12 02 08 01 08 09 12 02 08 02", "{\"level\":2}"),
            ("proto3.v1.Oneofs", "number", "10 01 1a 01 61", "null"),
            ("proto3.v1.WellKnown", "timestamp", "0a 00", "\"1970-01-01T00:00:00Z\""),
        ]
        for (message, name, hex, json) in cases {
            let type = try Codec.type(message)
            let field = try Codec.field(message, name)
            let codec = ProtoToJSON(type.tables, options: JSONOptions())
            let input = Codec.block(Codec.bytes(hex: hex))
            var output = OutputBlock()
            try codec.formatField(
                input, in: 0..<input.count, as: type.index, field: field, into: &output)
            #expect(
                String(decoding: Codec.bytes(output), as: UTF8.self) == json, "\(message).\(name)")
        }
    }
}
