import ProtoRuntime
import Transcode

/// The connection or stream that a call came by, HTTP/1.1 and HTTP/2 alike.
enum ClientSide {
    case none
    case http1(HTTP1Connection)
    case http2(HTTP2ClientSide, HTTP2Stream)

    /// Lends the request's head.
    func withHead<R, E: Error>(_ body: (borrowing RequestHead) throws(E) -> R) throws(E) -> R? {
        switch self {
        case .none: nil
        case .http1(let connection): try body(connection.head)
        case .http2(_, let stream): try body(stream.request)
        }
    }

    /// Who calls.
    var peer: Peer? {
        switch self {
        case .none: nil
        case .http1(let connection): connection.peer
        case .http2(let connection, _): connection.peer
        }
    }

    /// Why the head cannot be served although it could be parsed.
    var isHeadTooLarge: Bool {
        if case .http2(_, let stream) = self { return stream.isHeadTooLarge }
        return false
    }

    /// The length of the request's body by its head; 0 when it does not tell.
    var declaredBytes: Int {
        if case .http1(let connection) = self { return connection.declaredBytes }
        let declared = withHead { head -> Int in
            guard let index = head.fields.firstIndex(of: .contentLength) else { return 0 }
            return HTTP1HeadReader.decimal(head.fields.value(at: index)) ?? 0
        }
        return declared ?? 0
    }

    /// Sends a complete response; HTTP/2 takes the head's fields over. The call may be over when this returns.
    func respond(_ head: inout ResponseHead, body: Span<UInt8>) {
        switch self {
        case .none: break
        case .http1(let connection): connection.respond(head, body: body)
        case .http2(let connection, let stream): connection.respond(stream, &head, body: body)
        }
    }

    func beginResponse(_ head: inout ResponseHead) {
        switch self {
        case .none: break
        case .http1(let connection): connection.beginResponse(head)
        case .http2(let connection, let stream): connection.beginResponse(stream, &head)
        }
    }

    /// Sends a piece of the body; nothing for an empty block.
    func send(_ block: borrowing OutputBlock) {
        guard !block.isEmpty else { return }
        let bytes = block.bytes
        switch self {
        case .none: break
        case .http1(let connection): connection.send(bytes)
        case .http2(let connection, let stream): connection.send(stream, bytes)
        }
    }

    /// Ends the body with trailers, which HTTP/2 takes over and HTTP/1.1 does not send. The call may be over when this returns.
    func endResponse(trailers: inout Fields) {
        switch self {
        case .none: break
        case .http1(let connection): connection.endResponse()
        case .http2(let connection, let stream):
            swap(&stream.trailers, &trailers)
            connection.endResponse(stream, withTrailers: !stream.trailers.isEmpty)
        }
    }

    /// Ends the body so that the client sees that something is missing. The call may be over when this returns.
    func abortResponse() {
        switch self {
        case .none: break
        case .http1(let connection): connection.abortResponse()
        case .http2(let connection, let stream): connection.breakResponse(stream)
        }
    }

    /// Response bytes that wait for a slow client.
    var pendingBytes: Int {
        switch self {
        case .none: 0
        case .http1(let connection): connection.pendingBytes
        case .http2(_, let stream): stream.pendingBytes
        }
    }

    /// Asks for `clientDrained` once few bytes wait.
    func notifyWhenDrained() {
        if case .http2(_, let stream) = self { stream.wantsDrained = true }
    }

    /// The received bytes are disposed of: the client may send on.
    func resumeReading() {
        switch self {
        case .none: break
        case .http1(let connection): connection.setReading(true)
        case .http2(let connection, let stream): connection.consume(stream)
        }
    }

    /// The upstream is slow: the client must wait. On HTTP/2 its window does that by itself.
    func pauseReading() {
        if case .http1(let connection) = self { connection.setReading(false) }
    }
}
