import ProtoRuntime

/// What binding needs besides its output. One per loop, reused from call to call.
public struct BindingScratch: ~Copyable {
    /// A decoded query name or a map key.
    var name = OutputBlock()
    /// A decoded value.
    var text = OutputBlock()
    var bound = BoundFields()
    var last = LastMessage()

    public init() {}

    mutating func removeAll() {
        last = LastMessage()
        name.removeAll()
        text.removeAll()
        bound.removeAll()
    }
}

/// The message that a query has appended last, for the next parameter may lie in it too.
struct LastMessage {
    /// -1 for none, or a group, which has no length.
    private var field: Int32 = -1
    private(set) var lengthOffset = 0
    var end = 0

    mutating func open(_ path: FieldPath, at start: Int, _ tables: DescriptorTables) {
        let entry = tables.field(path.first)
        field = entry.flags.contains(.delimited) ? -1 : path.first
        lengthOffset = start + Int(entry.tagLength)
    }

    /// Whether what is appended now could be one more of its fields. A length of more than one byte cannot be filled in
    /// again.
    func holds(_ path: FieldPath, endOf output: borrowing OutputBlock) -> Bool {
        field == path.first && end == output.count && output[lengthOffset] < 128
    }
}

/// What the path, the body and the query have set so far: one scalar is set once, one oneof has one member.
struct BoundFields: Sendable {
    enum Origin: UInt8, Sendable { case path, body, query }

    /// How many scalars and oneofs one request may name.
    static let entriesMax = 1024
    /// Stands for a field in the keys of messages whose fields are named.
    private static let opened: Int32 = -1

    private struct Entry: BitwiseCopyable {
        /// A field's path, or its parent's path with the oneof mixed in.
        var key: UInt64
        var field: Int32
        var origin: Origin
    }

    enum Problem: Error {
        case twice(Origin)
        case twoOfOneof(Origin, other: Int32)
        case tooMany
    }

    private var entries: [Entry] = []

    static let none = BoundFields()

    /// Whether this very field has been set.
    func sets(_ path: FieldPath) -> Bool { find(path.key) != nil }

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
    }

    /// Notes that `path` was set, with an extra key for a map's entry. Repeated leaves may come again from a
    /// query. `route` is what every request of the route sets.
    mutating func insert(
        _ path: FieldPath, _ origin: Origin, mapKey: UInt64 = 0,
        besides route: borrowing BoundFields = .none, _ tables: DescriptorTables
    ) throws(Problem) {
        var key: UInt64 = 0
        for index in 0..<path.count {
            let field = tables.field(path.fields[index])
            if field.oneofIndex >= 0 {
                let oneof = FieldPath.key(key, -2 &- Int32(field.oneofIndex))
                if let other = find(oneof) ?? route.find(oneof) {
                    guard other.field == path.fields[index] else {
                        throw .twoOfOneof(other.origin, other: other.field)
                    }
                } else {
                    try append(Entry(key: oneof, field: path.fields[index], origin: origin))
                }
            }
            key = FieldPath.key(key, path.fields[index])
            if index < path.count - 1, BoundFields.hasText(path.fields[index], tables) {
                try open(key, path.fields[index], origin, besides: route)
            }
        }
        let leaf = tables.field(path.leaf)
        if leaf.flags.contains(.repeated), !leaf.flags.contains(.map), origin == .query {
            return
        }
        if leaf.kind == .message, mapKey == 0 {
            // Its fields may have been named one by one.
            let opened = FieldPath.key(key, BoundFields.opened)
            if let other = find(opened) ?? route.find(opened) { throw .twice(other.origin) }
        }
        key ^= mapKey
        if let other = find(key) ?? route.find(key) { throw .twice(other.origin) }
        try append(Entry(key: key, field: path.leaf, origin: origin))
    }

    /// The same for a scalar of the message itself that belongs to no oneof, from a query.
    mutating func insertPlain(_ field: Int32, besides route: borrowing BoundFields) throws(Problem)
    {
        let key = FieldPath.key(0, field)
        if let other = find(key) ?? route.find(key) { throw .twice(other.origin) }
        try append(Entry(key: key, field: field, origin: .query))
    }

    /// Whether a message may also be given as a whole.
    private static func hasText(_ field: Int32, _ tables: DescriptorTables) -> Bool {
        ScalarText.isScalar(field: field, tables: tables)
            || RequestBinding.takesJSON(field, tables)
    }

    /// Notes that fields of a message are named which could be given as a whole too (`when.seconds` of `when`).
    private mutating func open(
        _ key: UInt64, _ field: Int32, _ origin: Origin, besides route: borrowing BoundFields
    ) throws(Problem) {
        if let other = find(key) ?? route.find(key) { throw .twice(other.origin) }
        let opened = FieldPath.key(key, BoundFields.opened)
        guard find(opened) == nil else { return }
        try append(Entry(key: opened, field: field, origin: origin))
    }

    private func find(_ key: UInt64) -> Entry? {
        for entry in entries where entry.key == key { return entry }
        return nil
    }

    private mutating func append(_ entry: Entry) throws(Problem) {
        guard entries.count < BoundFields.entriesMax else { throw .tooMany }
        entries.append(entry)
    }
}
