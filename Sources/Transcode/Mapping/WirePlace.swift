import ProtoRuntime

/// Where in a message something is wrong: finds the path of a byte by walking the message again. Runs only
/// on failure.
struct WirePlace {
    private let tables: DescriptorTables
    private var path = ""

    init(_ tables: DescriptorTables) { self.tables = tables }

    /// Finds the field that holds the byte at `offset`, or the message that starts there.
    mutating func find(
        _ offset: Int, in cursor: consuming ByteCursor, of type: Int32, isMessage: Bool
    ) {
        var type = type
        var cursor = cursor
        var end = cursor.end
        var counts: [Int32: Int] = [:]
        var levels = 0
        var isStart = true
        while cursor.offset < end, cursor.offset <= offset, levels <= JSONLimits.depth {
            if isMessage, isStart, cursor.offset == offset { return }
            isStart = false
            let entry = tables.message(type)
            guard let tag = try? cursor.readWireTag(end: end) else { return }
            let ordinal = tables.ordinal(ofNumber: tag.number, in: entry)
            let start = cursor.offset
            let skipped: Void? = try? cursor.skipWire(tag, end: end, depth: 0)
            let field = entry.firstField &+ ordinal
            if ordinal >= 0 { counts[field, default: -1] += 1 }
            if skipped != nil, cursor.offset <= offset { continue }
            guard ordinal >= 0 else { return }
            append(field, counts[field] ?? 0)
            let found = tables.field(field)
            guard skipped != nil, found.kind == .message || found.kind == .group else { return }
            end = cursor.offset
            cursor.move(to: start)
            if tag.wireType == 3 {
                guard let stop = try? cursor.endOfGroup(tag.number, end: end, depth: 0) else {
                    return
                }
                end = stop
            } else if cursor.readVarint() == nil {
                return
            }
            type = found.typeIndex
            isStart = true
            counts = [:]
            levels += 1
        }
    }

    private mutating func append(_ field: Int32, _ count: Int) {
        if !path.isEmpty { path += "." }
        path += tables.jsonName(field)
        if tables.field(field).flags.contains(.repeated) { path += "[\(count)]" }
    }

    /// The error for what the upstream sent.
    func error(_ fault: JSONFault, offset: Int, field: Int32) -> JSONError {
        var path = path
        if fault == .missingRequired, field >= 0 {
            path += path.isEmpty ? tables.jsonName(field) : "." + tables.jsonName(field)
        }
        return JSONError(
            offset: offset, path: path, reason: fault, message: fault.text, isInternal: true)
    }
}
