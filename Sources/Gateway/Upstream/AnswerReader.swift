import ProtoRuntime
import Transcode

/// Gathers the messages that come back on a call of the gateway's own, such as Watch or reflection: one after the other,
/// whole, and never compressed.
struct AnswerReader: ~Copyable {
    private let limit: Int
    private var envelopes: EnvelopeReader
    /// What `next` has found, until it is called again.
    private(set) var message = OutputBlock()

    /// - Parameter limit: bytes of one message.
    init(limit: Int) {
        self.limit = limit
        envelopes = EnvelopeReader(limit: limit)
    }

    /// Goes on to the end of the next message, which then stands in `message`.
    /// - Returns: false when more bytes are needed.
    /// - Throws: RESOURCE_EXHAUSTED for a message over the limit, INTERNAL for one that is compressed.
    mutating func next(in bytes: Span<UInt8>, from offset: inout Int) throws(Status) -> Bool {
        while true {
            switch try event(in: bytes, from: &offset) {
            case .needMore: return false
            case .begin(let prefix):
                message.removeAll()
                guard prefix.flags == 0 else {
                    throw Status(.internal, "an answer is compressed")
                }
            case .payload(let range): message.append(bytes.extracting(range))
            case .end: return true
            }
        }
    }

    private mutating func event(
        in bytes: Span<UInt8>, from offset: inout Int
    ) throws(Status) -> EnvelopeEvent {
        do throws(EnvelopeTooLong) {
            return try envelopes.next(in: bytes, from: &offset)
        } catch {
            throw Status(
                .resourceExhausted,
                "an answer of \(error.length) bytes is over the limit of \(limit)")
        }
    }
}
