import ProtoRuntime

/// What binding needs besides its output. One per loop, reused from call to call.
public struct BindingScratch: ~Copyable {
    /// A decoded query name or a map key.
    var name = OutputBlock()
    /// A decoded value.
    var text = OutputBlock()
    /// An encoded path value, compared with the body's.
    var value = OutputBlock()
    var bound = BoundFields()

    public init() {}

    mutating func removeAll() {
        name.removeAll()
        text.removeAll()
        value.removeAll()
        bound.removeAll()
    }
}

/// What the path, the body and the query have set so far: one scalar is set once, one oneof has one member.
struct BoundFields: Sendable {
    enum Origin: UInt8, Sendable { case path, body, query }

    /// How many scalars and oneofs one request may name.
    static let entriesMax = 1024

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

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
    }

    /// Notes that `path` was set, with an extra key for a map's entry. Repeated leaves may come again from a
    /// query. `route` is what every request of the route sets.
    mutating func insert(
        _ path: FieldPath, _ origin: Origin, mapKey: UInt64 = 0, besides route: BoundFields? = nil,
        _ tables: DescriptorTables
    ) throws(Problem) {
        var key: UInt64 = 0
        for index in 0..<path.count {
            let field = tables.field(path.fields[index])
            if field.oneofIndex >= 0 {
                let oneof = FieldPath.key(key, -2 &- Int32(field.oneofIndex))
                if let other = find(oneof) ?? route?.find(oneof) {
                    guard other.field == path.fields[index] else {
                        throw .twoOfOneof(other.origin, other: other.field)
                    }
                } else {
                    try append(Entry(key: oneof, field: path.fields[index], origin: origin))
                }
            }
            key = FieldPath.key(key, path.fields[index])
        }
        let leaf = tables.field(path.leaf)
        if leaf.flags.contains(.repeated), !leaf.flags.contains(.map), origin == .query {
            return
        }
        key ^= mapKey
        if let other = find(key) ?? route?.find(key) { throw .twice(other.origin) }
        try append(Entry(key: key, field: path.leaf, origin: origin))
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
