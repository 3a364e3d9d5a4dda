public import ProtoRuntime

/// What is wrong with compressed bytes.
public enum CompressionError: Error, Equatable, Sendable {
    /// They are not of the coding, end too early, or have something behind their end.
    case malformed
    /// They inflate to more than the limit. At most one byte over it was made.
    case tooLarge
}

/// The compressors of one loop. Their memory is allocated at first use and used again for every message.
public final class Compression {
    /// Messages below this are sent as they are: they fit one packet either way.
    public static let bytesMin = 1024

    private let inflater = GzipDecoder()
    private let deflater = GzipEncoder()
    private let zstdDecoder = ZstdDecoder()
    private let zstdEncoder = ZstdEncoder()

    public init() {}

    /// Appends what `bytes` inflate to, at most `bytesMax` bytes. On an error the output is what it was.
    ///
    /// An empty input is an empty output (SEMANTICS c.2: a body of no bytes is not decompressed).
    public func inflate(
        _ bytes: Span<UInt8>, _ coding: ContentCoding, into output: inout OutputBlock, bytesMax: Int
    ) throws(CompressionError) {
        guard bytes.count > 0 else { return }
        let start = output.count
        do throws(CompressionError) {
            switch coding {
            case .identity:
                guard bytes.count <= bytesMax else { throw .tooLarge }
                output.append(bytes)
            case .gzip, .deflate:
                try inflater.inflate(
                    bytes, isZlib: coding == .deflate, into: &output, bytesMax: bytesMax)
            case .brotli: try Brotli.inflate(bytes, into: &output, bytesMax: bytesMax)
            case .zstd: try zstdDecoder.inflate(bytes, into: &output, bytesMax: bytesMax)
            }
        } catch {
            output.truncate(to: start)
            throw error
        }
    }

    /// Appends `bytes` compressed.
    /// - Returns: false, and the output as it was, when there is nothing to gain: little input, or more output.
    public func deflate(
        _ bytes: Span<UInt8>, _ coding: ContentCoding, into output: inout OutputBlock
    ) -> Bool {
        guard coding != .identity, bytes.count >= Compression.bytesMin else { return false }
        let start = output.count
        let isDone =
            switch coding {
            case .identity, .deflate: false
            case .gzip: deflater.deflate(bytes, into: &output)
            case .brotli: Brotli.deflate(bytes, into: &output)
            case .zstd: zstdEncoder.deflate(bytes, into: &output)
            }
        if isDone, output.count - start < bytes.count { return true }
        output.truncate(to: start)
        return false
    }
}

/// How the decoders fill an output without ever passing its limit by more than one byte.
struct BoundedOutput {
    /// Room for one step, in bytes.
    static let stepBytesMax = 256 << 10

    let start: Int
    let bytesMax: Int

    /// Bytes that the next step may write; the one byte over the limit tells that there is more.
    func room(_ output: borrowing OutputBlock, inputBytes: Int) throws(CompressionError) -> Int {
        let made = output.count - start
        guard made <= bytesMax else { throw .tooLarge }
        let wanted = max(4096, min(inputBytes * 4, BoundedOutput.stepBytesMax))
        return min(wanted, bytesMax - made + 1)
    }

    func checkEnd(_ output: borrowing OutputBlock) throws(CompressionError) {
        guard output.count - start <= bytesMax else { throw .tooLarge }
    }
}
