import ProtoRuntime
import SwiftProtobuf

/// Two sets of files with the same names: `shop/item.proto` has shop.Item, which differs, and another file imports it
/// and has a service of its own.
enum ShopFiles {
    /// `service` in a file of the set: shop.`service`.Get takes and gives Item, whose second field is `field`.
    static func set(_ service: String, field: String, _ kind: FieldKind) throws -> [UInt8] {
        var item = Google_Protobuf_FileDescriptorProto()
        item.name = "shop/item.proto"
        item.package = "shop"
        item.syntax = "proto3"
        var message = Google_Protobuf_DescriptorProto()
        message.name = "Item"
        for (number, (name, kind)) in [("id", FieldKind.string), (field, kind)].enumerated() {
            var field = Google_Protobuf_FieldDescriptorProto()
            field.name = name
            field.number = Int32(number + 1)
            field.type = .init(rawValue: Int(kind.rawValue)) ?? .string
            field.label = .optional
            message.field.append(field)
        }
        item.messageType = [message]

        var calls = Google_Protobuf_FileDescriptorProto()
        calls.name = "shop/calls.proto"
        calls.package = "shop"
        calls.syntax = "proto3"
        calls.dependency = ["shop/item.proto"]
        var method = Google_Protobuf_MethodDescriptorProto()
        method.name = "Get"
        method.inputType = ".shop.Item"
        method.outputType = ".shop.Item"
        var declared = Google_Protobuf_ServiceDescriptorProto()
        declared.name = service
        declared.method = [method]
        calls.service = [declared]

        var set = Google_Protobuf_FileDescriptorSet()
        set.file = [calls, item]
        return try set.serializedBytes()
    }

    static func pool(_ service: String, field: String, _ kind: FieldKind) throws -> DescriptorPool {
        try DescriptorPool(fileDescriptorSets: [set(service, field: field, kind)])
    }
}
