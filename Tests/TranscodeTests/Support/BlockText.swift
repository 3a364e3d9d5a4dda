import ProtoRuntime

/// What `body` writes into a fresh block, as text.
func written<E: Error>(_ body: (inout OutputBlock) throws(E) -> Void) throws(E) -> String {
    String(decoding: try writtenBytes(body), as: UTF8.self)
}

/// What `body` writes into a fresh block.
func writtenBytes<E: Error>(_ body: (inout OutputBlock) throws(E) -> Void) throws(E) -> [UInt8] {
    var block = OutputBlock()
    try body(&block)
    return block.array
}

extension OutputBlock {
    var array: [UInt8] {
        let span = bytes
        return span.indices.map { span[$0] }
    }
}
