import ProtoRuntime
import Transcode

/// One gRPC call that is answered in this process: reads the head and the envelopes, keeps the deadline, sends messages
/// and the status. The demo's services stand on it, and those that the gateway has itself.
///
///     head ──▶ messages … ──▶ end of the requests
///      └─────────┴──────────────┴──▶ finished (status sent, or reset) ──▶ stream closed
final class LocalCall: TimerTarget {
    /// Payload bytes of a request message.
    static let messageBytesMax = 4 << 20

    private let host: any LocalHost
    /// nil once it is closed: another call may have it by then.
    private var stream: HTTP2Stream?
    private var handler: (any LocalHandler)?
    private var isClientStreaming = false
    private var requests = LocalCall.requests(isSingle: false)
    private var message = OutputBlock()
    private var hasResponded = false
    private var isFinished = false
    private var deadlineTimer: EventLoop.TimerID?

    init(stream: HTTP2Stream, host: any LocalHost) {
        self.stream = stream
        self.host = host
    }

    var loop: EventLoop { host.loop }

    // MARK: What the handlers use

    /// Bytes that the client has not taken yet.
    var pendingBytes: Int { stream?.pendingBytes ?? 0 }

    /// Whether more may be sent now. When too much waits, `LocalHandler.drained` follows; when the call is over, nothing.
    func maySendMore() -> Bool {
        guard let stream, stream.isOpen, !isFinished else { return false }
        guard stream.pendingBytes > HTTP2Stream.lowWaterBytes else { return true }
        stream.wantsDrained = true
        return false
    }

    static func decode<Message: WireMessage>(_ bytes: Span<UInt8>) throws(Status) -> Message {
        do throws(WireError) {
            return try Message(decoding: bytes)
        } catch {
            throw Status(.internal, "the request is no \(Message.self): \(error)")
        }
    }

    func send(_ message: some WireMessage) {
        guard let stream, stream.isOpen, !isFinished else { return }
        sendHead()
        host.send(stream, message)
    }

    /// Sends the head now, for a stream whose first message may be long in coming.
    func sendHead() {
        guard let stream, stream.isOpen, !isFinished, !hasResponded else { return }
        hasResponded = true
        var head = ResponseHead()
        head.fields.append(.contentType, GRPC.contentType)
        host.beginResponse(stream, &head)
    }

    /// Ends the call with `status`; does nothing when it has ended.
    func finish(_ status: Status) {
        guard !isFinished else { return }
        if let stream, stream.isOpen {
            var status = status
            // The service's answer, as an upstream's would be: not an error on the way to it.
            status.reason = nil
            if hasResponded {
                GRPC.append(status, to: &stream.trailers)
                host.endResponse(stream, withTrailers: true)
            } else {
                var head = ResponseHead()
                head.fields.append(.contentType, GRPC.contentType)
                GRPC.append(status, to: &head.fields)
                host.respond(stream, &head, body: Span())
            }
        }
        end()
    }

    // MARK: What the connection reports

    /// The head is complete.
    func begin() {
        guard let stream else { return }
        if let refusal = LocalRequestHead.refusal(
            of: stream.request, isTooLarge: stream.isHeadTooLarge)
        {
            var head = ResponseHead()
            head.status = refusal.status
            head.fields.append(refusal.name, refusal.value)
            host.respond(stream, &head, body: Span())
            end()
            return
        }
        do throws(Status) {
            try LocalRequestHead.checkCompression(stream.request)
            if let nanoseconds = try LocalRequestHead.timeout(stream.request) {
                guard nanoseconds > 0 else { throw LocalCall.deadlineExceeded }
                deadlineTimer = loop.schedule(after: nanoseconds, self)
            }
            let path = LocalRequestHead.path(stream.request)
            guard let method = host.localMethod(at: path) else {
                throw Status(.unimplemented, "unknown method \(path)")
            }
            isClientStreaming = method.isClientStreaming
            requests = LocalCall.requests(isSingle: !isClientStreaming)
            handler = method.makeHandler(self)
        } catch {
            finish(error)
        }
    }

    /// A piece of the request's body.
    func receive(_ bytes: Span<UInt8>) {
        do throws(Status) {
            var offset = 0
            while !isFinished,
                case .message = try requests.collect(bytes, from: &offset, into: &message)
            {
                if isClientStreaming { try deliver() }
            }
        } catch {
            finish(error)
        }
    }

    /// The client has ended its side.
    func receiveEnd() {
        guard !isFinished else { return }
        do throws(Status) {
            try requests.checkEnd()
            if !isClientStreaming { try deliver() }
            try handler?.receiveEnd()
        } catch {
            finish(error)
        }
    }

    func drained() { handler?.drained() }

    /// The server takes no more calls, and waits for this one.
    func drain() { if !isFinished { handler?.drain() } }

    /// The stream is gone: the call has ended, or the client left it.
    func streamClosed() {
        end()
        stream = nil
    }

    func timerFired(_ kind: UInt8) {
        deadlineTimer = nil
        guard let stream, pendingBytes > 0 else {
            finish(LocalCall.deadlineExceeded)
            return
        }
        // The client does not read: a status behind what waits would never reach it.
        host.abortResponse(stream, code: HTTP2Code.cancel)
        end()
    }

    // MARK: Private

    private static var deadlineExceeded: Status {
        Status(.deadlineExceeded, "the deadline has passed")
    }

    private static func requests(isSingle: Bool) -> EnvelopeStream {
        EnvelopeStream(
            from: .grpcClient, messageBytesMax: messageBytesMax, allowsCompressed: false,
            isSingle: isSingle)
    }

    /// Hands the collected message to the handler.
    private func deliver() throws(Status) {
        guard let handler else { return }
        // Taken out while it is lent: what the handler does may end the call.
        var taken = OutputBlock()
        swap(&taken, &message)
        defer {
            taken.removeAll()
            swap(&taken, &message)
        }
        try handler.receive(taken.bytes)
    }

    private func end() {
        guard !isFinished else { return }
        isFinished = true
        if let deadlineTimer { loop.cancel(deadlineTimer) }
        deadlineTimer = nil
        let handler = handler
        self.handler = nil
        handler?.ended()
    }
}

/// The connection that a local call came by.
protocol LocalHost: AnyObject {
    var loop: EventLoop { get }

    /// The method at "/pkg.Service/Method"; nil when there is none.
    func localMethod(at path: String) -> LocalMethod?

    /// Sends the head of a body that follows in pieces.
    func beginResponse(_ stream: HTTP2Stream, _ head: inout ResponseHead)
    /// Sends the head and the whole body; a head alone is a trailers-only answer.
    func respond(_ stream: HTTP2Stream, _ head: inout ResponseHead, body: Span<UInt8>)
    /// Sends one message in its envelope.
    func send(_ stream: HTTP2Stream, _ message: some WireMessage)
    /// Ends the body; `stream.trailers` follow when `withTrailers`.
    func endResponse(_ stream: HTTP2Stream, withTrailers: Bool)
    func abortResponse(_ stream: HTTP2Stream, code: UInt32)
}
