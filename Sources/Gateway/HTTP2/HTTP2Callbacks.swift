import CNghttp2
import ProtoRuntime
import Transcode

/// What every session shares: nghttp2's callback table, made once and never freed, and how options are made.
@safe
enum HTTP2Library {
    nonisolated(unsafe) static let callbacks: OpaquePointer? = {
        var made: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&made) == 0 else { return nil }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(made, onBeginHeaders)
        unsafe nghttp2_session_callbacks_set_on_header_callback(made, onHeader)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(made, onFrame)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, onData)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(made, onClose)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(made, onSent)
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(made, onNotSent)
        return unsafe made
    }()

    /// The caller frees them once its session is made.
    static func makeOptions(_ limits: HTTP2Limits) -> OpaquePointer? {
        var made: OpaquePointer?
        guard unsafe nghttp2_option_new(&made) == 0 else { return nil }
        unsafe nghttp2_option_set_no_auto_window_update(made, 1)
        unsafe nghttp2_option_set_no_closed_streams(made, 1)
        unsafe nghttp2_option_set_stream_reset_rate_limit(
            made, limits.resetsPerSecond * 4, limits.resetsPerSecond)
        unsafe nghttp2_option_set_max_continuations(made, limits.continuationsMax)
        return unsafe made
    }
}

extension HTTP2Library {
    /// What a session tells its peer first (RFC 9113 §6.5.2).
    static func makeSettings(
        _ role: HTTP2Session.Role, _ limits: HTTP2Limits
    ) -> [nghttp2_settings_entry] {
        let last =
            switch role {
            case .server: setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streamsMax)
            case .client: setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
            }
        return [
            setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(limits.streamWindowBytes)),
            setting(
                NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: limits.headerListBytesMax)),
            last,
        ]
    }

    private static func setting(
        _ id: nghttp2_settings_id, _ value: UInt32
    ) -> nghttp2_settings_entry {
        nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: value)
    }
}

// nghttp2 gives back what it was given unretained: the session is alive while it calls, and its streams are until
// `onClose`. Borrowed here, neither is retained with every field and frame.

private func withSession(
    _ context: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Void
) -> Int32 {
    guard let context = unsafe context else { return 0 }
    unsafe Unmanaged<HTTP2Session>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
    return 0
}

private func withStream(_ session: OpaquePointer?, _ id: Int32, _ body: (HTTP2Stream) -> Void) {
    guard let data = unsafe nghttp2_session_get_stream_user_data(session, id) else { return }
    unsafe Unmanaged<HTTP2Stream>.fromOpaque(data)._withUnsafeGuaranteedRef(body)
}

private func onBeginHeaders(
    _ nghttp2: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame = unsafe frame,
        unsafe frame.pointee.hd.type == UInt8(NGHTTP2_HEADERS.rawValue)
    else { return 0 }
    let id = unsafe frame.pointee.hd.stream_id
    let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
    return unsafe withSession(context) { owner in
        owner.beginHead(of: id)
        if isRequest { owner.beginRequest(id: id) }
    }
}

private func onHeader(
    _ nghttp2: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
    _ name: UnsafePointer<UInt8>?,
    _ nameCount: Int, _ value: UnsafePointer<UInt8>?, _ valueCount: Int, _ flags: UInt8,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let name = unsafe name, let value = unsafe value else { return 0 }
    return unsafe withSession(context) { owner in
        unsafe owner.receiveField(
            Span(_unsafeStart: name, count: nameCount),
            Span(_unsafeStart: value, count: valueCount))
    }
}

private func onFrame(
    _ nghttp2: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame = unsafe frame else { return 0 }
    return unsafe withSession(context) { owner in
        let header = unsafe frame.pointee.hd
        let flags = UInt32(header.flags)
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            let isHead = UInt32(header.type) == NGHTTP2_HEADERS.rawValue
            if isHead { owner.endHead() }
            let isLast = flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0
            guard isHead || isLast else { return }
            unsafe withStream(nghttp2, header.stream_id) { stream in
                if isHead { owner.completeHead(of: stream) }
                if isHead, stream.finishHead() { owner.report(.head(isLast: isLast), stream) }
                if isLast { owner.report(.end, stream) }
            }
        case NGHTTP2_SETTINGS.rawValue:
            guard flags & NGHTTP2_FLAG_ACK.rawValue == 0 else { return }
            unsafe takeHeaderTable(frame.pointee.settings, owner)
            owner.report(.settings, nil)
        case NGHTTP2_PING.rawValue:
            // Of a PING that asked for a sign of life (`HTTP2Session.ping`) nobody wants the answer.
            if flags & NGHTTP2_FLAG_ACK.rawValue != 0,
                unsafe frame.pointee.ping.opaque_data.0 == 0
            {
                owner.report(.pong, nil)
            }
        case NGHTTP2_GOAWAY.rawValue:
            let goAway = unsafe frame.pointee.goaway
            unsafe owner.report(
                .goAway(
                    lastStream: goAway.last_stream_id, code: goAway.error_code,
                    isTooManyPings: isTooManyPings(goAway),
                    keepsStreams: owner.hasStream(upTo: goAway.last_stream_id)), nil)
        default: break
        }
    }
}

