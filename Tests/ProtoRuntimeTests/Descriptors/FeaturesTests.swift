import SwiftProtobuf
import Testing

@testable import ProtoRuntime

private typealias FeatureSet = Google_Protobuf_FeatureSet

@Suite struct FeaturesTests {
    @Test(
        arguments: [
            ("proto2", nil, 998), ("", nil, 998), ("proto3", nil, 999),
            ("editions", .edition2023, 1000), ("editions", .edition2024, 1001),
        ] as [(String, Google_Protobuf_Edition?, Int32)])
    func `the syntax names the edition`(
        syntax: String, edition: Google_Protobuf_Edition?, number: Int32
    ) throws {
        let pool = try pool(
            .make("a.proto") {
                $0.syntax = syntax
                if let edition { $0.edition = edition }
            })
        #expect(pool.files[0].edition == number)
        #expect(pool.files[0].syntax == (syntax.isEmpty ? "proto2" : syntax))
    }

    @Test func `an edition that SwiftProtobuf does not list is refused by its number`() throws {
        // syntax = "editions", edition (field 14) = 1003
        let file: [UInt8] =
            [0x0a, 0x01, 0x61, 0x62, 0x08] + Array("editions".utf8) + [0x70, 0xeb, 0x07]
        let error = #expect(throws: DescriptorError.self) {
            try DescriptorPool(fileDescriptorSets: [[0x0a, UInt8(file.count)] + file], common: [])
        }
        #expect(error?.reason == .unsupported)
        #expect(error?.description.hasPrefix("a: edition number 1003 is not supported") == true)
    }

    /// A 2023 file with a oneof, a nested enum and features at each level.
    private func editionPool(
        file: FeatureSet = .init(), message: FeatureSet = .init(), oneof: FeatureSet = .init(),
        field: FeatureSet = .init(), enumeration: FeatureSet = .init()
    ) throws -> DescriptorPool {
        let fields: [FieldProto] = [
            .make("text", 1, .string) { $0.options.features = field },
            .make("chosen", 2, .string) { $0.oneofIndex = 0 },
            .make("list", 3) {
                $0.label = .repeated
                $0.options.features = field
            },
            .message("part", 4, "M") { $0.options.features = field },
            .make("number", 5) { $0.options.features = field },
        ]
        return try pool(
            .make(
                "a.proto",
                messages: [
                    .make(
                        "M", fields,
                        enums: [
                            .make("E", [("ZERO", 0)]) { $0.options.features = enumeration }
                        ]
                    ) {
                        $0.options.features = message
                        $0.oneofDecl = [
                            .with {
                                $0.name = "o"
                                $0.options.features = oneof
                            }
                        ]
                    }
                ]
            ) {
                $0.syntax = "editions"
                $0.edition = .edition2023
                $0.options.features = file
            })
    }

    @Test func `edition 2023 starts from explicit, open, packed, verified and prefixed`() throws {
        let pool = try editionPool()
        #expect(try pool.field("p.M", "text").flags == [.presence, .verifyUTF8])
        #expect(try pool.field("p.M", "list").flags == [.repeated, .packed])
        #expect(try pool.field("p.M", "part").kind == .message)
        #expect(try pool.enumeration("p.M.E").isClosed == false)
    }

    @Test func `a file's features reach its fields and nested enums`() throws {
        let pool = try editionPool(
            file: .with {
                $0.fieldPresence = .implicit
                $0.enumType = .closed
                $0.repeatedFieldEncoding = .expanded
                $0.utf8Validation = .none
                $0.messageEncoding = .delimited
            })
        #expect(try pool.field("p.M", "text").flags == [])
        // Members of oneofs and messages have presence all the same.
        #expect(try pool.field("p.M", "chosen").flags == [.presence, .oneof])
        #expect(try pool.field("p.M", "list").flags == [.repeated])
        #expect(try pool.field("p.M", "part").flags == [.presence, .delimited])
        #expect(try pool.field("p.M", "part").kind == .group)
        #expect(try pool.field("p.M", "part").tag == 0x23)
        #expect(try pool.enumeration("p.M.E").isClosed)
    }

    @Test func `the innermost level wins`() throws {
        let none = FeatureSet.with { $0.utf8Validation = .none }
        let verify = FeatureSet.with { $0.utf8Validation = .verify }
        func verifies(_ pool: DescriptorPool, _ field: String) throws -> Bool {
            try pool.field("p.M", field).flags.contains(.verifyUTF8)
        }
        let byMessage = try editionPool(file: none, message: verify)
        #expect(try verifies(byMessage, "text"))
        let byField = try editionPool(file: verify, message: verify, field: none)
        #expect(try verifies(byField, "text") == false)
        #expect(try verifies(byField, "chosen"))
        let byOneof = try editionPool(message: verify, oneof: none)
        #expect(try verifies(byOneof, "text"))
        #expect(try verifies(byOneof, "chosen") == false)
        let byEnum = try editionPool(
            file: .with { $0.enumType = .closed }, enumeration: .with { $0.enumType = .open })
        #expect(try byEnum.enumeration("p.M.E").isClosed == false)
    }

    @Test func `a field may be required in an edition`() throws {
        let pool = try editionPool(field: .with { $0.fieldPresence = .legacyRequired })
        #expect(try pool.field("p.M", "number").flags == [.presence, .required])
        let index = try #require(pool.messageIndex(named: "p.M"))
        #expect(pool.tables.message(index).hasRequired)
    }

    @Test func `features do not count before the editions`() throws {
        let pool = try pool(
            .make("a.proto", messages: [.make("M", [.make("f", 1, .string)])]) {
                $0.options.features.fieldPresence = .explicit
                $0.options.features.utf8Validation = .none
            })
        #expect(try pool.field("p.M", "f").flags == [.verifyUTF8])
    }

    @Test func `proto3 optional makes presence and no oneof`() throws {
        let fields: [FieldProto] = [
            .make("maybe", 1) {
                $0.proto3Optional = true
                $0.oneofIndex = 0
            },
            .make("chosen", 2) { $0.oneofIndex = 1 },
        ]
        let message = MessageProto.make("M", fields) {
            // Unlike protoc, the synthetic oneof stands first here.
            $0.oneofDecl = [.with { $0.name = "_maybe" }, .with { $0.name = "real" }]
        }
        let pool = try pool(.make("a.proto", messages: [message]))
        #expect(try pool.field("p.M", "maybe").flags == [.presence])
        #expect(try pool.field("p.M", "maybe").oneofIndex == -1)
        #expect(try pool.field("p.M", "chosen").oneofIndex == 0)
        #expect(pool.tables.message(0).oneofCount == 1)
    }

    @Test func `fields of one JSON name are accepted where json_format is legacy`() throws {
        let fields: [FieldProto] = [.make("a_b", 2), .make("aB", 1), .make("a__b", 3)]
        let files: [FileProto] = [
            .make("a.proto", messages: [.make("M", fields)]) { $0.syntax = "proto2" },
            .make(
                "a.proto",
                messages: [
                    .make("M", fields) { $0.options.deprecatedLegacyJsonFieldConflicts = true }
                ]),
            .make(
                "a.proto",
                messages: [
                    .make("M", fields) { $0.options.features.jsonFormat = .legacyBestEffort }
                ]
            ) {
                $0.syntax = "editions"
                $0.edition = .edition2023
            },
        ]
        for file in files {
            let pool = try pool(file)
            let index = try #require(pool.fieldIndex(named: "aB", in: 0))
            #expect(pool.fieldName(index, json: false) == "aB")
            for name in ["a_b", "a__b"] {
                let index = try #require(pool.fieldIndex(named: name, in: 0))
                #expect(pool.fieldName(index, json: false) == name)
            }
        }
    }
}

@Suite struct JSONNameTests {
    @Test(arguments: [
        ("field_name2", "fieldName2"), ("_field_name3", "FieldName3"),
        ("field__name4_", "fieldName4"), ("__field_name13", "FieldName13"),
        ("FieldName8", "FieldName8"), ("field0name5", "field0name5"),
        ("field_0_name6", "field0Name6"),
        ("FIELD_NAME11", "FIELDNAME11"), ("_", ""), ("a_1", "a1"),
    ])
    func `underscores go and the letters behind them become upper-case`(
        name: String, json: String
    ) {
        #expect(JSONName.camelCase(name) == json)
    }

    @Test(arguments: [
        ("plain", "plain"), ("with \"quotes\"", "with \\\"quotes\\\""), ("\\", "\\\\"),
        ("\n\u{1f}", "\\u000a\\u001f"), ("é", "é"),
    ])
    func `a key is escaped for JSON`(name: String, escaped: String) {
        #expect(JSONName.escaped(name) == escaped)
    }
}
