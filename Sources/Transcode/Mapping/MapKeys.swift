import ProtoRuntime

/// Keys of maps: always strings in JSON, of any integral type, bool or string on the wire.
extension JSONToProtoPass {
    /// Reads a member's name as a map key and puts its tag and value; the cursor is at its quote.
    @_lifetime(self: copy self)
    mutating func readMapKey(_ field: Int32) throws(JSONFault) {
        let entry = tables.field(field)
        self.field = field
        switch entry.kind {
        case .string: return try readString(field, dropsZero: false)
        case .bool:
            let bits: UInt64 = try readBoolKey() ? 1 : 0
            output.putTag(entry.tag, count: entry.tagLength)
            output.putVarint(bits)
        default:
            let start = input.offset
            let bits = try readNumber(entry.kind)
            // Values may be written 1e2 or 1.0, keys may not.
            for offset in start..<input.offset where isFractional(input.byte(at: offset)) {
                throw fail(.expectedInteger, at: start)
            }
            output.putTag(entry.tag, count: entry.tagLength)
            output.putNumber(bits, as: entry.kind)
        }
    }

    private func isFractional(_ character: UInt8) -> Bool {
        character == JSONByte.point || character | 0x20 == UInt8(ascii: "e")
    }

    @_lifetime(self: copy self)
    private mutating func readBoolKey() throws(JSONFault) -> Bool {
        let start = input.offset
        input.advance(1)
        if let value = try? input.readBool(), input.byte == JSONByte.quote {
            input.advance(1)
            return value
        }
        input.move(to: start &+ 1)
        try unescape()
        var text = ByteCursor(scratch, in: scratchMark..<scratch.count)
        guard let value = try? text.readBool(), text.isAtEnd else {
            throw fail(.expectedBool, at: start)
        }
        dropScratchText()
        return value
    }
}
