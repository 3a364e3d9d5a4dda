import SwiftProtobuf

/// One parsed file before linking.
struct SourceFile {
    let name: String
    let package: String
    let proto: Google_Protobuf_FileDescriptorProto
    /// The encoded FileDescriptorProto without source_code_info.
    let bytes: [UInt8]
    let edition: Edition
    /// The file's own features.
    let features: Features
    /// Files it imports, as indices in the set; missing weak imports are left out.
    var imports: [Int] = []
    /// Those of `imports` that are `import public`.
    var publicImports: [Int] = []
}

/// The files of all sets, merged by name, in order of first appearance, with their imports bound.
struct FileSet {
    private(set) var files: [SourceFile] = []
    private var indexByName: [String: Int] = [:]

    /// `common` is one more set, of which only what fits is taken.
    init(_ sets: [[UInt8]], common: [UInt8] = []) throws(DescriptorError) {
        for (index, set) in sets.enumerated() {
            for file in try FileSet.parse(set: set, ordinal: index + 1) { try merge(file) }
        }
        let added = try FileSet.parse(set: common, ordinal: sets.count + 1)
        for file in CommonTypes.fitting(added, into: files) { try merge(file) }
        for index in files.indices { try bindImports(of: index) }
        try refuseCycles()
    }

    /// The files of one serialized FileDescriptorSet. `ordinal` counts the sets from 1, for errors.
    private static func parse(set: [UInt8], ordinal: Int) throws(DescriptorError) -> [SourceFile] {
        let pieces: [[UInt8]]
        do throws(WireError) {
            pieces = try FileSet.split(set)
        } catch {
            throw DescriptorError(
                .malformed, file: "",
                "descriptor set \(ordinal) is not a serialized FileDescriptorSet: \(error)")
        }
        var files: [SourceFile] = []
        for (index, bytes) in pieces.enumerated() {
            files.append(
                try parse(bytes, place: "file \(index + 1) of descriptor set \(ordinal)"))
        }
        return files
    }

    /// The encoded files of a set, each without its source_code_info (field 9): comments need not be UTF-8, take most
    /// of the bytes, and nothing here reads them.
    private static func split(_ set: [UInt8]) throws(WireError) -> [[UInt8]] {
        var files: [[UInt8]] = []
        var reader = WireReader(set.span)
        while let tag = try reader.readTag() {
            guard tag.number == 1 else {
                try reader.skip(tag)
                continue
            }
            try reader.expect(.lengthDelimited, tag)
            files.append(try withoutSourceInfo(try reader.readNested(), in: set))
        }
        return files
    }

    /// The encoded file that `file` reads, which stands in `bytes`, without its source_code_info.
    static func withoutSourceInfo(_ file: consuming WireReader, in bytes: [UInt8]) throws(WireError)
        -> [UInt8]
    {
        var file = file
        var kept: [UInt8] = []
        var start = file.offset
        while let field = try file.readTag() {
            try file.skip(field)
            if field.number != 9 { kept += bytes[start..<file.offset] }
            start = file.offset
        }
        return kept
    }

    /// `place` says which file this is, while its name is not known.
    static func parse(_ bytes: [UInt8], place: String) throws(DescriptorError) -> SourceFile {
        let proto: Google_Protobuf_FileDescriptorProto
        do {
            proto = try Google_Protobuf_FileDescriptorProto(serializedBytes: bytes, partial: true)
        } catch {
            throw DescriptorError(
                .malformed, file: "", "\(place) is not a FileDescriptorProto (\(error))")
        }
        guard !proto.name.isEmpty else {
            throw DescriptorError(.malformed, file: "", "\(place) has no name")
        }
        let edition = try edition(of: proto)
        let defaults = Features(defaultsOf: edition)
        return SourceFile(
            name: proto.name, package: proto.package, proto: proto, bytes: bytes,
            edition: edition,
            features: edition.hasFeatures ? defaults.merging(proto.options.features) : defaults)
    }

    private static func edition(of proto: Google_Protobuf_FileDescriptorProto)
        throws(DescriptorError) -> Edition
    {
        switch proto.syntax {
        case "", "proto2": return .proto2
        case "proto3": return .proto3
        case "editions": break
        default:
            throw DescriptorError(
                .unsupported, file: proto.name,
                "syntax \"\(proto.syntax)\" is none of proto2, proto3 and editions")
        }
        guard let number = editionNumber(of: proto) else {
            throw DescriptorError(
                .unsupported, file: proto.name, "syntax is \"editions\", but no edition is given")
        }
        guard let edition = Edition(rawValue: number) else {
            throw DescriptorError(
                .unsupported, file: proto.name,
                "edition number \(number) is not supported; the known ones are 998 (proto2), "
                    + "999 (proto3), 1000 (2023) and 1001 (2024)")
        }
        return edition
    }

