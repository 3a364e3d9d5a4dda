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

    /// Finds the first field, at any depth, that cannot be read, and returns where its tag stands.
    mutating func findBroken(
        _ range: Range<Int>, in cursor: ByteCursor, of type: Int32, depth: Int = 0
    ) -> Int? {
        var cursor = cursor
        cursor.move(to: range.lowerBound)
        let entry = tables.message(type)
        let outside = path
        var counts: [Int32: Int] = [:]
        while cursor.offset < range.upperBound {
            let start = cursor.offset
            path = outside
            guard let tag = try? cursor.readWireTag(end: range.upperBound) else { return start }
            let ordinal = tables.ordinal(ofNumber: tag.number, in: entry)
            var content = cursor
            let skipped: Void? = try? cursor.skipWire(tag, end: range.upperBound, depth: depth)
            guard ordinal >= 0 else {
                if skipped == nil { return start }
                continue
            }
            let index = entry.firstField &+ ordinal
            counts[index, default: -1] += 1
            append(index, counts[index] ?? 0)
            if skipped == nil { return start }
            let field = tables.field(index)
            guard field.typeIndex >= 0, field.kind != .enumeration, field.accepts(tag.wireType),
                depth < JSONLimits.depth
            else { continue }
            var end = cursor.offset
            if tag.wireType == 3 {
                end = (try? content.endOfGroup(tag.number, end: end, depth: depth)) ?? end
            } else {
                _ = content.readVarint()
            }
            let nested = content.offset..<end
            if let found = findBroken(nested, in: cursor, of: field.typeIndex, depth: depth + 1) {
                return found
            }
        }
        path = outside
        return nil
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
