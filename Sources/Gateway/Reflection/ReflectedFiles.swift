import ProtoRuntime

/// The files that came by reflection, each once.
struct ReflectedFiles {
    private struct Known {
        let bytes: [UInt8]
        let outline: FileOutline
    }

    private var files: [String: Known] = [:]
    /// File names in order of arrival.
    private var order: [String] = []
    /// Files by the full names of the services that they declare.
    private var declaring: [String: String] = [:]
    /// Imports that were named to the caller.
    private var wanted: Set<String> = []
    private var byteCount = 0

    func contains(file name: String) -> Bool { files[name] != nil }
    func file(declaring service: String) -> String? { declaring[service] }

    /// Takes a serialized FileDescriptorProto.
    /// - Returns: imports that are wanted from now on; some may come by themselves.
    mutating func add(_ bytes: [UInt8], limits: ReflectionLimits) throws(ReflectionError)
        -> [String]
    {
        let outline: FileOutline
        do throws(WireError) {
            outline = try FileOutline(bytes)
        } catch {
            throw .malformed("an answer holds something that is no FileDescriptorProto: \(error)")
        }
        guard !outline.name.isEmpty else { throw .malformed("an answer holds a file without name") }
        if let known = files[outline.name] {
            guard FileDescriptor.isSame(known.bytes, bytes) else {
                throw .conflictingFile(outline.name)
            }
            return []
        }
        guard files.count < limits.filesMax else {
            throw .limit("more than \(limits.filesMax) files")
        }
        guard bytes.count <= limits.fileBytesMax - byteCount else {
            throw .limit("files of more than \(limits.fileBytesMax) bytes in all")
        }
        byteCount += bytes.count
        files[outline.name] = Known(bytes: bytes, outline: outline)
        order.append(outline.name)
        for service in outline.services where declaring[service] == nil {
            declaring[service] = outline.name
        }
        let added = outline.imports.filter { files[$0] == nil && wanted.insert($0).inserted }
        guard wanted.count <= limits.questionsMax else {
            throw .limit("more than \(limits.questionsMax) imports")
        }
        return added
    }

    /// The files that cannot be linked because an import is missing, directly or farther away, each with the reason.
    /// `whyMissing` tells why a file did not come.
    func broken(_ whyMissing: (String) -> String) -> [String: String] {
        var importers: [String: [String]] = [:]
        var broken: [String: String] = [:]
        var spreading: [String] = []
        for name in order {
            guard let outline = files[name]?.outline else { continue }
            for imported in outline.neededImports {
                if files[imported] != nil {
                    importers[imported, default: []].append(name)
                } else if broken[name] == nil {
                    broken[name] =
                        "imports \"\(imported)\", which is missing: \(whyMissing(imported))"
                    spreading.append(name)
                }
            }
        }
        while let name = spreading.popLast() {
            let reason = broken[name] ?? ""
            for importer in importers[name] ?? [] where broken[importer] == nil {
                broken[importer] = "imports \(name), which \(reason)"
                spreading.append(importer)
            }
        }
        return broken
    }

    /// The files that are left, in order of arrival.
    func usable(without broken: [String: String]) -> [[UInt8]] {
        order.compactMap { broken[$0] == nil ? files[$0]?.bytes : nil }
    }
}
