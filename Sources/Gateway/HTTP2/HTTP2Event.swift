/// What a session reports, in the order it happened. Byte ranges refer to the input being received.
@safe
struct HTTP2Event {
    enum Kind {
        /// A final head is complete; `isLast`: nothing follows it.
        case head(isLast: Bool)
        /// Body bytes `range` of the input.
        case body(Range<Int>)
        /// The peer finished the stream; trailers, if any, are in the stream.
        case end
        /// The stream's unsent bytes fell below the mark its owner waits for.
        case drained
        /// The bytes of a body that is to end by a reset have left.
        case broken
        /// The stream is gone; an HTTP/2 error code.
        case closed(UInt32)
        /// The peer's settings arrived.
        case settings
        /// The peer has read all that was sent before a PING.
        case pong
        /// The peer will serve no stream above `lastStream`. `isTooManyPings`: its reason is our PINGs (gRFC A8).
        /// `keepsStreams`: when it came, streams were open that will be served.
        case goAway(lastStream: Int32, code: UInt32, isTooManyPings: Bool, keepsStreams: Bool)
    }

    let kind: Kind
    private let reference: Unmanaged<HTTP2Stream>?

    fileprivate init(_ kind: Kind, _ stream: HTTP2Stream?) {
        self.kind = kind
        unsafe reference = stream.map { unsafe Unmanaged.passUnretained($0) }
    }

    /// The stream that it is about.
    var stream: HTTP2Stream? { unsafe reference?.takeUnretainedValue() }

    /// Lends the stream without counting a reference to it.
    /// - Returns: whether it is about one.
    func withStream(_ body: (HTTP2Stream) -> Void) -> Bool {
        guard let reference = unsafe reference else { return false }
        unsafe reference._withUnsafeGuaranteedRef { body($0) }
        return true
    }
}

/// Some events, and the streams that have ended with them.
///
/// An event counts no reference to its stream, which costs a native gRPC call a tenth of its time: the stream is open, and
/// its session has it, or it was closed since, and is kept by the list that tells so. That may be a later one: a list that
/// is taken while another one is handled must be kept until that is done.
struct HTTP2EventList {
    private(set) var events: [HTTP2Event] = []
    private var closed: [HTTP2Stream] = []

    var isEmpty: Bool { events.isEmpty }

    mutating func append(_ kind: HTTP2Event.Kind, _ stream: HTTP2Stream?) {
        events.append(HTTP2Event(kind, stream))
    }

    mutating func appendClosed(_ stream: HTTP2Stream, code: UInt32) {
        events.append(HTTP2Event(.closed(code), stream))
        closed.append(stream)
    }

    /// Whether it tells that the stream of `event` was closed.
    func tellsEnd(of event: HTTP2Event) -> Bool {
        guard let stream = event.stream else { return false }
        return closed.contains { $0 === stream }
    }

    mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        closed.removeAll(keepingCapacity: true)
    }
}
