public import ProtoRuntime

/// One direction of a call whose body is envelopes, whatever its protocol: checks framing and number of the
/// messages. The bytes then pass as they are (`check`), or come out message by message (`collect`).
public struct EnvelopeStream: Sendable {
    /// Whose envelopes they are: what the flags may be, and what is said of broken ones.
    public enum Sender: Sendable {
        /// A client of gRPC or gRPC-Web.
        case grpcClient
        case connectClient
        /// An upstream, which always speaks gRPC.
        case upstream
    }

    /// What `collect` found.
    public enum Event: Equatable, Sendable {
        /// The bytes are used up.
        case needMore
        /// One message is complete.
        case message(isCompressed: Bool)
    }

    private var reader: EnvelopeReader
    private let sender: Sender
    private let allowsCompressed: Bool
    private let isSingle: Bool
    private let bytesMax: Int
    private var hasMessage = false
    private var isCompressed = false

    /// `messageBytesMax`: payload bytes of a message; `allowsCompressed`: a coding was declared; `isSingle`: this
    /// direction has exactly one message.
    public init(from sender: Sender, messageBytesMax: Int, allowsCompressed: Bool, isSingle: Bool) {
        reader = EnvelopeReader(limit: messageBytesMax)
        self.sender = sender
        self.allowsCompressed = allowsCompressed
        self.isSingle = isSingle
        bytesMax = messageBytesMax
    }

    /// Checks the framing of a piece of a body, which then passes as it is.
    /// - Returns: where in `bytes` the last message that is complete ends; 0 when none does.
    /// - Throws: RESOURCE_EXHAUSTED for a message over the limit, UNIMPLEMENTED for a second message where there must
    ///   be one (SEMANTICS d.8), for flags that the protocol does not have INTERNAL, or INVALID_ARGUMENT to Connect.
    @discardableResult
    public mutating func check(_ bytes: Span<UInt8>) throws(Status) -> Int {
        var offset = 0
        var boundary = 0
        while true {
            switch try next(in: bytes, from: &offset) {
            case .needMore: return boundary
            case .begin(let prefix): try begin(prefix)
            case .payload: continue
            case .end: boundary = offset
            }
        }
    }

    /// Appends the payload of the next message in `bytes[offset...]` to `message`, and moves `offset` past it.
    /// - Throws: as `check`.
    public mutating func collect(
        _ bytes: Span<UInt8>, from offset: inout Int, into message: inout OutputBlock
    ) throws(Status) -> Event {
        while true {
            switch try next(in: bytes, from: &offset) {
            case .needMore: return .needMore
            case .begin(let prefix):
                try begin(prefix)
                message.reserve(min(Int(prefix.length), EnvelopeStream.reservedBytesMax))
            case .payload(let range): message.append(bytes.extracting(range))
            case .end: return .message(isCompressed: isCompressed)
            }
        }
    }

    /// What a prefix's length may make the collector reserve before the bytes are there.
    static let reservedBytesMax = 64 << 10

    /// Whether the body may end here with the status OK.
    /// - Throws: INTERNAL (to Connect INVALID_ARGUMENT) inside a message, UNIMPLEMENTED when the one message is missing.
    public func checkEnd() throws(Status) {
        guard reader.isAtBoundary else { throw broken("the body ends inside a message") }
        guard hasMessage || !isSingle else { throw wrongCount("no message") }
    }

    private mutating func next(
        in bytes: Span<UInt8>, from offset: inout Int
    ) throws(Status) -> EnvelopeEvent {
        do throws(EnvelopeTooLong) {
            return try reader.next(in: bytes, from: &offset)
        } catch {
            throw sender == .upstream
                ? .upstreamMessageTooLarge(error.length, limit: bytesMax)
                : .messageTooLarge(limit: bytesMax)
        }
    }

    private mutating func begin(_ prefix: EnvelopePrefix) throws(Status) {
        guard !(isSingle && hasMessage) else { throw wrongCount("more than one message") }
        hasMessage = true
        guard prefix.flags <= EnvelopePrefix.compressed else {
            if sender == .connectClient, prefix.flags & EnvelopePrefix.endStream != 0 {
                throw broken("a request has no EndStreamResponse; its body just ends")
            }
            throw broken("a message has the unknown flags \(prefix.flags)")
        }
        isCompressed = prefix.flags != 0
        guard !isCompressed || allowsCompressed else {
            // INTERNAL in every protocol (SEMANTICS c.3, d.1).
            throw Status(
                .internal,
                "\(subject)a message is compressed, but no \(codingField) was declared",
                reason: "bad_envelope")
        }
    }

    private var codingField: StaticString {
        sender == .connectClient ? "connect-content-encoding" : "grpc-encoding"
    }

    /// The client knows its own messages; what the upstream did wrong is said to be the upstream's.
    private var subject: StaticString { sender == .upstream ? "the upstream's answer: " : "" }

    private func broken(_ what: String) -> Status {
        Status(
            sender == .connectClient ? .invalidArgument : .internal, "\(subject)\(what)",
            reason: "bad_envelope")
    }

    private func wrongCount(_ found: String) -> Status {
        .wrongMessageCount("\(subject)\(found)")
    }
}

extension Status {
    /// A client's message, as it came or inflated, is over the limit. Exactly the limit passes.
    public static func messageTooLarge(limit: Int) -> Status {
        Status(
            .resourceExhausted, "the message is over the limit of \(limit) bytes", httpStatus: 413,
            reason: "message_too_large")
    }

    /// A direction that has exactly one message has another number of them (SEMANTICS d.8).
    static func wrongMessageCount(_ found: String) -> Status {
        Status(
            .unimplemented, "\(found) where exactly one is expected", reason: "bad_message_count")
    }

    static func upstreamMessageTooLarge(_ bytes: UInt32? = nil, limit: Int) -> Status {
        let size = bytes.map { " of \($0) bytes" } ?? ""
        return Status(
            .resourceExhausted,
            "the upstream's message\(size) is over the limit of \(limit) bytes", httpStatus: 502,
            reason: "upstream_message_too_large")
    }
}
