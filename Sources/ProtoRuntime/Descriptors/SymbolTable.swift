/// What a full name stands for.
struct Symbol {
    enum Kind {
        case package, message, enumeration, enumValue, field, oneof, `extension`, service, method
    }

    let kind: Kind
    /// Index of the declaring file; of a package, the first one.
    let file: Int
    /// Index among the messages or enums; -1 for the other kinds.
    var index: Int32 = -1

    var isType: Bool { kind == .message || kind == .enumeration }

    /// Whether names may stand inside it.
    var isAggregate: Bool {
        switch kind {
        case .package, .message, .enumeration, .service: true
        case .enumValue, .field, .oneof, .extension, .method: false
        }
    }
}

/// All full names of a pool, and protobuf's rules for finding them: C++ scoping for relative names, and only what the
/// file itself, its imports and their public imports declare.
struct SymbolTable {
    private let files: [SourceFile]
    private var symbols: [String: Symbol] = [:]
    /// Bytes of all names declared so far.
    private var nameBytes = 0
    /// `visibleFrom[file] == present` when the file that is being linked may see `file`.
    private var visibleFrom: [Int]
    private var present = -1

    /// Packages may have this many parts, as in protoc.
    static let packagePartsMax = 100
    /// All full names together. Deep nesting makes long names from short declarations, so the size of a set does not
    /// bound them.
    static let nameBytesMax = 1 << 27

    init(_ files: [SourceFile]) {
        self.files = files
        visibleFrom = Array(repeating: -1, count: files.count)
    }

    // MARK: - Declaring

    /// Records a name. Throws when it is taken or is not a name.
    mutating func declare(_ fullName: String, name: String, _ symbol: Symbol)
        throws(DescriptorError)
    {
        let file = files[symbol.file].name
        guard SymbolTable.isIdentifier(name) else {
            throw DescriptorError(
                .invalidName, file: file, symbol: fullName,
                name.isEmpty ? "a declaration has no name" : "\"\(name)\" is not a valid identifier"
            )
        }
        guard fullName.utf8.count <= Int(UInt16.max) else {
            throw DescriptorError(
                .limit, file: file, symbol: String(fullName.prefix(60)) + "…",
                "a full name of \(fullName.utf8.count) bytes; the limit is \(UInt16.max)")
        }
        nameBytes += fullName.utf8.count
        guard nameBytes <= SymbolTable.nameBytesMax else {
            throw DescriptorError(
                .limit, file: file,
                "the names of all types exceed \(SymbolTable.nameBytesMax) bytes")
        }
        if let other = symbols[fullName] {
            let place = files[other.file].name
            throw DescriptorError(
                .duplicateSymbol, file: file, symbol: fullName,
                place == file
                    ? "is declared twice in this file" : "is already declared in \"\(place)\"")
        }
        symbols[fullName] = symbol
    }

    /// Records a package and all that enclose it; many files may share one.
    mutating func declarePackage(_ package: String, file: Int) throws(DescriptorError) {
        guard !package.isEmpty else { return }
        let parts = package.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= SymbolTable.packagePartsMax else {
            throw DescriptorError(
                .limit, file: files[file].name,
                "the package has \(parts.count) parts; the limit is \(SymbolTable.packagePartsMax)")
        }
        var fullName = ""
        for part in parts {
            fullName += fullName.isEmpty ? String(part) : "." + part
            if symbols[fullName]?.kind == .package { continue }
            try declare(fullName, name: String(part), Symbol(kind: .package, file: file))
        }
    }

    /// Letters, digits and underscores, at least one; like protoc, a leading digit is not refused here.
    private static func isIdentifier(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                let letter = byte | 0x20
                return letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
                    || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
                    || byte == UInt8(ascii: "_")
            }
    }

    // MARK: - Finding

    /// Makes `file` the one whose imports decide what is visible.
    mutating func enter(_ file: Int) {
        guard present != file else { return }
        present = file
        visibleFrom[file] = file
        var pending = files[file].imports
        while let next = pending.popLast() {
            guard visibleFrom[next] != file else { continue }
            visibleFrom[next] = file
            pending += files[next].publicImports
        }
    }

    /// Name of the file last entered.
    var presentFile: String { present < 0 ? "" : files[present].name }

    /// Finds the type that `name` means inside `scope` (the full name of the field or method that uses it), as seen
    /// from the file last entered.
    func resolve(_ name: String, in scope: String) throws(DescriptorError) -> Symbol {
        if name.hasPrefix(".") {
            let absolute = String(name.dropFirst())
            guard let symbol = visible(absolute) else { throw unknown(name, absolute, in: scope) }
            return symbol
        }
        let first = String(name.prefix { $0 != "." })
        var enclosing = Substring(scope)
        while let dot = enclosing.lastIndex(of: ".") {
            enclosing = enclosing[..<dot]
            guard let symbol = visible("\(enclosing).\(first)") else { continue }
            if first.utf8.count == name.utf8.count {
                if symbol.isType { return symbol }
            } else if symbol.isAggregate {
                let absolute = "\(enclosing).\(name)"
                guard let symbol = visible(absolute) else {
                    throw unknown(name, absolute, in: scope)
                }
                return symbol
            }
        }
        guard let symbol = visible(name) else { throw unknown(name, name, in: scope) }
        return symbol
    }

    private func visible(_ fullName: String) -> Symbol? {
        guard let symbol = symbols[fullName] else { return nil }
        if visibleFrom[symbol.file] == present { return symbol }
        guard symbol.kind == .package else { return nil }
        // The package's first file is not imported, but another of its files may be.
        let inside = files.indices.contains { index in
            visibleFrom[index] == present
                && (files[index].package == fullName
                    || files[index].package.hasPrefix(fullName + "."))
        }
        return inside ? symbol : nil
    }

    private func unknown(_ name: String, _ absolute: String, in scope: String) -> DescriptorError {
        let file = files[present].name
        if let hidden = symbols[absolute], hidden.kind != .package {
            return DescriptorError(
                .unknownType, file: file, symbol: scope,
                "\"\(name)\" is declared in \"\(files[hidden.file].name)\", "
                    + "which this file does not import")
        }
        let meaning = name == absolute || name == "." + absolute ? "" : " (here \"\(absolute)\")"
        return DescriptorError(
            .unknownType, file: file, symbol: scope, "type \"\(name)\"\(meaning) is not defined")
    }
}
