import ProtoRuntime

/// Appends what stands inside nested messages. Pieces of one submessage may come one after the other: protobuf's
/// readers merge them.
extension OutputBlock {
    /// Opens the messages that the first `count` fields of `path` are: what is appended next stands inside them, until
    /// `close`.
    mutating func open(_ path: FieldPath, upTo count: Int, _ tables: DescriptorTables) {
        for index in 0..<count {
            let field = tables.field(path.fields[index])
            appendTag(field)
            if !field.flags.contains(.delimited) { _ = beginLength() }
        }
    }

    /// Closes what `open` has opened at `start` with the same path and count.
    mutating func close(
        _ path: FieldPath, upTo count: Int, from start: Int, _ tables: DescriptorTables
    ) {
        var content = start
        for index in 0..<count { content += openingBytes(tables.field(path.fields[index])) }
        var index = count
        while index > 0 {
            index -= 1
            let field = tables.field(path.fields[index])
            if field.flags.contains(.delimited) {
                // Start and end of a group differ by one in the tag's lowest bits: 3 and 4.
                makeRoom(8)
                putTag(field.tag &+ 1, count: field.tagLength)
            } else {
                endLength(at: content - 1)
            }
            content -= openingBytes(field)
        }
    }

    /// What `open` puts for a field: its tag, and the place of a length.
    private func openingBytes(_ field: FieldEntry) -> Int {
        Int(field.tagLength) + (field.flags.contains(.delimited) ? 0 : 1)
    }

    /// Appends a tag and leaves room for a byte behind it.
    mutating func appendTag(_ field: FieldEntry) {
        makeRoom(16)
        putTag(field.tag, count: field.tagLength)
    }

    /// How many bytes the varint of a length takes.
    static func varintBytes(_ length: Int) -> Int {
        length < 128 ? 1 : (Int.bitWidth - length.leadingZeroBitCount + 6) / 7
    }
}
