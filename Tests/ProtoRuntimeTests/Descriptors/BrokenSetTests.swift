import SwiftProtobuf
import Testing

@testable import ProtoRuntime

/// A set that must be refused, and the whole text of the refusal.
struct BrokenSet: CustomTestStringConvertible, Sendable {
    let files: [FileProto]
    let error: String
    var testDescription: String { error }

    init(_ error: String, _ files: FileProto...) {
        self.error = error
        self.files = files
    }

    init(_ error: String, messages: [MessageProto] = [], enums: [EnumProto] = []) {
        self.init(error, .make("a.proto", messages: messages, enums: enums))
    }

    /// One message `M` of these fields.
    init(_ error: String, fields: FieldProto..., nested: [MessageProto] = []) {
        self.init(error, messages: [.make("M", fields, nested: nested)])
    }
}

@Suite struct BrokenSetTests {
    @Test(arguments: imports + names + types + numbers + declarations + limits)
    func `a broken set is refused with its file and symbol`(broken: BrokenSet) throws {
        let set = try serializedSet(broken.files)
        let error = #expect(throws: DescriptorError.self) {
            try DescriptorPool(fileDescriptorSets: [set], common: [])
        }
        #expect(error?.description == broken.error)
    }

    static let imports: [BrokenSet] = [
        BrokenSet(
            "a.proto: imports \"gone.proto\", which is in none of the descriptor sets "
                + "(protoc needs --include_imports)",
            .make("a.proto", imports: ["gone.proto"])),
        BrokenSet(
            "a.proto: imports itself: \"a.proto\" imports \"b.proto\" imports \"c.proto\" "
                + "imports \"a.proto\"",
            .make("a.proto", imports: ["b.proto"]), .make("b.proto", imports: ["c.proto"]),
            .make("c.proto", imports: ["a.proto"])),
        BrokenSet(
            "a.proto: imports itself: \"a.proto\" imports \"a.proto\"",
            .make("a.proto", imports: ["a.proto"])),
        BrokenSet(
            "a.proto: public_dependency 1 is not the index of an import",
            .make("a.proto", imports: ["b.proto"], publicImports: [1]), .make("b.proto")),
        BrokenSet(
            "a.proto: public_dependency -1 is not the index of an import",
            .make("a.proto", imports: ["b.proto"], publicImports: [-1]), .make("b.proto")),
        BrokenSet(
            "a.proto: the descriptor sets hold two files of this name with different content",
            .make("a.proto"), .make("a.proto", messages: [.make("M")])),
        BrokenSet("file 2 of descriptor set 1 has no name", .make("a.proto"), .make("")),
        BrokenSet(
            "a.proto: syntax \"proto4\" is none of proto2, proto3 and editions",
            .make("a.proto") { $0.syntax = "proto4" }),
        BrokenSet(
            "a.proto: syntax is \"editions\", but no edition is given",
            .make("a.proto") { $0.syntax = "editions" }),
        BrokenSet(
            "a.proto: edition number 1002 is not supported; the known ones are 998 (proto2), "
                + "999 (proto3), 1000 (2023) and 1001 (2024)",
            .make("a.proto") {
                $0.syntax = "editions"
                $0.edition = .edition2026
            }),
    ]

    static let names: [BrokenSet] = [
        BrokenSet(
            "a.proto: p.M: is declared twice in this file", messages: [.make("M"), .make("M")]),
        BrokenSet(
            "b.proto: p.M: is already declared in \"a.proto\"",
            .make("a.proto", messages: [.make("M")]), .make("b.proto", messages: [.make("M")])),
        BrokenSet(
            "b.proto: p: is already declared in \"a.proto\"",
            .make("a.proto", package: "", messages: [.make("p")]), .make("b.proto", package: "p.q")),
        BrokenSet(
            "a.proto: p.M.f: is declared twice in this file", fields: .make("f", 1), .make("f", 2)),
        BrokenSet(
            "a.proto: p.M.f: is declared twice in this file", fields: .make("f", 1),
            nested: [.make("f")]),
        // Enum values are siblings of their enum.
        BrokenSet(
            "a.proto: p.ZERO: is declared twice in this file",
            enums: [.make("E", [("ZERO", 0)]), .make("F", [("ZERO", 0)])]),
        BrokenSet("a.proto: p.: a declaration has no name", messages: [.make("")]),
        BrokenSet(
            "a.proto: p.M-1: \"M-1\" is not a valid identifier", messages: [.make("M-1")]),
        BrokenSet(
            "a.proto: p.M.a\"b: \"a\"b\" is not a valid identifier", fields: .make("a\"b", 1)),
        BrokenSet("a.proto: p.: a declaration has no name", .make("a.proto", package: "p..q")),
        BrokenSet(
            "a.proto: p.M: fields \"a_b\" and \"aB\" both have the JSON name \"aB\"",
            fields: .make("a_b", 1), .make("aB", 2)),
        BrokenSet(
            "a.proto: p.M.f: json_name contains a NUL character",
            fields: .make("f", 1) { $0.jsonName = "a\0b" }),
    ]

    static let types: [BrokenSet] = [
        BrokenSet(
            "a.proto: p.M.f: type \".p.Gone\" is not defined", fields: .message("f", 1, ".p.Gone")),
        BrokenSet("a.proto: p.M.f: type \"Gone\" is not defined", fields: .message("f", 1, "Gone")),
        BrokenSet(
            "a.proto: p.M.f: type \"N.Gone\" (here \"p.M.N.Gone\") is not defined",
            fields: .message("f", 1, "N.Gone"), nested: [.make("N")]),
        BrokenSet(
            "a.proto: p.M.f: \".q.Other\" is declared in \"b.proto\", which this file does not "
                + "import",
            .make("a.proto", messages: [.make("M", [.message("f", 1, ".q.Other")])]),
            .make("b.proto", package: "q", messages: [.make("Other")])),
        // An import of an import is not visible unless it is public.
        BrokenSet(
            "a.proto: p.M.f: \".q.Other\" is declared in \"c.proto\", which this file does not "
                + "import",
            .make(
                "a.proto", imports: ["b.proto"],
                messages: [.make("M", [.message("f", 1, ".q.Other")])]),
            .make("b.proto", imports: ["c.proto"]),
            .make("c.proto", package: "q", messages: [.make("Other")])),
        BrokenSet(
            "a.proto: p.M.f: \".p.M.f\" is not a message", fields: .message("f", 1, ".p.M.f")),
        BrokenSet(
            "a.proto: p.M.f: \"M\" is not an enum", fields: .make("f", 1, .enum, typeName: "M")),
        BrokenSet(
            "a.proto: p.M.f: the field has no known type and no type_name",
            fields: .make("f", 1, nil)),
        BrokenSet(
            "a.proto: p.M.f: the field has no known type and no type_name",
            fields: .make("f", 1, .message)),
        BrokenSet(
            "a.proto: p.M.f: a scalar field names the type \"M\"",
            fields: .make("f", 1, .int32, typeName: "M")),
        BrokenSet(
            "a.proto: p.S.Call: type \".p.Gone\" is not defined",
            .make("a.proto") { $0.service = [service(input: ".p.Gone", output: ".p.Gone")] }),
        BrokenSet(
            "a.proto: p.S.Call: \".p.E\" is not a message type",
            .make("a.proto", messages: [.make("M")], enums: [.make("E", [("ZERO", 0)])]) {
                $0.service = [service(input: ".p.M", output: ".p.E")]
            }),
        BrokenSet(
            "a.proto: p.x: type \".p.Gone\" is not defined",
            .make("a.proto") { $0.extension = [.make("x", 1) { $0.extendee = ".p.Gone" }] }),
    ]

    static let numbers: [BrokenSet] = [
        BrokenSet(
            "a.proto: p.M: fields \"a\" and \"b\" both have number 7",
            fields: .make("a", 7), .make("c", 8), .make("b", 7)),
        BrokenSet("a.proto: p.M.f: field number 0 is not positive", fields: .make("f", 0)),
        BrokenSet(
            "a.proto: p.M.f: field number -2147483648 is not positive",
            fields: .make("f", Int32.min)),
        BrokenSet(
            "a.proto: p.M.f: field number 536870912 is greater than 536870911",
            fields: .make("f", 536_870_912)),
        BrokenSet(
            "a.proto: p.M.f: field number 19000 is one of 19000 to 19999, which protobuf keeps "
                + "for itself",
            fields: .make("f", 19_000)),
        BrokenSet(
            "a.proto: p.E: values \"ONE\" and \"UNO\" both have number 1, which needs the option "
                + "allow_alias",
            enums: [.make("E", [("ZERO", 0), ("ONE", 1), ("UNO", 1)])]),
        BrokenSet(
            "a.proto: p.E: the first value of an open enum must be zero, \"ONE\" is 1",
            enums: [.make("E", [("ONE", 1)])]),
        BrokenSet("a.proto: p.E: the enum has no values", enums: [.make("E", [])]),
    ]

    /// Has the extension numbers 5 to 8.
    private static let extendable = MessageProto.make("M") {
        $0.extensionRange = [
            .with {
                $0.start = 5
                $0.end = 9
            }
        ]
    }

    static let declarations: [BrokenSet] = [
        BrokenSet(
            "a.proto: p.M.f: oneof_index 0 is out of range; the message declares 0 oneofs",
            fields: .make("f", 1) { $0.oneofIndex = 0 }),
        BrokenSet(
            "a.proto: p.M.f: oneof_index -1 is out of range; the message declares 0 oneofs",
            fields: .make("f", 1) { $0.oneofIndex = -1 }),
        BrokenSet(
            "a.proto: p.M.f: oneof_index 2147483647 is out of range; the message declares 0 oneofs",
            fields: .make("f", 1) { $0.oneofIndex = Int32.max }),
        BrokenSet(
            "a.proto: p.M.f: a repeated field cannot be in a oneof",
            messages: [
                .make(
                    "M",
                    [
                        .make("f", 1) {
                            $0.oneofIndex = 0
                            $0.label = .repeated
                        }
                    ]
                ) { $0.oneofDecl = [.with { $0.name = "o" }] }
            ]),
        BrokenSet(
            "a.proto: p.M.f: an extension stands among the fields",
            fields: .make("f", 1) { $0.extendee = ".p.M" }),
        BrokenSet(
            "a.proto: p.x: 9 is not among the extension numbers of p.M",
            .make("a.proto", messages: [extendable]) {
                $0.extension = [.make("x", 9) { $0.extendee = ".p.M" }]
            }),
        BrokenSet(
            "a.proto: p.y: p.M has the extension \"p.x\" of this number",
            .make("a.proto", messages: [extendable]) {
                $0.extension = [
                    .make("x", 5) { $0.extendee = ".p.M" }, .make("y", 5) { $0.extendee = ".p.M" },
                ]
            }),
        BrokenSet(
            "a.proto: p.M.f: a map key must be an integer, bool or string",
            fields: .message("f", 1, "FEntry") { $0.label = .repeated },
            nested: [mapEntry("FEntry", .make("key", 1, .double), .make("value", 2))]),
        BrokenSet(
            "a.proto: p.M.f: \"p.M.FEntry\" is not a well-formed map entry of this field",
            fields: .message("f", 1, "FEntry") { $0.label = .repeated },
            nested: [mapEntry("FEntry", .make("key", 1), .make("other", 3))]),
        BrokenSet(
            "a.proto: p.M.f: \"p.M.FEntry\" is not a well-formed map entry of this field",
            fields: .message("f", 1, "FEntry"),
            nested: [mapEntry("FEntry", .make("key", 1), .make("value", 2))]),
        BrokenSet(
            "a.proto: p.M.f: \"p.Entry\" is not a well-formed map entry of this field",
            messages: [
                .make("M", [.message("f", 1, "Entry") { $0.label = .repeated }]),
                mapEntry("Entry", .make("key", 1), .make("value", 2)),
            ]),
        BrokenSet(
            "t.proto: google.protobuf.Timestamp: does not have the fields of the well-known type "
                + "of this name",
            .make(
                "t.proto", package: "google.protobuf",
                messages: [.make("Timestamp", [.make("seconds", 1, .string)])])),
    ]

    static let limits: [BrokenSet] = [
        BrokenSet(
            "a.proto: p.M: declares 70000 fields; the limit is 32767",
            messages: [.make("M", (0..<70_000).map { .make("f\($0)", $0 + 20_000) })]),
        BrokenSet(
            "a.proto: p.E: declares 70000 values; the limit is 65534",
            enums: [.make("E", (0..<70_000).map { ("V\($0)", $0) })]),
        BrokenSet(
            "a.proto: p.\(String(repeating: "M", count: 58))…: a full name of 70002 bytes; "
                + "the limit is 65535",
            messages: [.make(String(repeating: "M", count: 70_000))]),
        BrokenSet(
            "a.proto: p.M: field number 1 has a name of 70000 bytes; the limit is 65531",
            fields: .make("f", 1) { $0.jsonName = String(repeating: "j", count: 70_000) }),
        BrokenSet(
            "a.proto: the package has 101 parts; the limit is 100",
            .make("a.proto", package: "p" + String(repeating: ".p", count: 100))),
        // Escaped, the name is six times as long.
        BrokenSet(
            "a.proto: p.M: field number 1 has a name of 72000 bytes; the limit is 65531",
            fields: .make("f", 1) { $0.jsonName = String(repeating: "\u{1}", count: 12_000) }),
        BrokenSet(
            "a.proto: p.M: declares more than 32767 oneofs",
            messages: [
                .make("M") { message in
                    message.oneofDecl = (0..<40_000).map { index in .with { $0.name = "o\(index)" }
                    }
                }
            ]),
    ]

    private static func service(input: String, output: String)
        -> Google_Protobuf_ServiceDescriptorProto
    {
        .with { service in
            service.name = "S"
            service.method = [
                .with {
                    $0.name = "Call"
                    $0.inputType = input
                    $0.outputType = output
                }
            ]
        }
    }

    private static func mapEntry(_ name: String, _ fields: FieldProto...) -> MessageProto {
        .make(name, fields) { $0.options.mapEntry = true }
    }
}