/// Where there are two sizes the smaller is first (RFC 7541 §4.2).
private func takeHeaderTable(_ settings: nghttp2_settings, _ owner: HTTP2Session) {
    let entries = unsafe UnsafeBufferPointer(start: settings.iv, count: settings.niv)
    for index in entries.indices {
        let entry = unsafe entries[index]
        if entry.settings_id == Int32(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE.rawValue) {
            owner.changeHeaderTable(to: entry.value)
        }
    }
}

private func isTooManyPings(_ goAway: nghttp2_goaway) -> Bool {
    guard unsafe goAway.error_code == HTTP2Code.enhanceYourCalm,
        let text = unsafe goAway.opaque_data
    else { return false }
    return unsafe Span(_unsafeStart: text, count: goAway.opaque_data_len)
        .isEqual(to: "too_many_pings")
}

private func onData(
    _ nghttp2: OpaquePointer?, _ flags: UInt8, _ id: Int32, _ data: UnsafePointer<UInt8>?,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe withSession(context) { owner in
        owner.countBody(count)
        guard let data = unsafe data else { return }
        unsafe withStream(nghttp2, id) { unsafe owner.reportBody(data, count, $0) }
    }
}

private func onClose(
    _ nghttp2: OpaquePointer?, _ id: Int32, _ code: UInt32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe withSession(context) { owner in
        unsafe withStream(nghttp2, id) { owner.close($0, code: code) }
    }
}

private func onSent(
    _ nghttp2: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame = unsafe frame else { return 0 }
    let header = unsafe frame.pointee.hd
    guard header.type <= UInt8(NGHTTP2_HEADERS.rawValue) else { return 0 }
    let isHead = header.type == UInt8(NGHTTP2_HEADERS.rawValue)
    let isLast = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
    let isTrailers = unsafe isHead && frame.pointee.headers.cat == NGHTTP2_HCAT_HEADERS
    return unsafe withSession(context) { owner in
        let isServer = owner.role == .server
        guard isHead || (isServer && isLast) else { return }
        unsafe withStream(nghttp2, header.stream_id) { stream in
            if isHead { owner.encodeHead(of: stream, isTrailers: isTrailers) }
            if !isServer { stream.leftHead() } else if isLast { owner.sentEnd(of: stream) }
        }
    }
}

private func onNotSent(
    _ nghttp2: OpaquePointer?, _ frame: UnsafePointer<nghttp2_frame>?, _ code: Int32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let frame = unsafe frame else { return 0 }
    let header = unsafe frame.pointee.hd
    guard header.type == UInt8(NGHTTP2_HEADERS.rawValue) else { return 0 }
    return unsafe withSession(context) { owner in
        unsafe withStream(nghttp2, header.stream_id) { owner.failedToSend($0) }
    }
}

/// nghttp2 wants the next bytes of a stream's body.
func readHTTP2Body(
    _ nghttp2: OpaquePointer?, _ id: Int32, _ target: UnsafeMutablePointer<UInt8>?, _ room: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    var result = Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    guard let target = unsafe target, let flags = unsafe flags else { return result }
    _ = unsafe withSession(context) { owner in
        unsafe withStream(nghttp2, id) { stream in
            switch unsafe stream.fill(target, room: room) {
            case .wait: result = Int(NGHTTP2_ERR_DEFERRED.rawValue)
            case .broken:
                owner.report(.broken, stream)
                result = Int(NGHTTP2_ERR_DEFERRED.rawValue)
            case .bytes(let count, let isLast, let sendsTrailers):
                if stream.takeDrained() { owner.report(.drained, stream) }
                if isLast { unsafe flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
                if sendsTrailers {
                    unsafe flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                    owner.submitTrailers(of: stream)
                }
                result = count
            }
        }
    }
    return result
}
