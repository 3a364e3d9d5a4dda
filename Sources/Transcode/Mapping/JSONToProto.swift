public import ProtoRuntime

/// JSON → wire bytes in one pass, by the flat tables. A trivial value: made per call at no cost.
///
///     {"shelf":{"theme":"jazz"},"ids":["7","8"]}  →  0a 06 0a 04 6a 61 7a 7a 12 02 07 08
///
/// Fields are written in the document's order; nothing is allocated but what the output needs. Maps of more than 16
/// entries, messages of more than 64 fields and escapes in names use the thread's `SpareBlock`.
public struct JSONToProto {
    let tables: DescriptorTables
    let options: JSONOptions

    public init(_ tables: DescriptorTables, options: JSONOptions) {
        self.tables = tables
        self.options = options
    }

    /// Reads exactly one JSON value, `json[range]`, as the message with index `message` and appends its
    /// wire bytes. `json` must be sealed and `range` end where it ends. On failure the output is what it
    /// was.
    public func encode(
        _ json: borrowing OutputBlock, in range: Range<Int>, as message: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        try run(json, in: range, type: message, field: -1, into: &output)
    }

    /// Reads exactly one JSON value as that of one field (`body: "f"`) and appends its tags and values.
    /// `field` is the index in the tables. null leaves the field unset.
    public func encodeField(
        _ json: borrowing OutputBlock, in range: Range<Int>, field: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        try run(json, in: range, type: -1, field: field, into: &output)
    }

    /// Reads a message, or a field if `field` is one.
    private func run(
        _ json: borrowing OutputBlock, in range: Range<Int>, type: Int32, field: Int32,
        into output: inout OutputBlock
    ) throws(JSONError) {
        precondition(range.upperBound == json.count, "the JSON range must end where its block ends")
        let before = output.count
        var taken = OutputBlock()
        swap(&taken, &output)
        var pass = JSONToProtoPass(ByteCursor(json, in: range), taken, tables, options)
        var failure: JSONFault?
        do throws(JSONFault) {
            try pass.readDocument(type, field: field)
        } catch {
            failure = error
        }
        let offset = pass.faultOffset >= 0 ? pass.faultOffset : pass.input.offset
        let culprit = pass.field
        pass.giveBack(&output)
        guard let failure else { return }
        output.truncate(to: before)
        let place = JSONPlace(json.bytes, in: range, offset: min(offset, range.upperBound))
        throw place.error(failure, field: culprit, tables)
    }
}

extension JSONToProtoPass {
    /// Reads the whole document: one message, or one field's value.
    @_lifetime(self: copy self)
    mutating func readDocument(_ type: Int32, field: Int32) throws(JSONFault) {
        needRoom()
        input.skipSpace()
        if field < 0 {
            try readMessage(type)
        } else {
            self.field = field
            if input.byte == UInt8(ascii: "n"), try readUnset(field) {
                // A body of null leaves the field unset.
            } else {
                try readField(field, tables)
            }
        }
        input.skipSpace()
        guard input.isAtEnd else { throw .trailingData }
    }

    /// Puts the output back where it was taken from, and the scratch bytes.
    mutating func giveBack(_ output: inout OutputBlock) {
        swap(&self.output, &output)
        guard scratch.isAllocated else { return }
        var spare = OutputBlock()
        swap(&spare, &scratch)
        SpareBlock.giveBack(spare)
    }

    /// Makes sure that there are scratch bytes.
    mutating func needScratch() {
        if !scratch.isAllocated { scratch = SpareBlock.take() }
    }
}
