import SwiftProtobuf

@testable import ProtoRuntime

// Short forms for schemas that no protoc would write.

typealias FileProto = Google_Protobuf_FileDescriptorProto
typealias MessageProto = Google_Protobuf_DescriptorProto
typealias FieldProto = Google_Protobuf_FieldDescriptorProto
typealias EnumProto = Google_Protobuf_EnumDescriptorProto

extension FileProto {
    /// A proto3 file unless `edit` says otherwise.
    static func make(
        _ name: String, package: String = "p", imports: [String] = [], publicImports: [Int32] = [],
        messages: [MessageProto] = [], enums: [EnumProto] = [],
        edit: (inout FileProto) -> Void = { _ in }
    ) -> FileProto {
        var file = FileProto()
        file.name = name
        file.package = package
        file.syntax = "proto3"
        file.dependency = imports
        file.publicDependency = publicImports
        file.messageType = messages
        file.enumType = enums
        edit(&file)
        return file
    }
}

extension MessageProto {
    static func make(
        _ name: String, _ fields: [FieldProto] = [], nested: [MessageProto] = [],
        enums: [EnumProto] = [], edit: (inout MessageProto) -> Void = { _ in }
    ) -> MessageProto {
        var message = MessageProto()
        message.name = name
        message.field = fields
        message.nestedType = nested
        message.enumType = enums
        edit(&message)
        return message
    }
}

extension FieldProto {
    static func make(
        _ name: String, _ number: Int32, _ type: TypeEnum? = .int32, typeName: String = "",
        edit: (inout FieldProto) -> Void = { _ in }
    ) -> FieldProto {
        var field = FieldProto()
        field.name = name
        field.number = number
        field.label = .optional
        if let type { field.type = type }
        if !typeName.isEmpty { field.typeName = typeName }
        edit(&field)
        return field
    }

    static func message(
        _ name: String, _ number: Int32, _ typeName: String,
        edit: (inout FieldProto) -> Void = { _ in }
    ) -> FieldProto {
        make(name, number, .message, typeName: typeName, edit: edit)
    }
}

extension EnumProto {
    static func make(
        _ name: String, _ values: [(String, Int32)], edit: (inout EnumProto) -> Void = { _ in }
    ) -> EnumProto {
        var enumeration = EnumProto()
        enumeration.name = name
        enumeration.value = values.map { name, number in
            var value = Google_Protobuf_EnumValueDescriptorProto()
            value.name = name
            value.number = number
            return value
        }
        edit(&enumeration)
        return enumeration
    }
}

/// One serialized set of these files.
func serializedSet(_ files: [FileProto]) throws -> [UInt8] {
    var set = Google_Protobuf_FileDescriptorSet()
    set.file = files
    return try set.serializedBytes(partial: true)
}

/// Links one set of these files.
func pool(_ files: FileProto...) throws -> DescriptorPool {
    try DescriptorPool(fileDescriptorSets: [serializedSet(files)], common: [])
}

extension DescriptorPool {
    /// The entry of a field by "pkg.Message" and declared name.
    func field(_ message: String, _ name: String) throws -> FieldEntry {
        let message = try require(messageIndex(named: message), message)
        return tables.field(try require(fieldIndex(named: name, in: message), name))
    }

    func enumeration(_ name: String) throws -> EnumEntry {
        tables.enumeration(try require(enumIndex(named: name), name))
    }

    private func require<Value>(_ value: Value?, _ name: String) throws -> Value {
        guard let value else { throw MissingName(name: name) }
        return value
    }

    private struct MissingName: Error { let name: String }
}
