import ProtoRuntime

/// google.protobuf.Any, printed as what it holds.
extension ProtoToJSONPass {
    @_lifetime(self: copy self)
    mutating func writeAny(_ index: Int32, end: Int) throws(JSONFault) {
        let start = input.offset
        var url = start..<start
        var value = start..<start
        while input.offset < end {
            let ordinal = try readTag(of: index, end: end)
            if ordinal < 0 { continue }
            let stop = try readEnd(within: end)
            if ordinal == 0 { url = input.offset..<stop }
            if ordinal == 1 { value = input.offset..<stop }
            input.move(to: stop)
        }
        guard input.offset == end else { throw .wireTruncated }
        output.put(JSONByte.openBrace)
        guard !url.isEmpty else {
            guard value.isEmpty else { throw fail(.anyWithoutType, at: start) }
            return output.put(JSONByte.closeBrace)
        }
        let type = typeIndex(url)
        guard type >= 0 else { throw fail(.anyUnknownType, at: url.lowerBound) }
        output.put(0x6570_7974_4022 | 0x3a22 &<< 48, count: 8)
        input.move(to: url.lowerBound)
        try output.appendQuoted(&input, count: url.count)
        try writePayload(type, value)
        input.move(to: end)
        output.put(JSONByte.closeBrace)
    }

    /// Prints the members behind "@type".
    @_lifetime(self: copy self)
    private mutating func writePayload(_ type: Int32, _ range: Range<Int>) throws(JSONFault) {
        input.move(to: range.lowerBound)
        depth &+= 1
        anyDepth &+= 1
        let wellKnown = tables.message(type).wellKnown
        if wellKnown == .none || wellKnown == .empty {
            try writeMembers(of: type, end: range.upperBound)
        } else {
            output.put(0x6575_6c61_7622_2c, count: 7)
            output.put(0x3a22, count: 2)
            try writeWellKnown(wellKnown, type, end: range.upperBound)
            output.makeRoom(64)
        }
        anyDepth &-= 1
        depth &-= 1
    }

    /// The message that the URL names; -1 if it is unknown.
    private func typeIndex(_ url: Range<Int>) -> Int32 {
        let text = input.span(from: url.lowerBound, to: url.upperBound)
        guard let name = AnyURL.typeName(of: text) else { return -1 }
        return tables.messageIndex(named: text.extracting(name..<text.count))
    }
}
