import ProtoRuntime

extension ByteCursor {
    /// Reads a whole field mask, `"fooBar,baz.qux"`, and appends field 1 for each path, in snake case.
    /// False if a path is empty, has an underscore, or has what no path may (`JSONByte.isPathByte`).
    @_lifetime(self: copy self)
    mutating func readFieldMask(into output: inout OutputBlock) -> Bool {
        guard !isAtEnd else { return true }
        while true {
            output.makeRoom((end &- offset) &* 2 &+ 64)
            output.put(0x0a)
            let start = output.beginLength()
            while !isAtEnd, byte != JSONByte.comma {
                let character = byte
                guard character != UInt8(ascii: "_"), JSONByte.isPathByte(character) else {
                    return false
                }
                if character >= 65, character <= 90 {
                    output.put(UInt8(ascii: "_"))
                    output.put(character &+ 32)
                } else {
                    output.put(character)
                }
                advance(1)
            }
            guard output.count > start &+ 1 else { return false }
            output.endLength(at: start)
            if isAtEnd { return true }
            advance(1)
        }
    }
}

extension JSONByte {
    /// What may stand in a path of a field mask: printable ASCII that neither ends the path nor needs an escape.
    static func isPathByte(_ byte: UInt8) -> Bool {
        byte > 32 && byte < 127 && byte != quote && byte != backslash && byte != comma
    }
}
