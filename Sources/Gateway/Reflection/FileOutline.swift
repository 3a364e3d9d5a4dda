import ProtoRuntime

/// What reflection needs to know of a serialized FileDescriptorProto, read without linking it.
struct FileOutline: Equatable {
    private(set) var name = ""
    private(set) var package = ""
    /// Names of the imported files.
    private(set) var imports: [String] = []
    /// Those of `imports` that may be missing, by position.
    private(set) var weakImports: Set<Int> = []
    /// Full names of the services.
    private(set) var services: [String] = []
    /// Full names of everything that is declared but for fields and oneofs: services, methods, messages, enums, enum
    /// values and extensions.
    private(set) var symbols: [String] = []

    init(_ file: [UInt8]) throws(WireError) {
        var reader = WireReader(file.span)
        var declared = Declared()
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1: name = try reader.readString(tag)
            case 2: package = try reader.readString(tag)
            case 3: imports.append(try reader.readString(tag))
            case 4: try declared.readMessage(reader.readMessage(tag), scope: "")
            case 5: try declared.readEnum(reader.readMessage(tag), scope: "")
            case 6: services.append(try declared.readService(reader.readMessage(tag)))
            case 7: try declared.readNamed(reader.readMessage(tag), scope: "")
            case 11:
                var packed = try reader.readPacked(tag, of: .varint)
                while !packed.isAtEnd {
                    weakImports.insert(Int(truncatingIfNeeded: try packed.readVarint()))
                }
            default: try reader.skip(tag)
            }
        }
        let prefix = package.isEmpty ? "" : package + "."
        services = services.map { prefix + $0 }
        symbols = declared.names.map { prefix + $0 }
    }

    /// The same file under another name, its imports in their order under others.
    static func renamed(
        _ file: [UInt8], as name: String, imports: [String]
    ) throws(WireError) -> [UInt8] {
        var reader = WireReader(file.span)
        var output = OutputBlock()
        var names = imports.makeIterator()
        var start = 0
        while let tag = try reader.readTag() {
            try reader.skip(tag)
            switch tag.number {
            case 1: output.appendField(1, string: name)
            case 3: output.appendField(3, string: names.next() ?? "")
            default: output.append(file.span.extracting(start..<reader.offset))
            }
            start = reader.offset
        }
        return [UInt8](copying: output.bytes)
    }

    /// Imports that must be there.
    var neededImports: [String] {
        imports.enumerated().filter { !weakImports.contains($0.offset) }.map(\.element)
    }
}

/// Collects names, relative to the package.
private struct Declared {
    var names: [String] = []

    /// A declaration of which only the name (field 1) matters.
    /// - Returns: its name in `scope`.
    @discardableResult
    mutating func readNamed(_ reader: consuming WireReader, scope: String) throws(WireError)
        -> String
    {
        var reader = reader
        var name = ""
        while let tag = try reader.readTag() {
            if tag.number == 1 { name = try reader.readString(tag) } else { try reader.skip(tag) }
        }
        names.append(scope + name)
        return scope + name
    }

    /// DescriptorProto. The reader limits how deep messages nest.
    mutating func readMessage(_ reader: WireReader, scope: String) throws(WireError) {
        let inner = try readNamed(reader, scope: scope) + "."
        var reader = reader
        while let tag = try reader.readTag() {
            switch tag.number {
            case 3: try readMessage(reader.readMessage(tag), scope: inner)
            case 4: try readEnum(reader.readMessage(tag), scope: inner)
            case 6: try readNamed(reader.readMessage(tag), scope: inner)
            default: try reader.skip(tag)
            }
        }
    }

    /// EnumDescriptorProto: its values stand in the scope of the enum itself.
    mutating func readEnum(_ reader: WireReader, scope: String) throws(WireError) {
        try readNamed(reader, scope: scope)
        var reader = reader
        while let tag = try reader.readTag() {
            switch tag.number {
            case 2: try readNamed(reader.readMessage(tag), scope: scope)
            default: try reader.skip(tag)
            }
        }
    }

    /// ServiceDescriptorProto.
    /// - Returns: its name.
    mutating func readService(_ reader: WireReader) throws(WireError) -> String {
        let name = try readNamed(reader, scope: "")
        var reader = reader
        while let tag = try reader.readTag() {
            switch tag.number {
            case 2: try readNamed(reader.readMessage(tag), scope: name + ".")
            default: try reader.skip(tag)
            }
        }
        return name
    }
}
