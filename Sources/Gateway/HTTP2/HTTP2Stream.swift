import ProtoRuntime
import Transcode

/// One HTTP/2 stream, client's or upstream's: the heads received, the bytes that wait to be sent.
///
/// Taken from a loop's pool, given back when the stream is closed and its call has let go of it.
final class HTTP2Stream {
    /// 0 before the stream is submitted and after it is closed.
    fileprivate(set) var id: Int32 = 0
    /// Where the stream stands among its session's open streams.
    fileprivate var position = -1
    var pooledBytes = 0

    /// Server side: the call it belongs to.
    var exchange: Exchange?
    /// Client side: the call it was opened for.
    var owner: (any UpstreamCall)?
    /// Server side: what the client asked; client side: the fields that were sent.
    var request = RequestHead()
    /// Client side: what the upstream answered; server side: the fields that were sent.
    var response = ResponseHead()
    /// Received trailers (client side), or those to send after the body (server side).
    var trailers = Fields()
    /// Body bytes to send. Append through `HTTP2Session.send`.
    fileprivate(set) var outgoing = ByteBuffer()
    /// Bytes in front of `outgoing` that were sent and are kept, lest the call must be made again.
    fileprivate var keptBytes = 0
    /// So many bytes of body are kept once they were sent; none when it is 0.
    fileprivate var keptBytesMax = 0
    /// Client side: the head has left for the peer.
    fileprivate(set) var wasSent = false

    /// Whether a final head was received (client side: no 1xx).
    fileprivate(set) var hasHead = false
    /// The peer sent more header bytes than are allowed; the rest was dropped.
    fileprivate(set) var isHeadTooLarge = false
    fileprivate var receivedFieldBytes = 0
    fileprivate var finishesAfterOutgoing = false
    fileprivate var sendsTrailers = false
    /// A reset is the end of the bytes.
    fileprivate var isBroken = false
    fileprivate var isDeferred = false
    /// Bytes received that were not given back to the peer's window yet.
    fileprivate(set) var unconsumed = 0

    /// When bytes, or the end, were first seen to wait since the peer last took some; 0 for not at all.
    fileprivate var waitsSince: Int64 = 0

    /// Unsent bytes at and below which the other side of the call may send on.
    static let lowWaterBytes = 64 << 10
    /// The owner holds the other side back until the unsent bytes are few.
    var wantsDrained = false

    /// Bytes that wait to be sent.
    var pendingBytes: Int { outgoing.count - keptBytes }
    var isOpen: Bool { position >= 0 }
    /// Whether a session has it, or had it and will report that it is closed: that report gives it back.
    var wasOpened: Bool { id != 0 }

    fileprivate func reset() {
        id = 0
        position = -1
        exchange = nil
        owner = nil
        request.removeAll()
        response.removeAll()
        trailers.removeAll()
        keptBytes = 0
        keptBytesMax = 0
        wasSent = false
        outgoing.removeAll()
        outgoing.shrink(toAtMost: HTTP2StreamPool.streamBytesMax)
        hasHead = false
        isHeadTooLarge = false
        receivedFieldBytes = 0
        finishesAfterOutgoing = false
        sendsTrailers = false
        isBroken = false
        isDeferred = false
        wantsDrained = false
        unconsumed = 0
        waitsSince = 0
    }
}

/// Streams of one loop that wait to be used again, and the memory of its sessions.
final class HTTP2StreamPool {
    /// Bytes that are kept in all streams, and of unsent body in each.
    static let keptBytesMax = 64 << 20
    static let streamBytesMax = 64 << 10

    let memory = HTTP2Memory()
    private var free = Pool<HTTP2Stream>(keptBytesMax: HTTP2StreamPool.keptBytesMax)

    func take() -> HTTP2Stream { free.take() ?? HTTP2Stream() }

    /// The stream must be closed and its exchange done with it.
    func giveBack(_ stream: HTTP2Stream) {
        stream.reset()
        free.giveBack(stream)
    }
}

extension HTTP2Stream: Pooled {
    var memoryBytes: Int {
        1024 + outgoing.capacity + request.capacity + response.fields.capacity + trailers.capacity
    }
}

// What only the session does to a stream.
extension HTTP2Stream {
    func opened(id: Int32, position: Int) {
        self.id = id
        self.position = position
    }

    func moved(to position: Int) { self.position = position }
    func closed() { position = -1 }
    var openPosition: Int { position }

    /// Takes one received field; pseudo-fields go to the request's line.
    func receive(name: Span<UInt8>, value: Span<UInt8>, bytesMax: Int, isServer: Bool) {
        receivedFieldBytes += name.count + value.count + 32
        guard receivedFieldBytes <= bytesMax else {
            isHeadTooLarge = true
            return
        }
        guard name.count > 0, name[0] == ASCII.colon else {
            if isServer {
                // Trailers of a request carry nothing that is forwarded.
                if !hasHead { request.fields.append(name: name, value: value) }
            } else if hasHead {
                trailers.append(name: name, value: value)
            } else {
                response.fields.append(name: name, value: value)
            }
            return
        }
        if name.isEqual(to: ":path") {
            request.setTarget(value)
        } else if name.isEqual(to: ":method") {
            request.setMethod(value)
        } else if name.isEqual(to: ":authority") {
            request.setAuthority(value)
        } else if name.isEqual(to: ":status") {
            response.status = HTTP1HeadReader.decimal(value) ?? 0
        }
    }