@Suite struct MalformedSetTests {
    @Test func `bytes that are no descriptor set are refused with their place`() {
        let cases: [([UInt8], String)] = [
            (
                Array("syntax = \"proto3\";".utf8),
                "descriptor set 1 is not a serialized FileDescriptorSet: a tag names no legal "
                    + "field at byte 12"
            ),
            (
                [0x0a, 0x05, 0x0a],
                "descriptor set 1 is not a serialized FileDescriptorSet: the message ends inside "
                    + "a value at byte 1"
            ),
            (
                [0x0a, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
                "descriptor set 1 is not a serialized FileDescriptorSet: a length is above "
                    + "2^31 - 1 at byte 1"
            ),
            (
                [0x08, 0x05],
                "descriptor set 1 is not a serialized FileDescriptorSet: a field has the wrong "
                    + "wire type at byte 0"
            ),
        ]
        for (bytes, text) in cases {
            let error = #expect(throws: DescriptorError.self) {
                try DescriptorPool(fileDescriptorSets: [bytes], common: [])
            }
            #expect(error?.description == text)
        }
    }

    @Test func `no set and an empty set make an empty pool`() throws {
        for sets in [[], [[]]] as [[[UInt8]]] {
            let pool = try DescriptorPool(fileDescriptorSets: sets, common: [])
            #expect(pool.files.isEmpty)
            #expect(pool.tables.messageCount == 0)
            #expect(pool.messageIndex(named: "M") == nil)
        }
    }

    @Test func `names that grow by nesting are limited all together`() throws {
        // 600 bytes of name at each of 90 levels, and 3,000 tiny messages at the bottom.
        let leaves = (0..<3_000).map { MessageProto.make("L\($0)") }
        let long = String(repeating: "n", count: 600)
        let message = (0..<90).reduce(MessageProto.make(long, nested: leaves)) { inner, _ in
            .make(long, nested: [inner])
        }
        let set = try serializedSet([.make("a.proto", messages: [message])])
        let error = #expect(throws: DescriptorError.self) {
            try DescriptorPool(fileDescriptorSets: [set], common: [])
        }
        #expect(
            error?.description == "a.proto: the names of all types exceed 134217728 bytes")
    }

    @Test func `long chains of imports cost no stack`() throws {
        let files = (0..<3_000).map { index in
            FileProto.make(
                "f\(index).proto", imports: index == 0 ? [] : ["f\(index - 1).proto"],
                publicImports: index == 0 ? [] : [0])
        }
        let set = try serializedSet(files.reversed())
        #expect(try DescriptorPool(fileDescriptorSets: [set], common: []).files.count == 3_000)
    }
}
