import CNghttp2
import ProtoRuntime
import Transcode

/// One HTTP/2 connection, either side, on libnghttp2. Only this file and `HTTP2Callbacks` call it.
///
/// Pure of I/O: bytes in by `receive`, events out by `takeEvents`, bytes to send by `collect`. nghttp2's callbacks
/// only append to the event list; what they mean is done by the owner after the call returned.
@safe
final class HTTP2Session {
    enum Role { case server, client }

    /// Bytes of a head that is sent, as HTTP/2 counts them: what nghttp2 sends, and reads, by itself.
    static let sentHeadBytesMax = 64 << 10

    let role: Role
    let limits: HTTP2Limits
    private let pool: HTTP2StreamPool
    private var session: OpaquePointer?
    private var events = HTTP2EventList()
    private var spareEvents = HTTP2EventList()
    private var openStreams: [HTTP2Stream] = []
    private var inputStart: UnsafePointer<UInt8>?
    private var inputCount = 0
    /// Body bytes of the present input: the connection's window gets them back at once.
    private var bodyBytes = 0
    /// nghttp2 sends each head without a field, and `collect` puts the real one in its place.
    private var sentHead = SentHead()
    /// The stream whose head, or trailers, are not complete yet; 0 for none.
    private var headStream: Int32 = 0
    /// The same stream. nghttp2 would look it up for every field, which takes 80 instructions each time. Not counted: it is
    /// open while it stands here.
    private var headTarget: Unmanaged<HTTP2Stream>?
    private var walker: FrameWalker
    private var heads = ReceivedHeads()
    /// What the head that nghttp2 is fed with says in truth.
    private var knownHead: ReceivedHeads.Head?
    /// Place and mark of the block that nghttp2 is fed with, when it is worth to be kept.
    private var repeatedHead: (Range<Int>, UInt64)?
    /// How many heads and trailers have begun.
    private(set) var headCount: UInt32 = 0

    init(role: Role, limits: HTTP2Limits, pool: HTTP2StreamPool) throws(HTTP2Error) {
        self.role = role
        self.limits = limits
        self.pool = pool
        walker = FrameWalker(prefaceBytes: role == .server ? FrameWalker.prefaceBytes : 0)
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        let options = unsafe HTTP2Library.makeOptions(limits)
        defer { unsafe nghttp2_option_del(options) }
        var memory = unsafe pool.memory.functions
        let code =
            switch role {
            case .server:
                unsafe nghttp2_session_server_new3(
                    &session, HTTP2Library.callbacks, context, options, &memory)
            case .client:
                unsafe nghttp2_session_client_new3(
                    &session, HTTP2Library.callbacks, context, options, &memory)
            }
        guard code == 0 else { throw .outOfMemory }
        submitSettings()
    }

    deinit { unsafe nghttp2_session_del(session) }