    /// Keeps what the head that is complete says, for the next one of the same bytes; not where nghttp2 acts on other things
    /// than its being a head: on a method that is not POST, or a status that is not 200.
    func keep(
        _ block: Span<UInt8>, mark: UInt64, in heads: inout ReceivedHeads, isServer: Bool
    ) {
        guard !isHeadTooLarge else { return }
        if isServer {
            guard !hasHead, request.isMethod("POST"),
                ReceivedHeads.canKeepLength(of: request.fields)
            else { return }
            let head = heads.keep(block, mark: mark, .request)
            head.request.copy(request)
            head.makeFrame()
        } else if hasHead {
            guard trailers.count(of: .contentLength) == 0 else { return }
            let head = heads.keep(block, mark: mark, .trailers)
            head.fields.append(contentsOf: trailers)
            head.makeFrame()
        } else if response.status == 200, response.fields.count(of: .contentLength) == 0 {
            let head = heads.keep(block, mark: mark, .response)
            head.fields.append(contentsOf: response.fields)
            head.makeFrame()
        }
    }

    /// The head that is complete says the same as one that was kept.
    func take(_ head: ReceivedHeads.Head) {
        switch head.kind {
        case .request: request.copy(head.request)
        case .response:
            response.status = 200
            response.fields.append(contentsOf: head.fields)
        case .trailers: trailers.append(contentsOf: head.fields)
        }
    }

    /// A head is complete. Informational responses (1xx) are dropped and the next head is awaited.
    func finishHead() -> Bool {
        guard !hasHead else { return false }
        if response.status >= 100, response.status < 200 {
            response.removeAll()
            receivedFieldBytes = 0
            return false
        }
        request.version = .http2
        hasHead = true
        receivedFieldBytes = 0
        return true
    }

    /// Forgets trailers, and a head that has not come as a whole: the call ends without them.
    func forgetUnfinishedFields() {
        if !hasHead { response.removeAll() }
        trailers.removeAll()
    }

    func receivedBody(_ count: Int) { unconsumed += count }

    func takeUnconsumed() -> Int {
        defer { unconsumed = 0 }
        return unconsumed
    }

    func append(_ bytes: Span<UInt8>) { outgoing.append(bytes) }

    func withOutgoing<R, E: Error>(_ body: (inout OutputBlock) throws(E) -> R) throws(E) -> R {
        try outgoing.withBlock(body)
    }

    /// Nothing more will be appended; `trailers` follow the bytes when `withTrailers`.
    func finish(withTrailers: Bool) {
        finishesAfterOutgoing = true
        sendsTrailers = withTrailers
    }

    /// Nothing more will be appended; a reset follows the bytes.
    func finishBroken() {
        finishesAfterOutgoing = true
        isBroken = true
    }

    var isFinished: Bool { finishesAfterOutgoing }

    // MARK: Keeping what was sent

    /// Keeps the body that is sent from now on, until it is more than `limit` bytes or `forgetSent` is called.
    func keepSent(upTo limit: Int) { keptBytesMax = limit }

    func forgetSent() {
        outgoing.consume(keptBytes)
        keptBytes = 0
        keptBytesMax = 0
    }

    /// Whether all that was ever appended is still there.
    var isWhole: Bool { keptBytesMax > 0 }

    func leftHead() { wasSent = true }

    /// Takes a copy of the body of `other`, of which nothing was sent.
    func copyBody(of other: HTTP2Stream) {
        outgoing.append(other.outgoing.readable)
        finishesAfterOutgoing = other.finishesAfterOutgoing
    }

    /// Takes over the whole body of `failed`, as if nothing of it had been sent.
    func repeatBody(of failed: HTTP2Stream) {
        swap(&outgoing, &failed.outgoing)
        keptBytesMax = failed.keptBytesMax
        failed.keptBytes = 0
        failed.keptBytesMax = 0
        finishesAfterOutgoing = failed.finishesAfterOutgoing
        wantsDrained = failed.wantsDrained
    }

    /// True once: the stream waited for bytes, and its session must be told that there are some.
    func takeDeferred() -> Bool {
        defer { isDeferred = false }
        return isDeferred
    }

    /// True once: the owner waited for the bytes to drain, and they have.
    func takeDrained() -> Bool {
        guard wantsDrained, pendingBytes <= HTTP2Stream.lowWaterBytes else { return false }
        wantsDrained = false
        return true
    }

    /// Whether the peer has let bytes, or the end, wait for `limit` nanoseconds; counted from the first call that sees
    /// them wait.
    func isStalled(now: Int64, limit: Int64) -> Bool {
        guard pendingBytes > 0 || isFinished else {
            waitsSince = 0
            return false
        }
        if waitsSince == 0 { waitsSince = now }
        return now - waitsSince >= limit
    }

    /// What the next DATA frame is made of.
    enum Outgoing {
        case bytes(Int, isLast: Bool, sendsTrailers: Bool)
        case wait
        /// All bytes have gone, and the stream is to be reset.
        case broken
    }

    /// Moves up to `room` bytes into a frame.
    func fill(_ target: UnsafeMutablePointer<UInt8>, room: Int) -> Outgoing {
        let count = min(room, pendingBytes)
        if count == 0, !finishesAfterOutgoing {
            isDeferred = true
            return .wait
        }
        if count == 0, isBroken { return .broken }
        if count > 0 {
            waitsSince = 0
            if keptBytesMax == 0 {
                unsafe outgoing.moveFirst(count, to: target)
            } else {
                unsafe outgoing.copy(count, from: keptBytes, to: target)
                keptBytes += count
                if outgoing.count > keptBytesMax { forgetSent() }
            }
        }
        let isLast = finishesAfterOutgoing && pendingBytes == 0 && !isBroken
        return .bytes(count, isLast: isLast, sendsTrailers: isLast && sendsTrailers)
    }
}
