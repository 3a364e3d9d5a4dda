import SwiftProtobuf

/// The oneofs of one message. Those that proto3's `optional` invents have one field and count for presence only; the
/// real ones are numbered anew, without gaps.
struct Oneofs {
    /// By declared index: the number among the real ones, -1 for a synthetic one.
    private let realIndices: [Int16]
    private let options: [Google_Protobuf_FeatureSet?]
    let realCount: Int16

    init(of message: DeclaredMessage, file: SourceFile) throws(DescriptorError) {
        let declared = message.proto.oneofDecl
        var members = [Int](repeating: 0, count: declared.count)
        var optionals = members
        for field in message.proto.field where field.hasOneofIndex {
            guard field.oneofIndex >= 0, Int(field.oneofIndex) < declared.count else {
                throw DescriptorError(
                    .invalidDeclaration, file: file.name,
                    symbol: "\(message.fullName).\(field.name)",
                    "oneof_index \(field.oneofIndex) is out of range; the message declares "
                        + "\(declared.count) oneofs")
            }
            members[Int(field.oneofIndex)] += 1
            if field.proto3Optional { optionals[Int(field.oneofIndex)] += 1 }
        }
        var indices: [Int16] = []
        var count: Int16 = 0
        for index in declared.indices {
            let isSynthetic = members[index] == 1 && optionals[index] == 1
            guard isSynthetic || count < Int16.max else {
                throw DescriptorError(
                    .limit, file: file.name, symbol: message.fullName,
                    "declares more than \(Int16.max) oneofs")
            }
            indices.append(isSynthetic ? -1 : count)
            if !isSynthetic { count += 1 }
        }
        realIndices = indices
        realCount = count
        options = declared.map { oneof in
            file.edition.hasFeatures && oneof.options.hasFeatures ? oneof.options.features : nil
        }
    }

    /// Only for fields of the message that this was made from.
    func realIndex(of field: Google_Protobuf_FieldDescriptorProto) -> Int16 {
        field.hasOneofIndex ? realIndices[Int(field.oneofIndex)] : -1
    }

    /// The features that a field of the message starts from: the message's, overridden by those of its oneof.
    func features(for field: Google_Protobuf_FieldDescriptorProto, inside message: Features)
        -> Features
    {
        guard field.hasOneofIndex, let overrides = options[Int(field.oneofIndex)] else {
            return message
        }
        return message.merging(overrides)
    }
}
