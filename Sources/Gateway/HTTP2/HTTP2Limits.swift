/// What one side of HTTP/2 allows its peer.
struct HTTP2Limits: Equatable {
    /// Streams that the peer may have open; 0 on the client side, where servers must not push.
    var streamsMax: UInt32 = 128
    /// Flow-control window of a stream in bytes (RFC 9113 §6.9).
    var streamWindowBytes: Int32 = 1 << 20
    /// Window of the whole connection; given back as bytes arrive, so that no stream holds up another.
    var connectionWindowBytes: Int32 = 16 << 20
    /// Header list size as RFC 9113 §6.5.2 counts it.
    var headerListBytesMax = 32 << 10
    /// Streams that the peer may reset in a second, with a burst of four times that (CVE-2023-44487).
    var resetsPerSecond: UInt64 = 200
    /// Client side: streams above this id are not opened, so that ids never run out; a new connection is made.
    var streamIDMax: Int32 = 3 << 29
    /// CONTINUATION frames of one header block (CVE-2024-27316 and its kin).
    var continuationsMax = 8
}

/// Why a session ended.
enum HTTP2Error: Error, Equatable {
    /// The peer broke the protocol so that nothing can go on; the text is nghttp2's.
    case protocolViolation(String)
    case outOfMemory
    /// A head is larger than `HTTP2Session.sentHeadBytesMax`; the session goes on.
    case headTooLarge

    var description: String {
        switch self {
        case .protocolViolation(let text): text
        case .outOfMemory: "out of memory"
        case .headTooLarge: "a head of more than \(HTTP2Session.sentHeadBytesMax) bytes"
        }
    }
}

/// Error codes of RFC 9113 §7 that the gateway sends or tells apart.
enum HTTP2Code {
    static let noError: UInt32 = 0
    static let internalError: UInt32 = 2
    static let streamClosed: UInt32 = 5
    static let refusedStream: UInt32 = 7
    static let cancel: UInt32 = 8
    static let connect: UInt32 = 10
    static let enhanceYourCalm: UInt32 = 11
}
