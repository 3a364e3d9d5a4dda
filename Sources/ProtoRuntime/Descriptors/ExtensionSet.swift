import SwiftProtobuf

/// All extensions of a pool, resolved, with the fields that each message gets from them.
///
/// An extension is a field of the message that it extends: it stands among that message's own fields, by number,
/// as serializers write it. Only its name, `[pkg.name]`, tells it apart.
struct ExtensionSet {
    /// One extension.
    struct Resolved {
        let declared: DeclaredExtension
        let field: ResolvedField
        let extendee: Int32
        /// Whether it stands among its message's fields. Otherwise nothing reads or writes it: extensions of a
        /// MessageSet, which has no JSON form, and options whose number another option has.
        let isMember: Bool
    }

    private(set) var all: [Resolved] = []
    private var members: [Int32: [ResolvedField]] = [:]

    init(_ declared: Declarations, _ files: [SourceFile], _ resolver: inout FieldResolver)
        throws(DescriptorError)
    {
        var owners: [Key: String] = [:]
        for declaration in declared.extensions {
            let (field, extendee) = try resolver.extension(declaration)
            let message = declared.messages[Int(extendee)]
            func error(_ text: String) -> DescriptorError {
                DescriptorError(
                    .invalidNumber, file: files[declaration.file].name,
                    symbol: declaration.fullName, text)
            }
            guard message.proto.extensionRange.contains(where: { $0.holds(field.number) }) else {
                throw error(
                    "\(field.number) is not among the extension numbers of \(message.fullName)")
            }
            let owner = owners.updateValue(
                declaration.fullName, forKey: Key(extendee: extendee, number: field.number))
            if let owner, !ExtensionSet.isOptions(message.fullName) {
                throw error("\(message.fullName) has the extension \"\(owner)\" of this number")
            }
            let isMember = owner == nil && !message.proto.options.messageSetWireFormat
            if isMember { members[extendee, default: []].append(field) }
            all.append(
                Resolved(
                    declared: declaration, field: field, extendee: extendee, isMember: isMember))
        }
    }

    /// The fields that the message with that index gets from extensions.
    func fields(of message: Int32) -> [ResolvedField] { members[message] ?? [] }

    private struct Key: Hashable {
        let extendee: Int32
        let number: Int32
    }

    /// Options meet in one set from many owners, who take numbers from 50000 on as they like; no client sees them.
    private static func isOptions(_ fullName: String) -> Bool {
        fullName.hasPrefix("google.protobuf.") && fullName.hasSuffix("Options")
    }
}

extension Google_Protobuf_DescriptorProto.ExtensionRange {
    /// Whether the number lies in the range, whose end is exclusive.
    fileprivate func holds(_ number: Int32) -> Bool { number >= start && number < end }
}
