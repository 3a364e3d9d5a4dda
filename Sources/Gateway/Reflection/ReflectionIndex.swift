import ProtoRuntime
import Transcode

/// Everything that reflection tells of a set of services: files by name and by what they declare. Immutable, shared by
/// all threads.
final class ReflectionIndex: Sendable {
    /// Full names of the services, those that are answered here among them.
    let services: [String]
    private let pool: DescriptorPool
    private let files: [File]
    private let filesByName: [String: Int]
    /// Files by full names: see `FileOutline.symbols`.
    private let filesBySymbol: [String: Int]

    private struct File: Sendable {
        let bytes: [UInt8]
        /// Files it imports, as indices.
        let imports: [Int]
    }

    /// What the gateway serves: the services of `methods`, and its own.
    convenience init(_ methods: MethodTable) {
        var seen = LocalServices.names
        let services = methods.methods.compactMap { method in
            let service = method.descriptor.fullName.dropLast(method.descriptor.name.count + 1)
            return seen.insert(String(service)).inserted ? String(service) : nil
        }
        self.init(pool: methods.pool, services: services)
    }

    /// `services` of `pool`, and the gateway's own, described by their own files unless the pool has them.
    init(pool: DescriptorPool, services: [String]) {
        self.services = services + LocalServices.names.sorted()
        self.pool = pool
        var builder = Builder()
        for file in pool.files { builder.add(file.serialized) }
        for file in LocalDescriptors.files() { builder.add(file) }
        let byName = builder.byName
        filesByName = byName
        filesBySymbol = builder.bySymbol
        files = builder.files.map { bytes, outline in
            File(bytes: bytes, imports: outline.imports.compactMap { byName[$0] })
        }
    }

    private struct Builder {
        var files: [(bytes: [UInt8], outline: FileOutline)] = []
        var byName: [String: Int] = [:]
        var bySymbol: [String: Int] = [:]

        /// The first file of a name, and the first that declares a symbol, stay.
        mutating func add(_ bytes: [UInt8]) {
            // Files of a pool were read before.
            guard let outline = try? FileOutline(bytes), byName[outline.name] == nil else { return }
            if outline.services.contains(where: { bySymbol[$0] != nil }) { return }
            byName[outline.name] = files.count
            for symbol in outline.symbols where bySymbol[symbol] == nil {
                bySymbol[symbol] = files.count
            }
            files.append((bytes, outline))
        }
    }

    // MARK: Looking up

    /// Index of the file with that name.
    func file(named name: String) -> Int? { filesByName[name] }

    /// Index of the file that declares the service, method, type, enum value, extension or field with that full name.
    func file(declaring symbol: String) -> Int? {
        if let file = filesBySymbol[symbol] { return file }
        guard let dot = symbol.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let parent = String(symbol[..<dot])
        let field = String(symbol[symbol.utf8.index(after: dot)...])
        guard let message = pool.messageIndex(named: parent),
            pool.fieldIndex(named: field, in: message) != nil
        else { return nil }
        return filesBySymbol[parent]
    }

    /// Index of the file that declares extension `number` of the message `type`.
    func file(extending type: String, number: Int32) -> Int? {
        guard let message = pool.messageIndex(named: type) else { return nil }
        let found = pool.extensions.first {
            $0.extendee == message && pool.tables.field($0.field).number == number
        }
        return found.flatMap { filesByName[$0.file] }
    }

    /// Numbers of all extensions of the message, ascending; nil when there is no such message.
    func extensionNumbers(of type: String) -> [Int32]? {
        guard let message = pool.messageIndex(named: type) else {
            return filesBySymbol[type] == nil ? nil : []
        }
        return pool.extensions.filter { $0.extendee == message }
            .map { Int32(truncatingIfNeeded: pool.tables.field($0.field).number) }.sorted()
    }

    func bytes(of file: Int) -> [UInt8] { files[file].bytes }
    func imports(of file: Int) -> [Int] { files[file].imports }
    var fileCount: Int { files.count }
}
