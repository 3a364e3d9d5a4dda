import Transcode

/// A call towards an upstream: what waits in a channel's queue, and what an upstream stream reports to.
///
///     start ──▶ isQueued ──openUpstream──▶ upstreamHead · upstreamBody · upstreamEnd … ──▶ upstreamClosed
///                   └─────upstreamUnavailable
protocol UpstreamCall: AnyObject {
    /// Tells whether a pooled object still serves the same call: grows with each.
    var call: UInt64 { get }
    /// Whether the call stands in the channel's queue; the channel keeps it.
    var isQueued: Bool { get set }

    /// Whether the call waits while no address can be reached, and is not refused.
    var waitsForReady: Bool { get }

    /// A connection has room: open the stream on it.
    func openUpstream(on connection: UpstreamConnection)
    /// No address can be reached.
    func upstreamUnavailable(_ status: Status)

    /// The head is in the stream; `isLast`: it is a trailers-only answer.
    func upstreamHead(isLast: Bool)
    func upstreamBody(_ bytes: Span<UInt8>)
    /// Bytes of the request have left.
    func upstreamDrained()
    /// The upstream ended its stream; trailers, if any, are in it.
    func upstreamEnd()
    /// The stream is gone and will be used for another call. `connectionFailure`: why its connection ended with it.
    func upstreamClosed(code: UInt32, connectionFailure: String?)
}

extension UpstreamCall {
    var waitsForReady: Bool { false }
}