    var streamCount: Int { openStreams.count }
    /// Whether a stream is open whose id is not above that.
    func hasStream(upTo id: Int32) -> Bool { openStreams.contains { $0.id <= id } }
    /// Streams that the peer lets us open at a time.
    var peerStreamsMax: Int {
        unsafe Int(
            nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
    }
    /// Client side: so many streams were opened that a new connection should take over.
    private(set) var isUsedUp = false
    /// Whether the peer is within a head: nothing else can come on the connection until it is complete.
    var isReceivingHead: Bool { headStream != 0 }
    var wantsMore: Bool {
        unsafe nghttp2_session_want_read(session) != 0 || nghttp2_session_want_write(session) != 0
    }

    // MARK: Receiving

    /// Feeds bytes from the peer; what they mean is then in `takeEvents`, valid while `input` is.
    func receive(_ input: Span<UInt8>) throws(HTTP2Error) {
        let code = unsafe input.withUnsafeBufferPointer { bytes in
            unsafe inputStart = bytes.baseAddress
            inputCount = bytes.count
            return unsafe feedHeads(Span(_unsafeElements: bytes))
        }
        unsafe inputStart = nil
        if bodyBytes > 0 {
            _ = unsafe nghttp2_session_consume_connection(session, bodyBytes)
            bodyBytes = 0
        }
        guard code >= 0 else {
            throw .protocolViolation(
                unsafe String(cString: nghttp2_strerror(Int32(clamping: code))))
        }
    }

    /// Feeds nghttp2, to which a head that is known goes as the shortest of its kind.
    private func feedHeads(_ input: Span<UInt8>) -> Int {
        var fed = 0
        var offset = 0
        while let found = walker.next(in: input, from: &offset) {
            guard case .head(let frame) = found else {
                heads.forget()
                continue
            }
            let blockStart = frame.lowerBound + FrameWalker.headerBytes
            let block = input.extracting(blockStart..<frame.upperBound)
            let mark = ReceivedHeads.mark(of: block)
            let known = heads.known(block, mark: mark)
            if known == nil, !heads.isRepeated(block, mark: mark) { continue }
            var code = feed(input.extracting(fed..<frame.lowerBound))
            guard code >= 0 else { return code }
            if let known {
                known.stamp(input.extracting(frame))
                knownHead = known
                code = feed(known.frame.bytes)
                knownHead = nil
            } else {
                repeatedHead = (blockStart..<frame.upperBound, mark)
                code = feed(input.extracting(frame))
                repeatedHead = nil
            }
            guard code >= 0 else { return code }
            fed = frame.upperBound
        }
        return feed(input.extracting(fed..<input.count))
    }

    private func feed(_ bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer {
            unsafe $0.isEmpty ? 0 : nghttp2_session_mem_recv(session, $0.baseAddress, $0.count)
        }
    }

    /// The head of the stream is complete.
    func completeHead(of stream: HTTP2Stream) {
        if let knownHead {
            stream.take(knownHead)
        } else if let (range, mark) = repeatedHead, let start = unsafe inputStart {
            let block = unsafe Span(_unsafeStart: start + range.lowerBound, count: range.count)
            stream.keep(block, mark: mark, in: &heads, isServer: role == .server)
        }
    }

    var hasEvents: Bool { !events.isEmpty }

    /// The events since the last call; give the list back by `recycle`.
    func takeEvents() -> HTTP2EventList {
        var taken = HTTP2EventList()
        swap(&taken, &events)
        swap(&events, &spareEvents)
        return taken
    }

    func recycle(_ taken: consuming HTTP2EventList) {
        taken.removeAll()
        swap(&spareEvents, &taken)
    }

    /// Lets the peer send as many bytes on the stream as were received and are now disposed of.
    func consume(_ stream: HTTP2Stream) {
        let count = stream.takeUnconsumed()
        guard count > 0, stream.isOpen else { return }
        _ = unsafe nghttp2_session_consume_stream(session, stream.id, count)
    }

    // MARK: Sending

    /// Client side: opens a stream with these fields, pseudo-fields first, which become the stream's. The body follows by
    /// `send`.
    func request(_ stream: HTTP2Stream, _ head: inout Fields) throws(HTTP2Error) {
        guard head.size <= HTTP2Session.sentHeadBytesMax else { throw .headTooLarge }
        swap(&stream.request.fields, &head)
        var provider = unsafe dataProvider(for: stream)
        let id = unsafe nghttp2_submit_request(
            session, nil, nil, 0, &provider, Unmanaged.passUnretained(stream).toOpaque())
        guard id > 0 else { throw .protocolViolation(unsafe String(cString: nghttp2_strerror(id))) }
        open(stream, id: id)
        if id >= limits.streamIDMax { isUsedUp = true }
    }

    /// Server side: sends the head, whose fields become the stream's; the body follows by `send`, or never when `isLast`.
    /// - Parameter bodyBytes: the `content-length`, where it is known.
    func respond(
        _ stream: HTTP2Stream, _ head: inout ResponseHead, isLast: Bool, bodyBytes: Int? = nil
    ) {
        guard stream.isOpen else { return }
        swap(&stream.response.fields, &head.fields)
        if let bodyBytes {
            stream.response.fields.append(.contentLength) {
                HTTP1Writer.appendDecimal(bodyBytes, to: &$0)
            }
        }
        stream.response.status = head.status
        guard stream.response.fields.size <= HTTP2Session.sentHeadBytesMax else {
            return failedToSend(stream)
        }
        if isLast {
            _ = unsafe nghttp2_submit_response(session, stream.id, nil, 0, nil)
        } else {
            var provider = unsafe dataProvider(for: stream)
            _ = unsafe nghttp2_submit_response(session, stream.id, nil, 0, &provider)
        }
    }

    /// Tells the session that `stream` has new bytes, or its end.
    func resume(_ stream: HTTP2Stream) {
        guard stream.isOpen, stream.takeDeferred() else { return }
        _ = unsafe nghttp2_session_resume_data(session, stream.id)
    }

    /// Aborts one stream.
    func reset(_ stream: HTTP2Stream, code: UInt32) {
        guard stream.isOpen else { return }
        _ = unsafe nghttp2_submit_rst_stream(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, code)
    }

    /// First half of a graceful end: the peer learns that it should open no more streams, and a `pong` tells when it
    /// has (RFC 9113 §6.8).
    func announceShutdown() {
        _ = unsafe nghttp2_submit_shutdown_notice(session)
        _ = unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    /// Asks for a sign of life. Its answer is not reported: that it was read is enough.
    func ping() {
        var data: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]
        _ = unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), &data)
    }

    /// Second half: streams above the last one seen are refused.
    func goAway(code: UInt32) {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        _ = unsafe nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, code, nil, 0)
    }

    /// Appends what is ready to be sent to `output`, until it holds `limit` bytes.
    /// - Returns: whether more is waiting.
    func collect(into output: inout ByteBuffer, limit: Int) throws(HTTP2Error) -> Bool {
        while output.count < limit {
            var data: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &data)
            guard count >= 0 else { throw .outOfMemory }
            guard count > 0, let data = unsafe data else { return false }
            let frame = unsafe Span(_unsafeStart: data, count: count)
            if sentHead.isDue {
                let most = unsafe nghttp2_session_get_remote_settings(
                    session, NGHTTP2_SETTINGS_MAX_FRAME_SIZE)
                sentHead.append(inPlaceOf: frame, frameBytesMax: Int(most), to: &output)
            } else {
                output.append(frame)
            }
        }
        return true
    }

    /// Aborts the streams of which the peer has taken no byte for `limit` nanoseconds although there are some. A wait
    /// counts from the first call that sees it, at `now`.
    /// - Returns: whether there was one.
    func resetStalled(now: Int64, limit: Int64) -> Bool {
        var hasReset = false
        for stream in openStreams where stream.isStalled(now: now, limit: limit) {
            reset(stream, code: HTTP2Code.cancel)
            hasReset = true
        }
        return hasReset
    }

    /// Closes every stream that is still open, as if the peer had reset it: the connection is gone.
    func abandonStreams(code: UInt32) {
        while let stream = openStreams.last { close(stream, code: code) }
    }

    private func open(_ stream: HTTP2Stream, id: Int32) {
        stream.opened(id: id, position: openStreams.count)
        openStreams.append(stream)
    }

    func close(_ stream: HTTP2Stream, code: UInt32) {
        guard stream.isOpen else { return }
        // First, for it keeps the stream, which the list of open ones may have been the last to hold.
        events.appendClosed(stream, code: code)
        let position = stream.openPosition
        let last = openStreams.removeLast()
        if last !== stream {
            openStreams[position] = last
            last.moved(to: position)
        }
        if stream.id == headStream { endHead() }
        stream.closed()
    }

    private func submitSettings() {
        let none = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        var entries = HTTP2Library.makeSettings(role, limits)
        _ = unsafe nghttp2_submit_settings(session, none, &entries, entries.count)
        _ = unsafe nghttp2_session_set_local_window_size(
            session, none, 0, limits.connectionWindowBytes)
    }

    private func dataProvider(for stream: HTTP2Stream) -> nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        unsafe provider.read_callback = readHTTP2Body
        return unsafe provider
    }

    // MARK: What the callbacks report

    func beginHead(of id: Int32) {
        headStream = id
        headCount &+= 1
        // The fields of a head that is known are not those which nghttp2 is about to report. A head before it may have had no
        // end, for it was refused.
        unsafe headTarget = nil
        guard knownHead == nil else { return }
        let target = unsafe nghttp2_session_get_stream_user_data(session, id)
        unsafe headTarget = target.map { unsafe Unmanaged.fromOpaque($0) }
    }

    func endHead() {
        headStream = 0
        unsafe headTarget = nil
    }

    /// A field of the head that has begun.
    func receiveField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard let headTarget = unsafe headTarget else { return }
        unsafe headTarget._withUnsafeGuaranteedRef { stream in
            stream.receive(
                name: name, value: value, bytesMax: limits.headerListBytesMax,
                isServer: role == .server)
        }
    }

    func beginRequest(id: Int32) {
        let stream = pool.take()
        open(stream, id: id)
        if knownHead == nil { unsafe headTarget = Unmanaged.passUnretained(stream) }
        _ = unsafe nghttp2_session_set_stream_user_data(
            session, id, Unmanaged.passUnretained(stream).toOpaque())
    }

    func report(_ kind: HTTP2Event.Kind, _ stream: HTTP2Stream?) {
        events.append(kind, stream)
    }

    func reportBody(_ data: UnsafePointer<UInt8>, _ count: Int, _ stream: HTTP2Stream) {
        guard let start = unsafe inputStart else { return }
        let offset = unsafe data - start
        guard offset >= 0, count <= inputCount - offset else { return }
        stream.receivedBody(count)
        report(.body(offset..<offset + count), stream)
    }

    func countBody(_ count: Int) { bodyBytes += count }

    func submitTrailers(of stream: HTTP2Stream) {
        guard stream.trailers.size <= HTTP2Session.sentHeadBytesMax else {
            return failedToSend(stream)
        }
        _ = unsafe nghttp2_submit_trailer(session, stream.id, nil, 0)
    }

    /// A head of the stream is the next frame that nghttp2 hands out.
    func encodeHead(of stream: HTTP2Stream, isTrailers: Bool) {
        if isTrailers {
            sentHead.encode(stream.trailers)
        } else if role == .client {
            sentHead.encode(stream.request.fields)
        } else {
            sentHead.encode(stream.response.fields, status: stream.response.status)
        }
    }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE.
    func changeHeaderTable(to bytes: UInt32) { sentHead.encoder.changeLimit(to: bytes) }

    /// Server side: the end of the response has left. A client that still sends is told to stop (RFC 9113 §8.1).
    func sentEnd(of stream: HTTP2Stream) {
        guard unsafe nghttp2_session_get_stream_remote_close(session, stream.id) == 0 else {
            return
        }
        reset(stream, code: HTTP2Code.noError)
    }

    /// Server side: a head or trailers could not be sent, such as for their size. Nothing else would end the stream.
    func failedToSend(_ stream: HTTP2Stream) {
        if role == .server { reset(stream, code: HTTP2Code.internalError) }
    }
}