    /// The edition's number; one that SwiftProtobuf's closed enum does not list stands in the unknown fields.
    private static func editionNumber(of proto: Google_Protobuf_FileDescriptorProto) -> Int32? {
        if proto.hasEdition { return Int32(truncatingIfNeeded: proto.edition.rawValue) }
        let unknown = [UInt8](proto.unknownFields.data)
        var reader = WireReader(unknown.span)
        var number: Int32?
        while let tag = try? reader.readTag() {
            if tag.number == 14, let value = try? reader.readInt32(tag) {
                number = value
            } else if (try? reader.skip(tag)) == nil {
                break
            }
        }
        return number
    }

    // MARK: - Merging

    private mutating func merge(_ file: SourceFile) throws(DescriptorError) {
        guard let known = indexByName[file.name] else {
            indexByName[file.name] = files.count
            files.append(file)
            return
        }
        if FileSet.same(files[known], file) { return }
        guard CommonTypes.isVersioned(file.name) else {
            throw DescriptorError(
                .conflictingFile, file: file.name,
                "the descriptor sets hold two files of this name with different content")
        }
        if CommonTypes.isNewer(file, than: files[known]) { files[known] = file }
    }

    /// Equal but for json_name entries that only spell out the default.
    static func same(_ left: SourceFile, _ right: SourceFile) -> Bool {
        left.bytes == right.bytes || normalised(left.proto) == normalised(right.proto)
    }

    private static func normalised(_ file: Google_Protobuf_FileDescriptorProto)
        -> Google_Protobuf_FileDescriptorProto
    {
        var file = file
        file.messageType = file.messageType.map(normalised)
        file.extension = file.extension.map(normalised)
        return file
    }

    private static func normalised(_ message: Google_Protobuf_DescriptorProto)
        -> Google_Protobuf_DescriptorProto
    {
        var message = message
        message.field = message.field.map(normalised)
        message.extension = message.extension.map(normalised)
        message.nestedType = message.nestedType.map(normalised)
        return message
    }

    private static func normalised(_ field: Google_Protobuf_FieldDescriptorProto)
        -> Google_Protobuf_FieldDescriptorProto
    {
        var field = field
        if field.jsonName == JSONName.camelCase(field.name) { field.clearJsonName() }
        return field
    }

    // MARK: - Imports

    private mutating func bindImports(of index: Int) throws(DescriptorError) {
        let file = files[index]
        let weak = Set(file.proto.weakDependency.map(Int.init))
        var bound: [Int?] = []
        for (position, name) in file.proto.dependency.enumerated() {
            bound.append(indexByName[name])
            if bound[position] == nil && !weak.contains(position) {
                throw DescriptorError(
                    .missingImport, file: file.name,
                    "imports \"\(name)\", which is in none of the descriptor sets "
                        + "(protoc needs --include_imports)")
            }
        }
        files[index].imports = bound.compactMap { $0 }
        for position in file.proto.publicDependency {
            guard position >= 0, Int(position) < bound.count else {
                throw DescriptorError(
                    .malformed, file: file.name,
                    "public_dependency \(position) is not the index of an import")
            }
            if let imported = bound[Int(position)] { files[index].publicImports.append(imported) }
        }
    }

    /// Walks the imports depth first with its own stack (a chain may be as long as the set) and refuses a way back.
    private func refuseCycles() throws(DescriptorError) {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: files.count)
        for root in files.indices where marks[root] == .new {
            var path: [(file: Int, next: Int)] = [(root, 0)]
            marks[root] = .open
            while let (file, next) = path.last {
                guard next < files[file].imports.count else {
                    marks[file] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let imported = files[file].imports[next]
                if marks[imported] == .open { throw cycle(path.map(\.file), to: imported) }
                if marks[imported] == .new {
                    marks[imported] = .open
                    path.append((imported, 0))
                }
            }
        }
    }

    private func cycle(_ path: [Int], to file: Int) -> DescriptorError {
        let start = path.firstIndex(of: file) ?? 0
        let names = (path[start...] + [file]).map { "\"\(files[$0].name)\"" }
        return DescriptorError(
            .importCycle, file: files[file].name,
            "imports itself: \(names.joined(separator: " imports "))")
    }
}
