import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct EventIDTests {
    private func field(_ name: String, of message: String) throws -> FieldPath {
        let type = try Codec.type(message)
        return try FieldPath(name.utf8Span.span, in: type.index, type.tables)
    }

    /// The id of a message given as JSON.
    private func id(_ json: String, _ name: String, _ message: String) throws -> String? {
        let type = try Codec.type(message)
        let path = try field(name, of: message)
        let wire = Codec.block(try Codec.wire(json, message))
        var output = OutputBlock()
        output.append("id: ")
        let isThere = EventID(path: path).append(
            from: wire, in: 0..<wire.count, type.tables, to: &output)
        let text = String(decoding: output.array, as: UTF8.self)
        #expect(isThere || text == "id: ")
        return isThere ? String(text.dropFirst(4)) : nil
    }

    @Test(
        arguments: [
            ("{\"stringValue\":\"a b\"}", "string_value", "a b"),
            ("{\"stringValue\":\"\"}", "string_value", nil),
            ("{}", "string_value", nil), ("{\"stringValue\":\"a\\nb\"}", "string_value", nil),
            ("{\"stringValue\":\"a\\rb\"}", "string_value", nil),
            ("{\"stringValue\":\"a\\u0000b\"}", "string_value", nil),
            ("{\"int32Value\":-7}", "int32_value", "-7"),
            ("{\"int64Value\":\"-7\"}", "int64_value", "-7"),
            ("{\"uint64Value\":\"18446744073709551615\"}", "uint64_value", "18446744073709551615"),
            ("{\"sint32Value\":-7}", "sint32_value", "-7"),
            ("{\"sint64Value\":-7}", "sint64_value", "-7"),
            ("{\"fixed32Value\":7}", "fixed32_value", "7"),
            ("{\"fixed64Value\":7}", "fixed64_value", "7"),
            ("{\"sfixed32Value\":-7}", "sfixed32_value", "-7"),
            ("{\"sfixed64Value\":-7}", "sfixed64_value", "-7"),
        ] as [(String, String, String?)])
    func `the value of a string or integer is the id, unless no line can carry it`(
        json: String, name: String, expected: String?
    ) throws {
        #expect(try id(json, name, "proto3.v1.Scalars") == expected)
    }

    @Test func `the last value on the wire counts, and broken wire has none`() throws {
        let type = try Codec.type("proto3.v1.Scalars")
        let path = try field("int32_value", of: "proto3.v1.Scalars")
        let tag = UInt8(type.tables.field(path.leaf).number << 3)
        for (wire, expected) in [
            ([tag, 1, tag, 2], "2"), ([tag, 1, tag], nil), ([0xff], nil), ([], nil),
        ] as [([UInt8], String?)] {
            let block = Codec.block(wire)
            var output = OutputBlock()
            let isThere = EventID(path: path).append(
                from: block, in: 0..<block.count, type.tables, to: &output)
            #expect(isThere == (expected != nil))
            #expect(String(decoding: output.array, as: UTF8.self) == expected ?? "")
        }
    }
}
