import Synchronization

/// Handshakes since the start, over all threads. Read by whoever shows metrics.
public final class TLSCounters: Sendable {
    private let accepted = Atomic<Int>(0)
    private let acceptFailed = Atomic<Int>(0)
    private let connected = Atomic<Int>(0)
    private let connectFailed = Atomic<Int>(0)

    public init() {}

    /// Clients whose handshake succeeded.
    public var clientHandshakes: Int { accepted.load(ordering: .relaxed) }
    /// Clients whose handshake failed or took too long; connections without a single byte do not count.
    public var clientHandshakeFailures: Int { acceptFailed.load(ordering: .relaxed) }
    /// Connections to upstreams whose handshake succeeded.
    public var upstreamHandshakes: Int { connected.load(ordering: .relaxed) }
    public var upstreamHandshakeFailures: Int { connectFailed.load(ordering: .relaxed) }

    func countClient(succeeded: Bool) {
        if succeeded {
            accepted.add(1, ordering: .relaxed)
        } else {
            acceptFailed.add(1, ordering: .relaxed)
        }
    }

    func countUpstream(succeeded: Bool) {
        if succeeded {
            connected.add(1, ordering: .relaxed)
        } else {
            connectFailed.add(1, ordering: .relaxed)
        }
    }
}
