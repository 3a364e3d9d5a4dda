import ProtoRuntime
public import Transcode

/// What became different between two generations of an upstream's schema, for the log. Start-up only.
public struct SchemaDifference: Equatable, Sendable {
    /// Full names of methods.
    public private(set) var added: [String] = []
    public private(set) var removed: [String] = []
    /// Methods whose types or kind are others now, and fields that are gone or renamed: callers may notice.
    public private(set) var changed: [String] = []
    /// Fields that old and new readers understand differently on the wire.
    public private(set) var incompatible: [String] = []

    public var isEmpty: Bool {
        added.isEmpty && removed.isEmpty && changed.isEmpty && incompatible.isEmpty
    }

    private var visited: Set<MessageType> = []

    /// Two upstreams may have different types of one name.
    private struct MessageType: Hashable {
        var pool: ObjectIdentifier
        var index: Int32
    }

    public init(from old: MethodTable, to new: MethodTable) {
        let before = SchemaDifference.methods(old)
        let after = SchemaDifference.methods(new)
        added = after.keys.filter { before[$0] == nil }.sorted()
        removed = before.keys.filter { after[$0] == nil }.sorted()
        for (name, method) in before.sorted(by: { $0.key < $1.key }) {
            guard let other = after[name] else { continue }
            compare(
                method.descriptor, other.descriptor, old.pool(of: method.id),
                new.pool(of: other.id))
        }
    }

    private static func methods(_ table: MethodTable) -> [String: Method] {
        Dictionary(table.methods.map { ($0.descriptor.fullName, $0) }) { first, _ in first }
    }

    private mutating func compare(
        _ old: MethodDescriptor, _ new: MethodDescriptor, _ before: DescriptorPool,
        _ after: DescriptorPool
    ) {
        if old.isClientStreaming != new.isClientStreaming
            || old.isServerStreaming != new.isServerStreaming
        {
            incompatible.append("\(old.fullName): unary and stream are not the same")
        }
        for (what, left, right) in [
            ("request", old.input, new.input), ("response", old.output, new.output),
        ] {
            let (name, other) = (before.messageName(left), after.messageName(right))
            if name != other {
                changed.append("\(old.fullName): the \(what) is \(other), was \(name)")
            }
            compareMessages(left, right, before, after)
        }
    }

    /// Compares two messages and what they hold, each pair once.
    private mutating func compareMessages(
        _ left: Int32, _ right: Int32, _ before: DescriptorPool, _ after: DescriptorPool
    ) {
        let name = before.messageName(left)
        guard visited.insert(MessageType(pool: ObjectIdentifier(before), index: left)).inserted
        else { return }
        let (old, new) = (before.tables.message(left), after.tables.message(right))
        var theirs: [Int32: Int32] = [:]
        for index in new.firstField..<new.firstField + new.fieldCount {
            theirs[after.tables.field(index).number] = index
        }
        for index in old.firstField..<old.firstField + old.fieldCount {
            let field = before.tables.field(index)
            let path = "\(name).\(before.fieldName(index, json: false))"
            guard let other = theirs[field.number] else {
                changed.append("\(path) (\(field.number)) is gone")
                continue
            }
            let otherName = after.fieldName(other, json: false)
            if otherName != before.fieldName(index, json: false) {
                changed.append(
                    "\(path) (\(field.number)) is called \(otherName): JSON has that name")
            }
            compareFields(index, other, path, before, after)
        }
    }

    private mutating func compareFields(
        _ left: Int32, _ right: Int32, _ path: String, _ before: DescriptorPool,
        _ after: DescriptorPool
    ) {
        let (old, new) = (before.tables.field(left), after.tables.field(right))
        guard SchemaDifference.wireForm(old.kind) == SchemaDifference.wireForm(new.kind) else {
            incompatible.append("\(path) (\(old.number)) is \(new.kind), was \(old.kind)")
            return
        }
        let isNumber = !SchemaDifference.isDelimited(old.kind)
        if isNumber, old.flags.contains(.repeated) != new.flags.contains(.repeated) {
            let now = new.flags.contains(.repeated) ? "repeated" : "single"
            incompatible.append("\(path) (\(old.number)) is \(now) now")
        }
        guard old.kind == .message || old.kind == .group else { return }
        compareMessages(old.typeIndex, new.typeIndex, before, after)
    }

    private static func isDelimited(_ kind: FieldKind) -> Bool {
        switch kind {
        case .string, .bytes, .message, .group: true
        default: false
        }
    }

    /// Kinds with the same number can be read as one another (protobuf, "Updating A Message Type").
    private static func wireForm(_ kind: FieldKind) -> Int {
        switch kind {
        case .int32, .int64, .uint32, .uint64, .bool, .enumeration: 0
        case .sint32, .sint64: 1
        case .fixed32, .sfixed32: 2
        case .fixed64, .sfixed64: 3
        case .float: 4
        case .double: 5
        case .string, .bytes: 6
        case .message: 7
        case .group: 8
        }
    }
}
