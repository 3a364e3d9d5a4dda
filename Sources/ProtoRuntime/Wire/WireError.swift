/// What is wrong with an encoded message. `at` is the byte offset, in the outermost message, of the tag, varint or
/// length that could not be read.
public enum WireError: Error, Equatable, Sendable {
    /// The bytes end inside a value, or a length prefix promises more than there are.
    case truncated(at: Int)
    /// A varint of more than ten bytes or more than 64 bits.
    case varintTooLong(at: Int)
    /// Field number 0, one above 2^29 - 1, or wire type 6 or 7.
    case invalidTag(at: Int)
    /// A length prefix of 2^31 or more.
    case invalidLength(at: Int)
    /// An end-group tag that closes nothing, or another group than the open one.
    case unmatchedGroup(at: Int)
    /// A field that has another wire type than its declaration allows.
    case unexpectedWireType(at: Int)
    /// Messages or groups nested deeper than `WireLimits.depthMax`.
    case tooDeep(at: Int)
    /// A string that must be UTF-8 and is not.
    case invalidUTF8(at: Int)

    /// Byte offset in the outermost message.
    public var offset: Int {
        switch self {
        case .truncated(let at), .varintTooLong(let at), .invalidTag(let at),
            .invalidLength(let at),
            .unmatchedGroup(let at), .unexpectedWireType(let at), .tooDeep(let at),
            .invalidUTF8(let at):
            at
        }
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        "\(summary) at byte \(offset)"
    }

    private var summary: String {
        switch self {
        case .truncated: "the message ends inside a value"
        case .varintTooLong: "a varint is longer than 64 bits"
        case .invalidTag: "a tag names no legal field"
        case .invalidLength: "a length is above 2^31 - 1"
        case .unmatchedGroup: "an end of group closes no open group"
        case .unexpectedWireType: "a field has the wrong wire type"
        case .tooDeep: "messages nest deeper than \(WireLimits.depthMax)"
        case .invalidUTF8: "a string is not valid UTF-8"
        }
    }
}
