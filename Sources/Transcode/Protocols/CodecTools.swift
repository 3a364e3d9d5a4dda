import ProtoRuntime

/// What codecs need while they work, and keep nothing in afterwards. One per loop.
///
/// The blocks are shared by all calls: whoever takes one empties it first.
public final class CodecTools {
    /// Memory a block keeps for the next message.
    static let keptBytesMax = 256 << 10

    let compression = Compression()
    var binding = BindingScratch()
    /// A message as it was before it was compressed, or a piece before it becomes base64.
    var plain = OutputBlock()
    /// A message in the client's form, before it is compressed.
    var formed = OutputBlock()

    public init() {}

    func removeAll() {
        plain.removeAll()
        plain.shrink(toAtMost: CodecTools.keptBytesMax)
        formed.removeAll()
        formed.shrink(toAtMost: CodecTools.keptBytesMax)
    }
}
