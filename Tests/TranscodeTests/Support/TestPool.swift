import Foundation
import ProtoRuntime
import Testing

/// The pools of Protos/test, linked once.
enum TestPool {
    static let rest = Result { try load("rest") }
    static let bad = Result { try load("rest_bad") }

    private static func load(_ name: String) throws -> DescriptorPool {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "Protos/test/\(name).binpb")
        return try DescriptorPool(fileDescriptorSets: [Array(try Data(contentsOf: file))])
    }
}

/// The fields of an encoded message in wire order: `text="a" longs=1 child{flag=1}`.
func described(
    _ wire: Span<UInt8>, _ message: Int32, _ pool: DescriptorPool
) throws -> String {
    let tables = pool.tables
    let entry = tables.message(message)
    var parts: [String] = []
    var reader = WireReader(wire)
    while let tag = try reader.readTag() {
        let ordinal = tables.ordinal(ofNumber: UInt32(tag.number), in: entry)
        guard ordinal >= 0 else {
            parts.append("\(tag.number)?")
            try reader.skip(tag)
            continue
        }
        let index = entry.firstField + ordinal
        let field = tables.field(index)
        let name = pool.fieldName(index, json: false)
        switch (tag.type, field.kind) {
        case (.lengthDelimited, .message):
            let nested = try reader.readBytes(tag)
            parts.append("\(name){\(try described(nested, field.typeIndex, pool))}")
        case (.lengthDelimited, .string):
            parts.append("\(name)=\"\(try reader.readString(tag))\"")
        case (.lengthDelimited, _):
            let bytes = try reader.readBytes(tag)
            parts.append("\(name)=\(bytes.indices.map { bytes[$0] })")
        case (.varint, .sint32): parts.append("\(name)=\(try reader.readSInt32(tag))")
        case (.varint, _): parts.append("\(name)=\(try reader.readInt64(tag))")
        case (.fixed64, .double): parts.append("\(name)=\(try reader.readDouble(tag))")
        case (.fixed64, _): parts.append("\(name)=\(try reader.readFixed64())")
        case (.fixed32, .float): parts.append("\(name)=\(try reader.readFloat(tag))")
        default: try reader.skip(tag)
        }
    }
    return parts.joined(separator: " ")
}
