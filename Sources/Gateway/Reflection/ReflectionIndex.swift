import ProtoRuntime
import Transcode

/// Everything that reflection tells of a set of services: files by name and by what they declare. Immutable, shared by
/// all threads.
final class ReflectionIndex: Sendable {
    /// Full names of the services, those that are answered here among them.
    let services: [String]
    private let pools: [DescriptorPool]
    private let catalog: FileCatalog
    /// By the pool's own names of its files.
    private let filesByPool: [[String: Int]]

    /// What the gateway serves: the services of `methods`, and its own.
    convenience init(_ methods: MethodTable) {
        var seen = LocalServices.names
        let services = methods.methods.compactMap { method -> Service? in
            let name = String(
                method.descriptor.fullName.dropLast(method.descriptor.name.count + 1))
            guard seen.insert(name).inserted else { return nil }
            return Service(name: name, pool: Int(method.pool))
        }
        self.init(methods.pools, services: services)
    }

    /// One that is described, and in which of the pools.
    struct Service {
        let name: String
        let pool: Int
    }

    /// These services of `pools`, and the gateway's own, described by their own files unless a pool has them.
    init(_ pools: [DescriptorPool], services: [Service]) {
        self.services = services.map(\.name) + LocalServices.names.sorted()
        self.pools = pools
        var catalog = FileCatalog()
        let added = pools.map { catalog.add($0) }
        for service in services {
            let declared = pools[service.pool].services.first { $0.fullName == service.name }
            if let file = declared.flatMap({ added[service.pool][$0.file] }) {
                catalog.prefer(file, for: service.name)
            }
        }
        for file in LocalDescriptors.files() { catalog.addUnlessDeclared(file) }
        self.catalog = catalog
        filesByPool = added
    }

    // MARK: Looking up

    /// Index of the file with that name.
    func file(named name: String) -> Int? { catalog.filesByName[name] }

    /// Index of the file that declares the service, method, type, enum value, extension or field with that full name.
    func file(declaring symbol: String) -> Int? {
        if let file = catalog.filesBySymbol[symbol] { return file }
        guard let dot = symbol.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let parent = String(symbol[..<dot])
        let field = String(symbol[symbol.utf8.index(after: dot)...])
        for pool in pools {
            guard let message = pool.messageIndex(named: parent),
                pool.fieldIndex(named: field, in: message) != nil
            else { continue }
            return catalog.filesBySymbol[parent]
        }
        return nil
    }

    /// Index of the file that declares extension `number` of the message `type`.
    func file(extending type: String, number: Int32) -> Int? {
        for (index, pool) in pools.enumerated() {
            guard let message = pool.messageIndex(named: type) else { continue }
            let found = pool.extensions.first {
                $0.extendee == message && pool.tables.field($0.field).number == number
            }
            if let found { return filesByPool[index][found.file] }
        }
        return nil
    }

    /// Numbers of all extensions of the message, ascending; nil when there is no such message.
    func extensionNumbers(of type: String) -> [Int32]? {
        var numbers: Set<Int32> = []
        var isKnown = catalog.filesBySymbol[type] != nil
        for pool in pools {
            guard let message = pool.messageIndex(named: type) else { continue }
            isKnown = true
            for found in pool.extensions where found.extendee == message {
                numbers.insert(Int32(truncatingIfNeeded: pool.tables.field(found.field).number))
            }
        }
        return isKnown ? numbers.sorted() : nil
    }

    func bytes(of file: Int) -> [UInt8] { catalog.files[file].bytes }
    func imports(of file: Int) -> [Int] { catalog.files[file].imports }
    var fileCount: Int { catalog.files.count }
}
