import SwiftProtobuf

/// Types that every pool has, though no service may import them: the well-known types of protobuf, google.rpc.Status
/// and the error details, all of which an Any may bring. And the rules by which such files, which come with every
/// descriptor set in some version, get along.
public enum CommonTypes {
    /// A serialized FileDescriptorSet: `Protos/common.binpb`.
    public static func fileDescriptorSet() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encoded.utf8.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for character in encoded.utf8 {
            guard let digit = digit(character) else { break }
            bits = bits << 6 | digit
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }

    /// The six bits of a base64 digit; nil for padding.
    private static func digit(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character) - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character) - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character) + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    // MARK: - Adding them

    /// Those of `common`, imports before what imports them, that can be added to `files`: no file of that name is
    /// there, no declaration has the same full name, and what they import declares what they use.
    static func fitting(_ common: [SourceFile], into files: [SourceFile]) -> [SourceFile] {
        var names = Set(files.map(\.name))
        var owners: [String: String] = [:]
        for file in files { record(file, in: &owners) }
        var added: [SourceFile] = []
        for file in common where !names.contains(file.name) {
            let own = topLevelNames(file)
            let packages = prefixes(of: file.package)
            let isFree = (own + packages).allSatisfy { owners[$0] == nil }
            let isComplete = importedTypes(file, own: Set(own)).allSatisfy { type in
                owners[type].map { file.proto.dependency.contains($0) } ?? false
            }
            guard isFree, isComplete else { continue }
            names.insert(file.name)
            record(file, in: &owners)
            added.append(file)
        }
        return added
    }

    private static func record(_ file: SourceFile, in owners: inout [String: String]) {
        for name in topLevelNames(file) { owners[name] = file.name }
    }

    /// Full names of what stands at the top of the file, enum values among it.
    private static func topLevelNames(_ file: SourceFile) -> [String] {
        let proto = file.proto
        let names =
            proto.messageType.map(\.name) + proto.enumType.map(\.name)
            + proto.enumType.flatMap { $0.value.map(\.name) } + proto.service.map(\.name)
            + proto.extension.map(\.name)
        return names.map { file.package.isEmpty ? $0 : "\(file.package).\($0)" }
    }

    /// "a.b.c" as "a", "a.b" and "a.b.c": none of them may be the name of a type.
    private static func prefixes(of package: String) -> [String] {
        package.indices.filter { package[$0] == "." }.map { String(package[..<$0]) } + [package]
    }

    /// Full names of the types, declared elsewhere, that the file's messages have fields of.
    private static func importedTypes(_ file: SourceFile, own: Set<String>) -> [String] {
        var types: [String] = []
        func collect(_ messages: [Google_Protobuf_DescriptorProto]) {
            for message in messages {
                types += message.field.map { String($0.typeName.dropFirst()) }
                collect(message.nestedType)
            }
        }
        collect(file.proto.messageType)
        return types.filter { type in
            !type.isEmpty && !own.contains { type == $0 || type.hasPrefix($0 + ".") }
        }
    }

    // MARK: - Versions of one file

    /// Whether files of that name come with many descriptor sets, in versions that only grow.
    public static func isVersioned(_ name: String) -> Bool {
        versionedFolders.contains { name.hasPrefix($0) }
    }

    private static let versionedFolders = [
        "google/protobuf/", "google/api/", "google/rpc/", "google/type/",
    ]

    /// The version that declares more is the newer one.
    static func isNewer(_ left: SourceFile, than right: SourceFile) -> Bool {
        declarationCount(left.proto) > declarationCount(right.proto)
    }

    private static func declarationCount(_ file: Google_Protobuf_FileDescriptorProto) -> Int {
        count(file.messageType) + count(file.enumType) + file.extension.count
            + file.service.reduce(0) { $0 + 1 + $1.method.count }
    }

    private static func count(_ messages: [Google_Protobuf_DescriptorProto]) -> Int {
        messages.reduce(0) { sum, message in
            sum + 1 + message.field.count + message.extension.count + count(message.nestedType)
                + count(message.enumType)
        }
    }

    private static func count(_ enums: [Google_Protobuf_EnumDescriptorProto]) -> Int {
        enums.reduce(0) { $0 + 1 + $1.value.count }
    }
}
