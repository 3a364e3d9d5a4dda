import SwiftProtobuf
import Testing

@testable import ProtoRuntime

@Suite struct NameResolutionTests {
    /// package a.b: messages Outer { Inner { Leaf } }, Leaf, and an enum Leaf2.
    private func resolved(_ name: String, package: String = "a.b") throws -> String {
        let user = MessageProto.make(
            "Outer",
            nested: [
                .make("Inner", [.make("f", 1, nil, typeName: name)], nested: [.make("Leaf")])
            ])
        let pool = try pool(
            .make(
                "a.proto", package: package,
                messages: [user, .make("Leaf"), .make("Other")],
                enums: [.make("Kind", [("ZERO", 0)])]))
        let field = try pool.field("\(package).Outer.Inner", "f")
        return field.kind == .enumeration
            ? pool.enumName(field.typeIndex) : pool.messageName(field.typeIndex)
    }

    @Test(arguments: [
        (".a.b.Leaf", "a.b.Leaf"),
        // The innermost scope wins.
        ("Leaf", "a.b.Outer.Inner.Leaf"), ("b.Leaf", "a.b.Leaf"), ("a.b.Leaf", "a.b.Leaf"),
        ("Inner", "a.b.Outer.Inner"), ("Inner.Leaf", "a.b.Outer.Inner.Leaf"),
        ("Outer.Inner", "a.b.Outer.Inner"), ("Other", "a.b.Other"), ("Kind", "a.b.Kind"),
    ])
    func `names are looked up from the innermost scope outwards`(name: String, full: String) throws
    {
        #expect(try resolved(name) == full)
    }

    @Test func `a field of the same name does not hide a type`() throws {
        let pool = try pool(
            .make(
                "a.proto",
                messages: [.make("M", [.message("Leaf", 1, "Leaf")]), .make("Leaf")]))
        #expect(pool.messageName(try pool.field("p.M", "Leaf").typeIndex) == "p.Leaf")
    }

    @Test func `the first part of a compound name decides where the rest is sought`() throws {
        // "b" is found as the package a.b before the package b is reached.
        let error = #expect(throws: DescriptorError.self) {
            try pool(
                .make(
                    "a.proto", package: "a.b", imports: ["b.proto"],
                    messages: [.make("M", [.message("f", 1, "b.Leaf")])]),
                .make("b.proto", package: "b", messages: [.make("Leaf")]))
        }
        #expect(
            error?.description
                == "a.proto: a.b.M.f: type \"b.Leaf\" (here \"a.b.Leaf\") is not defined")
    }

    @Test func `a package of files that are not imported does not count`() throws {
        // With c.proto imported, "b.Leaf" would mean a.b.Leaf; without it, the package b is meant.
        let files: [FileProto] = [
            .make("c.proto", package: "a.b.c", messages: [.make("X")]),
            .make("b.proto", package: "b", messages: [.make("Leaf")]),
            .make(
                "a.proto", package: "a", imports: ["b.proto"],
                messages: [.make("M", [.message("f", 1, "b.Leaf")])]),
        ]
        let pool = try DescriptorPool(fileDescriptorSets: [serializedSet(files)], common: [])
        #expect(pool.messageName(try pool.field("a.M", "f").typeIndex) == "b.Leaf")
    }

    @Test func `a package is visible through any imported file that shares it`() throws {
        let pool = try pool(
            .make("hidden.proto", package: "a.b", messages: [.make("Hidden")]),
            .make("seen.proto", package: "a.b", messages: [.make("Seen")]),
            .make(
                "user.proto", package: "a", imports: ["seen.proto"],
                messages: [.make("M", [.message("f", 1, "b.Seen")])]))
        #expect(pool.messageName(try pool.field("a.M", "f").typeIndex) == "a.b.Seen")
    }

    @Test func `public imports are passed on, through any number of files`() throws {
        let pool = try pool(
            .make("a.proto", package: "a", messages: [.make("A")]),
            .make("b.proto", imports: ["a.proto"], publicImports: [0]),
            .make("c.proto", imports: ["b.proto"], publicImports: [0]),
            .make(
                "d.proto", package: "d", imports: ["c.proto"],
                messages: [.make("M", [.message("f", 1, ".a.A")])]))
        #expect(pool.messageName(try pool.field("d.M", "f").typeIndex) == "a.A")
    }

    @Test func `files may come in any order`() throws {
        let files = Array(try TestSet.parsed().file.reversed())
        let reversed = try DescriptorPool(fileDescriptorSets: [serializedSet(files)], common: [])
        #expect(reversed.tables.messageCount == (try TestSet.pool()).tables.messageCount)
    }

    @Test func `a missing weak import matters only when it is used`() throws {
        func weak(_ fields: [FieldProto]) -> FileProto {
            .make("a.proto", imports: ["gone.proto"], messages: [.make("M", fields)]) {
                $0.weakDependency = [0]
            }
        }
        #expect(try pool(weak([])).tables.messageCount == 1)
        #expect(throws: DescriptorError.self) { try pool(weak([.message("f", 1, ".q.Gone")])) }
    }
}

@Suite struct MergingTests {
    private func set(_ files: FileProto...) throws -> [UInt8] { try serializedSet(files) }

    @Test func `the same file in two sets is taken once`() throws {
        let bytes = try TestSet.bytes()
        let pool = try DescriptorPool(fileDescriptorSets: [bytes, bytes], common: [])
        #expect(pool.files.count == (try TestSet.pool()).files.count)
    }

    @Test func `comments and spelled-out names make no difference`() throws {
        let plain = FileProto.make("a.proto", messages: [.make("M", [.make("a_b", 1)])])
        var rich = plain
        rich.messageType[0].field[0].jsonName = "aB"
        rich.sourceCodeInfo.location = [.with { $0.leadingComments = "A comment." }]
        let pool = try DescriptorPool(fileDescriptorSets: [set(plain), set(rich)], common: [])
        #expect(pool.files.count == 1)
    }

    @Test func `comments need not be UTF-8`() throws {
        // source_code_info { location { leading_comments: "\xff" } }
        let bytes = try set(.make("a.proto", package: "", messages: [.make("M")]))
        let info: [UInt8] = [0x4a, 0x05, 0x0a, 0x03, 0x1a, 0x01, 0xff]
        let file = Array(bytes.dropFirst(2)) + info
        let pool = try DescriptorPool(
            fileDescriptorSets: [[0x0a, UInt8(file.count)] + file], common: [])
        #expect(pool.messageIndex(named: "M") == 0)
        #expect(pool.files.first?.serialized == Array(bytes.dropFirst(2)))
    }

    @Test func `imports may come in another set`() throws {
        let user = FileProto.make(
            "a.proto", package: "a", imports: ["b.proto"],
            messages: [.make("M", [.message("f", 1, ".b.N")])])
        let used = FileProto.make("b.proto", package: "b", messages: [.make("N")])
        let pool = try DescriptorPool(fileDescriptorSets: [set(user), set(used)], common: [])
        #expect(pool.files.map(\.name) == ["a.proto", "b.proto"])
        #expect(pool.files[0].dependencies == ["b.proto"])
    }

    @Test func `two files of one name and different content are refused`() throws {
        let error = #expect(throws: DescriptorError.self) {
            try DescriptorPool(fileDescriptorSets: [
                set(.make("a.proto", messages: [.make("M", [.make("f", 1)])])),
                set(.make("a.proto", messages: [.make("M", [.make("f", 2)])])),
            ])
        }
        #expect(error?.reason == .conflictingFile)
        #expect(error?.file == "a.proto")
    }
}
