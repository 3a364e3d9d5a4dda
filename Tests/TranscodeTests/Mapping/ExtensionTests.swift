import ProtoRuntime
import Testing

@testable import Transcode

/// Extensions in JSON: members named `[pkg.name]`, both ways.
@Suite struct ExtensionTests {
    static let both: [(String, String, String)] = [
        (
            "proto2.v1.Extendable", "{\"number\":1,\"[gatewaytest.proto2.v1.extra_number]\":0}",
            "08 01 a0 06 00"
        ),
        (
            "proto2.v1.Extendable",
            "{\"[gatewaytest.proto2.v1.extra_scalars]\":[{},{\"int32Value\":1}]}",
            "aa 06 00 aa 06 02 18 01"
        ),
        (
            "proto2.v1.Extendable",
            "{\"[gatewaytest.proto2.v1.Extender.nested_extension]\":{\"name\":\"a\"}}",
            "b2 06 03 0a 01 61"
        ),
        (
            "proto2.v1.Extendable",
            "{\"[gatewaytest.proto2.v1.Extender.packed_extension]\":[1,2]}", "ba 06 02 01 02"
        ),
        (
            "proto2.v1.Extendable",
            "{\"[gatewaytest.proto2.v1.extra_level]\":\"LEVEL_LOW\"}", "f8 ff ff ff 0f 05"
        ),
        (
            "edition2023.v1.Extendable", "{\"[gatewaytest.edition2023.v1.extra_number]\":0}",
            "a0 06 00"
        ),
        (
            "edition2023.v1.Extendable",
            "{\"[gatewaytest.edition2023.v1.extra_part]\":{\"number\":1,\"part\":{}}}",
            "ab 06 08 01 13 14 ac 06"
        ),
        // Inside another message, and inside an Any.
        (
            "proto2.v1.Everything",
            "{\"extendable\":{\"[gatewaytest.proto2.v1.extra_number]\":5}}", "52 03 a0 06 05"
        ),
        (
            "google.protobuf.Any",
            "{\"@type\":\"/gatewaytest.proto2.v1.Extendable\",\"[gatewaytest.proto2.v1.extra_number]\":5}",
            "0a 21 2f 67 61 74 65 77 61 79 74 65 73 74 2e 70 72 6f 74 6f 32 2e 76 31 2e 45 78 74 65 6e 64 61 62 6c 65 12 03 a0 06 05"
        ),
    ]

    @Test(arguments: both)
    func `an extension is read and printed by its full name`(
        _ type: String, _ json: String, _ hex: String
    ) throws {
        let strict = JSONOptions(unknownFields: .reject)
        #expect(Codec.hex(try Codec.wire(json, type, strict)) == hex)
        #expect(try Codec.json(hex, type) == json)
        #expect(try Codec.json(hex, type, JSONOptions(names: .proto)).contains("\"["))
    }

    @Test func `an escaped name is the same name`() throws {
        let json = "{\"\\u005bgatewaytest.proto2.v1.extra_number]\":5}"
        #expect(try Codec.wire(json, "proto2.v1.Extendable") == [0xa0, 0x06, 5])
    }

    @Test(arguments: [
        // A bare name, another message's extension, one that nobody declares.
        "extra_number", "extraNumber", "[extra_number]", "gatewaytest.proto2.v1.extra_number",
        "[gatewaytest.edition2023.v1.extra_number]", "[gatewaytest.proto2.v1.extra]", "[]",
        "[gatewaytest.proto2.v1.SetMember.member]",
    ])
    func `other names are unknown fields`(name: String) throws {
        let json = "{\"number\":1,\"\(name)\":{\"a\":[]}}"
        #expect(try Codec.wire(json, "proto2.v1.Extendable") == [8, 1])
        let strict = JSONOptions(unknownFields: .reject)
        let error = try Codec.refusal(json, "proto2.v1.Extendable", strict)
        #expect(error?.reason == .unknownField)
        #expect(error?.offset == 12)
    }

    @Test func `an error inside an extension has its path`() throws {
        let type = "proto2.v1.Everything"
        let json =
            "{\"extendable\":{\"[gatewaytest.proto2.v1.extra_scalars]\":[{},{\"level\":[]}]}}"
        #expect(
            try Codec.refusal(json, type)?.path
                == "extendable.[gatewaytest.proto2.v1.extra_scalars][1].level")
        let twice =
            "{\"[gatewaytest.proto2.v1.extra_number]\":1,\"[gatewaytest.proto2.v1.extra_number]\":1}"
        let error = try Codec.refusal(twice, "proto2.v1.Extendable")
        #expect(error?.reason == .duplicateField)
        #expect(error?.path == "[gatewaytest.proto2.v1.extra_number]")
        let wire = try Codec.refusal(wire: Codec.bytes(hex: "52 04 aa 06 05 18"), type)
        #expect(wire?.path == "extendable.[gatewaytest.proto2.v1.extra_scalars][0]")
    }

    @Test func `extensions that come twice, in pieces or out of order are put in order`() throws {
        let type = "proto2.v1.Extendable"
        let hex = "f8 ff ff ff 0f 05 b8 06 01 a0 06 01 ba 06 02 02 03 a0 06 02 08 01"
        #expect(
            try Codec.json(hex, type)
                == "{\"number\":1,\"[gatewaytest.proto2.v1.extra_number]\":2,\"[gatewaytest.proto2.v1.Extender.packed_extension]\":[1,2,3],\"[gatewaytest.proto2.v1.extra_level]\":\"LEVEL_LOW\"}"
        )
        let merged = "b2 06 03 0a 01 61 08 01 b2 06 03 0a 01 62"
        #expect(
            try Codec.json(merged, type)
                == "{\"number\":1,\"[gatewaytest.proto2.v1.Extender.nested_extension]\":{\"name\":\"b\"}}"
        )
        // An unknown number of a closed enum is no value.
        #expect(try Codec.json("f8 ff ff ff 0f 4d", type) == "{}")
    }

    @Test func `defaults are not made up for extensions`() throws {
        let json = try Codec.json("", "proto2.v1.Extendable", JSONOptions(defaults: .emit))
        #expect(json == "{}")
    }

    @Test func `a MessageSet is refused both ways`() throws {
        #expect(try Codec.refusal("{}", "proto2.v1.Set")?.message == "MessageSet has no JSON form")
        #expect(
            try Codec.refusal(wire: [0x0b, 0x0c], "proto2.v1.Set")?.reason == .messageSet)
    }
}
