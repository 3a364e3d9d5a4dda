import ProtoRuntime

/// google.protobuf.Any: `{"@type": "type.googleapis.com/pkg.Message", …}`.
extension JSONToProtoPass {
    @_lifetime(self: copy self)
    mutating func readAny(_ index: Int32) throws(JSONFault) {
        let start = input.offset
        guard input.byte == JSONByte.openBrace else { throw .expectedObject }
        let url = try findType()
        input.move(to: start)
        guard url >= 0 else {
            // Without a type only `{}` is legal.
            try open(JSONByte.openBrace, or: .expectedObject)
            input.skipSpace()
            guard input.byte == JSONByte.closeBrace else { throw fail(.anyWithoutType, at: start) }
            return close()
        }
        let type = try readType(at: url)
        input.move(to: start)
        anyDepth &+= 1
        needRoom()
        output.put(0x12)
        let content = output.beginLength()
        let wellKnown = tables.message(type).wellKnown
        if wellKnown == .none {
            try readMembers(of: type, isAny: true)
        } else {
            try readAnyValue(type, isOptional: wellKnown == .empty)
        }
        anyDepth &-= 1
        if output.count == content &+ 1 {
            output.truncate(to: content &- 1)
        } else {
            output.endLength(at: content)
        }
    }

    /// Looks for the member "@type" of the object at the cursor and returns where its value starts; -1
    /// if there is none. It may come anywhere; where it comes first nothing else is looked at, so that
    /// Any in Any stays linear.
    @_lifetime(self: copy self)
    private mutating func findType() throws(JSONFault) -> Int {
        guard depth < JSONLimits.depth else { throw .tooDeep }
        input.advance(1)
        input.skipSpace()
        if input.byte == JSONByte.closeBrace { return -1 }
        while true {
            if try readAnyName() == .type { return input.offset }
            try input.skipValue(depth: depth &+ 1)
            input.skipSpace()
            guard input.byte == JSONByte.comma else { break }
            input.advance(1)
            input.skipSpace()
        }
        guard input.byte == JSONByte.closeBrace else { throw .expectedCommaOrBrace }
        return -1
    }

    /// Puts the type's URL, whose value starts at `offset`, and returns the message that it names.
    @_lifetime(self: copy self)
    private mutating func readType(at offset: Int) throws(JSONFault) -> Int32 {
        input.move(to: offset)
        guard input.byte == JSONByte.quote else { throw .expectedString }
        input.advance(1)
        output.put(0x0a)
        let start = output.beginLength()
        try input.copyString(into: &output)
        let index = typeIndex(ofURLFrom: start &+ 1)
        guard index >= 0 else { throw fail(.anyUnknownType, at: offset) }
        output.endLength(at: start)
        return index
    }

    /// The message that the URL at the output's end names; -1 if there is none.
    private func typeIndex(ofURLFrom start: Int) -> Int32 {
        let url = output.bytes.extracting(start..<output.count)
        guard let name = AnyURL.typeName(of: url) else { return -1 }
        return tables.messageIndex(named: url.extracting(name..<url.count))
    }

    /// Reads `{"@type": …, "value": …}` around a message that has a JSON form of its own.
    @_lifetime(self: copy self)
    private mutating func readAnyValue(_ type: Int32, isOptional: Bool) throws(JSONFault) {
        let start = input.offset
        try open(JSONByte.openBrace, or: .expectedObject)
        input.skipSpace()
        var hasType = false
        var hasValue = false
        while true {
            let name = input.offset
            switch try readAnyName() {
            case .type:
                guard !hasType else { throw fail(.anyTypeTwice, at: name) }
                hasType = true
                try input.skipValue(depth: depth)
            case .value:
                guard !hasValue else { throw fail(.anyValueTwice, at: name) }
                hasValue = true
                try readMessage(type)
            case .other:
                guard !rejectsUnknown else { throw fail(.unknownField, at: name) }
                try input.skipValue(depth: depth)
            }
            input.skipSpace()
            guard input.byte == JSONByte.comma else { break }
            input.advance(1)
            input.skipSpace()
        }
        guard input.byte == JSONByte.closeBrace else { throw .expectedCommaOrBrace }
        close()
        guard hasValue || isOptional else { throw fail(.anyWithoutValue, at: start) }
    }

    private enum AnyName { case type, value, other }

    /// Reads a member's name and colon.
    @_lifetime(self: copy self)
    private mutating func readAnyName() throws(JSONFault) -> AnyName {
        guard input.byte == JSONByte.quote else { throw .expectedName }
        let start = input.offset &+ 1
        input.advance(1)
        let name: AnyName
        if try input.skipString() {
            input.move(to: start)
            try unescape()
            name = anyName(scratch.bytes.extracting(scratchMark..<scratch.count))
            dropScratchText()
        } else {
            name = anyName(input.span(from: start, to: input.offset &- 1))
        }
        try input.readColon()
        return name
    }

    private func anyName(_ name: Span<UInt8>) -> AnyName {
        if AnyURL.isTypeKey(name) { return .type }
        return AnyURL.isValueKey(name) ? .value : .other
    }
}
