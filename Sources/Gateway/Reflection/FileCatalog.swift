import ProtoRuntime

/// The files of several pools, each under a name of its own. Start-up only.
///
/// Two upstreams may have different files of one name, and a client of reflection knows a file by its name: the later
/// one is told as `2/name`, and so is what imports it, so that what a client collects for one service fits together.
struct FileCatalog: Sendable {
    struct File: Sendable {
        let name: String
        /// As clients are told.
        let bytes: [UInt8]
        /// As it came: with the names of its pool.
        fileprivate let source: [UInt8]
        /// Files it imports, as indices.
        let imports: [Int]
    }

    private(set) var files: [File] = []
    private(set) var filesByName: [String: Int] = [:]
    /// Files by full names, see `FileOutline.symbols`: the first that declares one.
    private(set) var filesBySymbol: [String: Int] = [:]

    /// Adds all files of a pool, imports before what imports them.
    /// - Returns: their indices by the names of the pool.
    mutating func add(_ pool: DescriptorPool) -> [String: Int] {
        let sources = Dictionary(pool.files.map { ($0.name, $0) }) { first, _ in first }
        var added: [String: Int] = [:]
        var seen: Set<String> = []
        // An own stack: a chain of imports may be as long as the pool.
        var open = Array(pool.files.reversed())
        while let file = open.last {
            let imports = file.dependencies.compactMap { sources[$0] }
                .filter { !seen.contains($0.name) }
            guard imports.isEmpty else {
                open += imports
                continue
            }
            open.removeLast()
            if seen.insert(file.name).inserted {
                added[file.name] = add(file.serialized, added)
            }
        }
        return added
    }

    /// Adds one of the gateway's own files, unless it or a service of it is there.
    mutating func addUnlessDeclared(_ bytes: [UInt8]) {
        guard let outline = try? FileOutline(bytes), filesByName[outline.name] == nil,
            !outline.services.contains(where: { filesBySymbol[$0] != nil })
        else { return }
        let imports = outline.imports.compactMap { filesByName[$0] }
        append(File(name: outline.name, bytes: bytes, source: bytes, imports: imports), outline)
    }

    /// The service is declared by this file, whatever other files do.
    mutating func prefer(_ file: Int, for service: String) {
        guard let outline = try? FileOutline(files[file].source) else { return }
        for symbol in outline.symbols where symbol == service || symbol.hasPrefix(service + ".") {
            filesBySymbol[symbol] = file
        }
    }

    /// - Parameter added: the imports, by the names of the pool.
    /// - Returns: the file's index, or that of the same file of an earlier pool.
    private mutating func add(_ bytes: [UInt8], _ added: [String: Int]) -> Int? {
        // Files of a pool were read before.
        guard let outline = try? FileOutline(bytes) else { return nil }
        let imports = outline.imports.compactMap { added[$0] }
        var name = outline.name
        var ordinal = 1
        while let index = filesByName[name] {
            // Versions of protobuf's own files only grow, and clients know them by these names.
            if CommonTypes.isVersioned(name)
                || files[index].imports == imports
                    && FileDescriptor.isSame(files[index].source, bytes)
            {
                return index
            }
            ordinal += 1
            name = "\(ordinal)/\(outline.name)"
        }
        let names = outline.imports.map { added[$0].map { files[$0].name } ?? $0 }
        let renamed = try? FileOutline.renamed(bytes, as: name, imports: names)
        return append(
            File(name: name, bytes: renamed ?? bytes, source: bytes, imports: imports), outline)
    }

    @discardableResult
    private mutating func append(_ file: File, _ outline: FileOutline) -> Int {
        let index = files.count
        filesByName[file.name] = index
        for symbol in outline.symbols where filesBySymbol[symbol] == nil {
            filesBySymbol[symbol] = index
        }
        files.append(file)
        return index
    }
}
