import ProtoRuntime

/// Compresses one body as it comes. What was appended so far can be read at the other end after every call.
protocol StreamEncoder: AnyObject {
    /// Appends `bytes` compressed, and what is left of those before them; with `isLast` the end of the body.
    /// - Returns: false when the library has no memory left.
    func encode(_ bytes: Span<UInt8>, isLast: Bool, into output: inout OutputBlock) -> Bool
}

/// Inflates one body as it comes.
protocol StreamDecoder: AnyObject {
    /// Appends what `bytes[offset...]` inflate to, at most `room` bytes, and moves `offset` past what was used.
    func decode(
        _ bytes: Span<UInt8>, from offset: inout Int, into output: inout OutputBlock, room: Int
    ) throws(CompressionError)
    /// Whether the body may end here.
    var isAtEnd: Bool { get }
}

extension ContentCoding {
    /// Room that encoders write into at a time.
    static let stepBytes = 16 << 10

    /// Nil for identity, and for what is never written.
    func makeEncoder() -> (any StreamEncoder)? {
        switch self {
        case .identity, .deflate: nil
        case .gzip: GzipStreamEncoder()
        case .brotli: BrotliStreamEncoder()
        case .zstd: ZstdStreamEncoder()
        }
    }

    /// Nil for identity, and for what has two meanings in HTTP.
    func makeDecoder() -> (any StreamDecoder)? {
        switch self {
        case .identity, .deflate: nil
        case .gzip: GzipStreamDecoder()
        case .brotli: BrotliStreamDecoder()
        case .zstd: ZstdStreamDecoder()
        }
    }
}
