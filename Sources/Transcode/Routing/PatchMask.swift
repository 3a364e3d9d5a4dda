import ProtoRuntime

/// The update mask of a PATCH that came without one: the fields that its JSON body names (SEMANTICS a.8).
///
///     {"title":"Dune","author":{"name":"Frank","born":{}},"tags":[]}  →  title, author.name, author.born, tags
///
/// Paths are in proto names, in the order of the document. They end at repeated fields, maps and every message that
/// has a JSON form of its own (Timestamp, Struct, Any …), since no path leads further. A null names its field: it is
/// to be cleared. Members that the message does not have are left out.
struct PatchMask {
    /// Bytes of all paths together. A short body may name many deep fields: each path says all that is above it.
    static let bytesMax = 64 << 10

    private let tables: DescriptorTables
    /// The google.protobuf.FieldMask field of the request.
    private let field: Int32

    init(_ tables: DescriptorTables, field: Int32) {
        self.tables = tables
        self.field = field
    }

    /// Whether encoded fields of a request hold a mask that names anything.
    static func isGiven(_ field: Int32, in wire: Span<UInt8>, _ tables: DescriptorTables) -> Bool {
        let number = tables.field(field).number
        var reader = WireReader(wire)
        while let tag = try? reader.readTag() {
            if tag.number == number, tag.type == .lengthDelimited {
                if let mask = try? reader.readBytes(tag), mask.count > 0 { return true }
            } else {
                guard (try? reader.skip(tag)) != nil else { return false }
            }
        }
        return false
    }

    /// Appends the mask field for `json[range]`, which was read as the message field `body` before. Throws 400 when it
    /// would be too large.
    func append(
        _ json: borrowing OutputBlock, in range: Range<Int>, of body: Int32,
        into output: inout OutputBlock
    ) throws(Status) {
        guard !range.isEmpty, tables.isPlainMessage(tables.field(body)) else { return }
        var walk = PatchMaskWalk(tables, ByteCursor(json, in: range), bytesMax: range.count)
        do throws(JSONFault) {
            try walk.readDocument(tables.field(body).typeIndex)
        } catch {
            // The codec has read the same bytes, so that nothing else can be wrong with them.
            let name = FieldPath(field).name(tables)
            let why = "the body names more than \(PatchMask.bytesMax) bytes of fields; give a mask"
            throw .violation(
                of: name, why, message: "\(name): \(why)", reason: "patch_mask_too_large")
        }
        guard walk.paths.count > 0 else { return }
        output.appendTag(tables.field(field))
        output.appendVarint(UInt64(walk.paths.count))
        output.append(walk.paths.bytes)
    }
}

extension DescriptorTables {
    /// Whether a JSON object names fields of this one.
    fileprivate func isPlainMessage(_ field: FieldEntry) -> Bool {
        (field.kind == .message || field.kind == .group) && !field.flags.contains(.repeated)
            && message(field.typeIndex).wellKnown == .none
    }
}

/// One pass over the body.
private struct PatchMaskWalk: ~Copyable, ~Escapable {
    private let tables: DescriptorTables
    private var input: ByteCursor
    /// The encoded google.protobuf.FieldMask {paths = 1}.
    private(set) var paths = OutputBlock()
    /// The path of the member being read, in proto names.
    private var path = OutputBlock()
    private var name = OutputBlock()
    private let bytesMax: Int

    @_lifetime(copy input)
    init(_ tables: DescriptorTables, _ input: consuming ByteCursor, bytesMax: Int) {
        self.tables = tables
        self.input = input
        self.bytesMax = bytesMax
    }

    @_lifetime(self: copy self)
    mutating func readDocument(_ message: Int32) throws(JSONFault) {
        input.skipSpace()
        if input.byte == JSONByte.openBrace { try readObject(message) }
    }

    /// Notes the members of an object; recurses as deep as the codec has allowed.
    @_lifetime(self: copy self)
    private mutating func readObject(_ message: Int32) throws(JSONFault) {
        input.advance(1)
        input.skipSpace()
        if input.byte == JSONByte.closeBrace {
            input.advance(1)
            return try note()
        }
        while true {
            try readMember(message)
            input.skipSpace()
            let isLast = input.byte != JSONByte.comma
            input.advance(1)
            if isLast { return }
            input.skipSpace()
        }
    }

    @_lifetime(self: copy self)
    private mutating func readMember(_ message: Int32) throws(JSONFault) {
        input.advance(1)
        name.removeAll()
        name.makeRoom(bytesMax &+ 64)
        try input.copyString(into: &name)
        try input.readColon()
        let entry = tables.message(message)
        let ordinal = tables.ordinal(named: name.bytes, in: entry)
        guard ordinal >= 0 else { return try input.skipValue(depth: 0) }
        let field = tables.field(entry.firstField + ordinal)
        let start = path.count
        if start > 0 { path.append(UInt8(ascii: ".")) }
        path.append(tables.text(offset: field.protoNameOffset, length: field.protoNameLength))
        if input.byte == JSONByte.openBrace, tables.isPlainMessage(field) {
            try readObject(field.typeIndex)
        } else {
            try input.skipValue(depth: 0)
            try note()
        }
        path.truncate(to: start)
    }

    private mutating func note() throws(JSONFault) {
        guard path.count > 0 else { return }
        guard paths.count + path.count < PatchMask.bytesMax else { throw .outOfRange }
        var taken = OutputBlock()
        swap(&taken, &paths)
        taken.appendField(1, bytes: path.bytes)
        swap(&taken, &paths)
    }
}
