import ProtoRuntime
import Transcode

@testable import Gateway

/// A client's and a server's session whose bytes go to each other, and what each of them reported, as text:
/// "1 head", "1 body abc", "1 end", "1 closed 0", "settings", "goaway 3 0".
final class HTTP2Pair {
    let client: HTTP2Session
    let server: HTTP2Session
    let pool = HTTP2StreamPool()
    private(set) var clientLog: [String] = []
    private(set) var serverLog: [String] = []
    /// The server's streams by their id, as they were reported.
    private(set) var served: [Int32: HTTP2Stream] = [:]
    /// Bytes of body that each side received, by stream.
    private(set) var received: [Int32: [UInt8]] = [:]
    /// Whether received bytes are given back to the sender's window at once.
    var consumesAtOnce = true
    /// Called for every event of the server, after it was logged.
    var onServer: (HTTP2Event) -> Void = { _ in }

    init(
        client clientLimits: HTTP2Limits = HTTP2Limits(),
        server serverLimits: HTTP2Limits = HTTP2Limits()
    ) throws {
        client = try HTTP2Session(role: .client, limits: clientLimits, pool: pool)
        server = try HTTP2Session(role: .server, limits: serverLimits, pool: pool)
        try pump()
        clientLog = []
        serverLog = []
    }

    /// Moves bytes both ways until none are left.
    func pump() throws {
        while try toServer() || toClient() {}
    }

    /// Moves what the client has to send; false when that is nothing.
    func toServer() throws -> Bool {
        var bytes = ByteBuffer()
        _ = try client.collect(into: &bytes, limit: .max)
        note(client, [])
        guard !bytes.isEmpty else { return false }
        let copy = bytes.readable.array
        try server.receive(bytes.readable)
        note(server, copy)
        return true
    }

    func toClient() throws -> Bool {
        var bytes = ByteBuffer()
        _ = try server.collect(into: &bytes, limit: .max)
        note(server, [])
        guard !bytes.isEmpty else { return false }
        let copy = bytes.readable.array
        try client.receive(bytes.readable)
        note(client, copy)
        return true
    }

    /// Gives the client bytes that the server did not send.
    func inject(_ bytes: [UInt8]) throws {
        try client.receive(bytes.span)
        note(client, bytes)
    }

    func clearLogs() {
        clientLog = []
        serverLog = []
    }

    /// Opens a stream: POST /x with these fields, and this body and its end unless nil.
    func request(_ fields: [(String, String)] = [], body: String? = "") throws -> HTTP2Stream {
        let stream = pool.take()
        var head = Fields()
        head.append(":method", "POST")
        head.append(":scheme", "http")
        head.append(":path", "/x")
        head.append(":authority", "test")
        for (name, value) in fields {
            head.append(name: name.utf8Span.span, value: value.utf8Span.span)
        }
        if let body {
            stream.append(body.utf8Span.span)
            stream.finish(withTrailers: false)
        }
        try client.request(stream, &head)
        return stream
    }

    /// Answers 200 with these fields.
    func respond(_ stream: HTTP2Stream, _ fields: [(String, String)] = [], isLast: Bool = false) {
        var head = ResponseHead()
        for (name, value) in fields {
            head.fields.append(name: name.utf8Span.span, value: value.utf8Span.span)
        }
        server.respond(stream, &head, isLast: isLast)
    }

    private func note(_ session: HTTP2Session, _ input: [UInt8]) {
        let events = session.takeEvents()
        for event in events.events {
            let text = describe(event, input)
            if session === client { clientLog.append(text) } else { serverLog.append(text) }
            guard let stream = event.stream else { continue }
            if session === server { served[stream.id] = stream }
            if case .body(let range) = event.kind {
                received[stream.id, default: []] += input[range]
                if consumesAtOnce { session.consume(stream) }
            }
            if session === server { onServer(event) }
        }
        session.recycle(events)
    }

    private func describe(_ event: HTTP2Event, _ input: [UInt8]) -> String {
        let id = event.stream.map { "\($0.id) " } ?? ""
        switch event.kind {
        case .head(let isLast): return id + (isLast ? "head last" : "head")
        case .body(let range):
            return id + "body "
                + (range.count > 20
                    ? "\(range.count)" : String(decoding: input[range], as: UTF8.self))
        case .end: return id + "end"
        case .drained: return id + "drained"
        case .closed(let code): return id + "closed \(code)"
        case .settings: return "settings"
        case .pong: return "pong"
        case .broken: return id + "broken"
        case .goAway(let last, let code, _, let keepsStreams):
            return "goaway \(last) \(code)" + (keepsStreams ? " keeps streams" : "")
        }
    }
}

extension Fields {
    /// "name=value name=value"
    var text: String {
        (0..<count).map { index in
            "\(name(at: index).text)=\(value(at: index).text)"
        }.joined(separator: " ")
    }
}
