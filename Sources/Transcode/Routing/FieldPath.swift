import ProtoRuntime

/// `a.b.c` resolved: the fields from a message's own down to a leaf. Trivial, so that query names are resolved
/// without allocation.
struct FieldPath: BitwiseCopyable, Sendable {
    static let depthMax = 16

    /// Indices in `DescriptorTables.fields`; the first `count` count.
    private(set) var fields = InlineArray<16, Int32>(repeating: -1)
    private(set) var count = 0
    /// Identifies the path among all of one message.
    private(set) var key: UInt64 = 0

    /// Why a name leads to no field.
    enum Problem: Error, Equatable {
        /// The element at this place is no field of its message.
        case unknown(element: Int)
        /// The element at this place has elements behind it, but is no message.
        case notMessage(element: Int)
        /// The element at this place has elements behind it, but is repeated.
        case repeated(element: Int)
        case tooDeep
    }

    var leaf: Int32 { fields[count - 1] }
    var first: Int32 { fields[0] }

    /// The path that is one field.
    init(_ field: Int32) {
        fields[0] = field
        count = 1
        key = FieldPath.key(0, field)
    }

    /// Resolves names separated by dots.
    init(
        _ name: Span<UInt8>, in message: Int32, _ tables: DescriptorTables
    ) throws(Problem) {
        var entry = tables.message(message)
        var start = 0
        while true {
            var end = start
            while end < name.count, name[end] != UInt8(ascii: ".") { end += 1 }
            let ordinal = tables.ordinal(named: name.extracting(start..<end), in: entry)
            guard ordinal >= 0 else { throw .unknown(element: count) }
            guard count < FieldPath.depthMax else { throw .tooDeep }
            let index = entry.firstField + ordinal
            fields[count] = index
            count += 1
            key = FieldPath.key(key, index)
            if end == name.count { return }
            let field = tables.field(index)
            if field.flags.contains(.repeated) { throw .repeated(element: count - 1) }
            guard field.kind == .message || field.kind == .group else {
                throw .notMessage(element: count - 1)
            }
            entry = tables.message(field.typeIndex)
            start = end + 1
        }
    }

    /// The key of `field` below the path with key `parent`.
    static func key(_ parent: UInt64, _ field: Int32) -> UInt64 {
        let mixed = (parent ^ UInt64(UInt32(bitPattern: field)) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ mixed >> 29
    }

    /// `a.b` in proto names, for errors.
    func name(_ tables: DescriptorTables, upTo count: Int? = nil) -> String {
        (0..<(count ?? self.count)).map { index in
            let field = tables.field(fields[index])
            return String(
                copying: tables.text(offset: field.protoNameOffset, length: field.protoNameLength))
        }.joined(separator: ".")
    }
}

extension String {
    /// The bytes as text, invalid UTF-8 replaced. Allocates: for errors and start-up.
    public init(copying bytes: Span<UInt8>) {
        var array: [UInt8] = []
        array.reserveCapacity(bytes.count)
        for index in bytes.indices { array.append(bytes[index]) }
        self.init(decoding: array, as: UTF8.self)
    }
}
