import ProtoRuntime

/// Appends what stands inside nested messages. Pieces of one submessage may come one after the other: protobuf's
/// readers merge them.
extension OutputBlock {
    /// Appends encoded fields inside the messages that the first `count` fields of `path` are, each with its
    /// tag and length. All lengths are known, so nothing moves.
    mutating func appendNested(
        _ value: Span<UInt8>, in path: FieldPath, upTo count: Int, _ tables: DescriptorTables
    ) {
        guard count > 0 else { return append(value) }
        var lengths = InlineArray<16, Int>(repeating: 0)
        var length = value.count
        for index in (0..<count).reversed() {
            let field = tables.field(path.fields[index])
            lengths[index] = length
            length += Int(field.tagLength)
            length +=
                field.flags.contains(.delimited)
                ? Int(field.tagLength) : OutputBlock.varintBytes(lengths[index])
        }
        makeRoom(length)
        for index in 0..<count {
            let field = tables.field(path.fields[index])
            appendTag(field)
            if !field.flags.contains(.delimited) { appendVarint(UInt64(lengths[index])) }
        }
        append(value)
        for index in (0..<count).reversed() {
            let field = tables.field(path.fields[index])
            guard field.flags.contains(.delimited) else { continue }
            // Start and end of a group differ by one in the tag's lowest bits: 3 and 4.
            makeRoom(8)
            putTag(field.tag &+ 1, count: field.tagLength)
        }
    }

    mutating func appendTag(_ field: FieldEntry) {
        makeRoom(8)
        putTag(field.tag, count: field.tagLength)
    }

    /// How many bytes the varint of a length takes.
    static func varintBytes(_ length: Int) -> Int {
        length < 128 ? 1 : (Int.bitWidth - length.leadingZeroBitCount + 6) / 7
    }
}
