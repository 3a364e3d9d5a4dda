import ProtoRuntime
import SwiftProtobuf
import Testing

@testable import Gateway
@testable import Transcode

/// A file with one service, whose methods and message fields are given as text.
private func table(
    _ methods: [String], _ fields: [(String, Int32, Google_Protobuf_FieldDescriptorProto.TypeEnum)],
    repeated: Set<String> = [], streams: Set<String> = [], message: String = "M"
) throws -> MethodTable {
    var file = Google_Protobuf_FileDescriptorProto()
    file.name = "a.proto"
    file.package = "a"
    file.syntax = "proto3"
    file.messageType = [message, "Other"].map { name in
        var type = Google_Protobuf_DescriptorProto()
        type.name = name
        if name == message {
            type.field = fields.map { name, number, kind in
                var field = Google_Protobuf_FieldDescriptorProto()
                field.name = name
                field.number = number
                field.type = kind
                field.label = repeated.contains(name) ? .repeated : .optional
                if kind == .message { field.typeName = ".a.Other" }
                return field
            }
        }
        return type
    }
    var service = Google_Protobuf_ServiceDescriptorProto()
    service.name = "S"
    service.method = methods.map { name in
        var method = Google_Protobuf_MethodDescriptorProto()
        method.name = name
        method.inputType = ".a.\(message)"
        method.outputType = ".a.\(message)"
        method.serverStreaming = streams.contains(name)
        return method
    }
    file.service = [service]
    var set = Google_Protobuf_FileDescriptorSet()
    set.file = [file]
    return try MethodTable(
        pool: DescriptorPool(fileDescriptorSets: [Array(try set.serializedBytes() as [UInt8])]))
}

@Suite struct SchemaDifferenceTests {
    private let fields: [(String, Int32, Google_Protobuf_FieldDescriptorProto.TypeEnum)] = [
        ("id", 1, .int32), ("name", 2, .string), ("other", 3, .message),
    ]

    @Test func `the same is no difference`() throws {
        let difference = SchemaDifference(
            from: try table(["Get"], fields), to: try table(["Get"], fields.reversed()))
        #expect(difference.isEmpty)
    }

    @Test func `methods come and go`() throws {
        let difference = SchemaDifference(
            from: try table(["Get", "Old"], fields), to: try table(["Get", "New"], fields))
        #expect(difference.added == ["a.S.New"])
        #expect(difference.removed == ["a.S.Old"])
        #expect(difference.changed.isEmpty && difference.incompatible.isEmpty)
    }

    @Test(
        arguments: [
            ([("id", 1, .int64)], [], []), ([("id", 1, .bool)], [], []),
            ([("id", 1, .sint32)], [], ["a.M.id (1) is sint32, was int32"]),
            ([("id", 1, .string)], [], ["a.M.id (1) is string, was int32"]),
            ([("key", 1, .int32)], ["a.M.id (1) is called key: JSON has that name"], []),
            ([], ["a.M.id (1) is gone"], []), ([("id", 1, .int32), ("new", 9, .int32)], [], []),
        ]
            as [(
                [(String, Int32, Google_Protobuf_FieldDescriptorProto.TypeEnum)], [String], [String]
            )])
    func `what old readers misunderstand is told apart from what they miss`(
        after: [(String, Int32, Google_Protobuf_FieldDescriptorProto.TypeEnum)], changed: [String],
        incompatible: [String]
    ) throws {
        let difference = SchemaDifference(
            from: try table(["Get"], [("id", 1, .int32)]), to: try table(["Get"], after))
        #expect(difference.changed == changed)
        #expect(difference.incompatible == incompatible)
    }

    @Test func `types of one name are compared upstream by upstream`() throws {
        func table(_ stock: FieldKind) throws -> MethodTable {
            try MethodTable(
                [
                    ShopFiles.pool("Orders", field: "price", .int32),
                    ShopFiles.pool("Stock", field: "tags", stock),
                ].map { MethodSource($0, methods: $0.services.flatMap(\.methods)) })
        }
        #expect(SchemaDifference(from: try table(.string), to: try table(.string)).isEmpty)
        let difference = SchemaDifference(from: try table(.string), to: try table(.int32))
        #expect(difference.incompatible == ["shop.Item.tags (2) is int32, was string"])
        #expect(difference.changed.isEmpty)
    }

    @Test func `one number and many, one message and a stream are not the same`() throws {
        let before = try table(["Get"], fields)
        let many = SchemaDifference(
            from: before, to: try table(["Get"], fields, repeated: ["id", "name"]))
        #expect(many.incompatible == ["a.M.id (1) is repeated now"])
        let stream = SchemaDifference(
            from: before, to: try table(["Get"], fields, streams: ["Get"]))
        #expect(stream.incompatible == ["a.S.Get: unary and stream are not the same"])
        let type = SchemaDifference(
            from: before, to: try table(["Get"], fields, message: "N"))
        #expect(
            type.changed == [
                "a.S.Get: the request is a.N, was a.M", "a.S.Get: the response is a.N, was a.M",
            ])
    }
}
