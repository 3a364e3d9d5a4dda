public import ProtoRuntime

/// Decodes the body of a grpc-web-text request, which comes in pieces of any size: groups of four characters, any of
/// which may end in padding, since clients encode what they send piece by piece (SEMANTICS e).
public struct Base64Stream: Sendable {
    private var bits: UInt32 = 0
    /// Characters of the present group, padding among them.
    private var count = 0
    private var padding = 0

    public init() {}

    /// Appends what `text` decodes to.
    /// - Throws: INVALID_ARGUMENT for a character that is no base64, and for padding where none can be.
    public mutating func decode(
        _ text: Span<UInt8>, into output: inout OutputBlock
    ) throws(Status) {
        output.reserve(text.count / 4 * 3 + 3)
        for index in text.indices {
            let value = Base64.value(UInt32(text[index]))
            if text[index] == Base64.pad, count >= 2 {
                padding += 1
                bits <<= 6
            } else if value < 64, padding == 0 {
                bits = bits << 6 | value
            } else {
                throw Base64Stream.malformed("has a byte that is no base64")
            }
            count += 1
            if count == 4 { endGroup(into: &output) }
        }
    }

    /// Whether the body may end here.
    public func checkEnd() throws(Status) {
        guard count == 0 else { throw Base64Stream.malformed("ends inside a group of four") }
    }

    private mutating func endGroup(into output: inout OutputBlock) {
        for position in 0..<3 - padding {
            output.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - 8 * position)))
        }
        bits = 0
        count = 0
        padding = 0
    }

    private static func malformed(_ what: String) -> Status {
        Status(.invalidArgument, "the grpc-web-text body \(what)", reason: "bad_base64")
    }
}
