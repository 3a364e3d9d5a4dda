public import ProtoRuntime

/// What may be set for each method; the defaults serve without configuration.
public struct MethodOptions: Sendable, Equatable {
    public var json = JSONOptions()
    public var rest = RESTOptions()
    public var stream = StreamOptions()
    /// Nanoseconds a unary call may take when its client names no timeout; nil is no limit. Streams have none
    /// unless they ask.
    public var timeoutDefault: Int64? = 15_000_000_000
    /// Nanoseconds that no client's timeout exceeds; nil is no limit.
    public var timeoutMax: Int64?
    /// Nanoseconds that no call exceeds, a stream's and a gRPC client's included; nil is no limit.
    public var timeoutAlways: Int64?
    /// While no address of the upstream can be reached, a call waits until its deadline, and is not refused.
    public var waitsForReady = false
    /// Bytes of one message of the request, and of the answer, where that is less than the gateway's limit.
    public var requestBytesMax = Int.max
    public var responseBytesMax = Int.max
    /// Which metadata passes; nil: all that may.
    public var metadata: MetadataPolicy?
    public var retry = RetryPolicy()
    /// Several attempts side by side, in the place of retries; nil: one at a time.
    public var hedging: HedgingPolicy?
    /// Which upstream serves it: an index in the server's upstreams.
    public var upstream = 0

    public init() {}
}

/// Everything known of an RPC before its first byte arrives.
public struct Method: Sendable {
    public enum Kind: Sendable { case unary, clientStream, serverStream, bidirectional }

    /// Index in `MethodTable.methods`.
    public let id: Int32
    /// Whose types it has: an index in `MethodTable.pools`.
    public let pool: Int32
    public let descriptor: MethodDescriptor
    public let kind: Kind
    /// The bytes of `descriptor.path`.
    public let path: [UInt8]
    /// Indices of its routes, the rule's own first, then its additional bindings.
    public internal(set) var routes: [Int32] = []
    public let options: MethodOptions

    init(id: Int32, pool: Int32, descriptor: MethodDescriptor, options: MethodOptions) {
        self.id = id
        self.pool = pool
        self.descriptor = descriptor
        self.options = options
        path = Array(descriptor.path.utf8)
        kind =
            switch (descriptor.isClientStreaming, descriptor.isServerStreaming) {
            case (false, false): .unary
            case (true, false): .clientStream
            case (false, true): .serverStream
            case (true, true): .bidirectional
            }
    }

    public var json: JSONOptions { options.json }
    /// Nanoseconds; nil for streams and where nothing is configured.
    public var timeoutDefault: Int64? { kind == .unary ? options.timeoutDefault : nil }
}
