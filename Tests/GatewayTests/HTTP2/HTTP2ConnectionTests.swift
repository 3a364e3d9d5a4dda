import Glibc
import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// Notes what a connection reports, and ends it when the first head comes.
private final class ClosingDelegate: HTTP2ConnectionDelegate {
    var connection: HTTP2Connection?
    private(set) var log: [String] = []
    private let pool: HTTP2StreamPool

    init(pool: HTTP2StreamPool) { self.pool = pool }

    func receive(_ event: HTTP2Event.Kind) {}

    func receive(_ event: HTTP2Event.Kind, of stream: HTTP2Stream, _ input: Span<UInt8>) {
        switch event {
        case .head:
            log.append("\(stream.id) head")
            connection?.close(.closed("enough"))
        case .closed:
            log.append("\(stream.id) closed")
            pool.giveBack(stream)
        default: log.append("\(stream.id) more")
        }
    }

    func connectionClosed() { log.append("connection closed") }
}

@Suite struct HTTP2ConnectionTests {
    @Test func `a connection that an event closes reports nothing of a stream whose end it told`()
        throws
    {
        let loop = try EventLoop(mailbox: try Mailbox())
        let pool = HTTP2StreamPool()
        let ends = try SimulatedPeer.socketPair()
        defer { ends.far.close() }
        let connection = try HTTP2Connection(
            ByteStream(ends.near), role: .server, limits: HTTP2Limits(), pool: pool, loop: loop)
        let delegate = ClosingDelegate(pool: pool)
        delegate.connection = connection
        try connection.register(delegate)
        // Three requests in one read: each a head and its end.
        let client = try HTTP2Session(role: .client, limits: HTTP2Limits(), pool: pool)
        for _ in 0..<3 {
            let stream = HTTP2Stream()
            stream.finish(withTrailers: false)
            var head = Fields()
            head.append(":method", "GET")
            head.append(":scheme", "http")
            head.append(":path", "/x")
            head.append(":authority", "test")
            try client.request(stream, &head)
        }
        var sent = ByteBuffer()
        _ = try client.collect(into: &sent, limit: .max)
        connection.begin(with: sent.readable)
        #expect(delegate.log.last == "connection closed")
        #expect(delegate.log.first == "1 head")
        #expect(
            delegate.log.dropFirst().dropLast().sorted() == ["1 closed", "3 closed", "5 closed"])
        delegate.connection = nil
    }
}
