/// All types and services of some descriptor sets, linked. Immutable once built, shared by all threads.
///
/// Malformed or contradictory sets are a `DescriptorError`; no content of a set can trap.
public final class DescriptorPool: Sendable {
    private let storage: TableStorage
    private let messageIndices: [String: Int32]
    private let enumIndices: [String: Int32]
    /// In the order of the files that declare them.
    public let services: [ServiceDescriptor]
    /// In order of first appearance in the sets.
    public let files: [FileDescriptor]
    /// All extension fields.
    public let extensions: [ExtensionDescriptor]

    /// Links serialized FileDescriptorSets, each with all the files it imports, merged by file name. A file that comes
    /// twice with the same content is fine, and so are different versions of protobuf's and googleapis' own files.
    /// - Parameter common: a set whose files are added, each unless a file or a type of `sets` is in its way.
    public init(
        fileDescriptorSets sets: [[UInt8]], common: [UInt8] = CommonTypes.fileDescriptorSet()
    ) throws(DescriptorError) {
        let linker = try DescriptorLinker(sets, common: common)
        storage = TableStorage(linker.contents)
        services = linker.services
        files = linker.fileDescriptors
        extensions = linker.extensions
        messageIndices = DescriptorPool.indices(of: linker.messageNames)
        enumIndices = DescriptorPool.indices(of: linker.enumNames)
    }

    /// The flat tables, valid while this pool lives.
    public var tables: DescriptorTables { storage.tables }

    /// Index of the message with that full name ("pkg.Message", no leading dot).
    public func messageIndex(named fullName: String) -> Int32? { messageIndices[fullName] }

    /// Index of the enum with that full name.
    public func enumIndex(named fullName: String) -> Int32? { enumIndices[fullName] }

    /// Full name of a message. Allocates: not for the hot path.
    public func messageName(_ index: Int32) -> String {
        let entry = tables.message(index)
        return string(tables.text(offset: entry.fullNameOffset, length: entry.fullNameLength))
    }

    /// Full name of an enum.
    public func enumName(_ index: Int32) -> String {
        let entry = tables.enumeration(index)
        return string(tables.text(offset: entry.fullNameOffset, length: entry.fullNameLength))
    }

    /// JSON name or declared name of a field, by its index in `tables.fields`.
    public func fieldName(_ fieldIndex: Int32, json: Bool) -> String {
        let entry = tables.field(fieldIndex)
        return string(
            json
                ? tables.text(offset: entry.nameOffset, length: entry.nameLength)
                : tables.text(offset: entry.protoNameOffset, length: entry.protoNameLength))
    }

    /// Index in `tables.fields` of a message's field, by JSON name or declared name; nil when there is none.
    public func fieldIndex(named name: String, in message: Int32) -> Int32? {
        let entry = tables.message(message)
        let bytes = Array(name.utf8)
        let ordinal = tables.ordinal(named: bytes.span, in: entry)
        return ordinal < 0 ? nil : entry.firstField + ordinal
    }

    private func string(_ bytes: Span<UInt8>) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for index in bytes.indices { result.append(bytes[index]) }
        return String(decoding: result, as: UTF8.self)
    }

    private static func indices(of names: [String]) -> [String: Int32] {
        var indices: [String: Int32] = [:]
        indices.reserveCapacity(names.count)
        for (index, name) in names.enumerated() {
            indices[name] = Int32(truncatingIfNeeded: index)
        }
        return indices
    }
}
