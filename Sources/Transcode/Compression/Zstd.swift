import CZstd
import ProtoRuntime

/// Inflates zstd frames (RFC 8878), one or more. Its window is kept from call to call.
@safe
final class ZstdDecoder {
    /// Windows above 8 MiB are refused: what a frame asks for is allocated (RFC 9659 §2).
    static let windowLogMax: Int32 = 23

    private var context: OpaquePointer?

    deinit { _ = unsafe ZSTD_freeDCtx(context) }

    func inflate(
        _ bytes: Span<UInt8>, into output: inout OutputBlock, bytesMax: Int
    ) throws(CompressionError) {
        guard prepare() else { throw .malformed }
        let bound = BoundedOutput(start: output.count, bytesMax: bytesMax)
        try unsafe bytes.withUnsafeBufferPointer { (input) throws(CompressionError) in
            var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            while true {
                let room = try bound.room(output, inputBytes: unsafe source.size - source.pos)
                var left = 0
                let made = unsafe output.append(atMost: room) { target in
                    var sink = unsafe ZSTD_outBuffer(
                        dst: target.baseAddress, size: target.count, pos: 0)
                    left = unsafe ZSTD_decompressStream(context, &sink, &source)
                    return unsafe sink.pos
                }
                guard ZSTD_isError(left) == 0 else { throw .malformed }
                if unsafe source.pos == source.size {
                    if left == 0 { break }
                    // Nothing more comes out although there was room: the last frame is cut off.
                    if made < room { throw .malformed }
                }
            }
        }
        try bound.checkEnd(output)
    }

    private func prepare() -> Bool {
        if unsafe context == nil {
            unsafe context = ZSTD_createDCtx()
            guard let context = unsafe context else { return false }
            let code = unsafe ZSTD_DCtx_setParameter(
                context, ZSTD_d_windowLogMax, ZstdDecoder.windowLogMax)
            return ZSTD_isError(code) == 0
        }
        return unsafe ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_only)) == 0
    }
}

/// Compresses to one zstd frame. Its tables are kept from call to call.
@safe
final class ZstdEncoder {
    static let level: Int32 = 3

    private var context: OpaquePointer?

    deinit { _ = unsafe ZSTD_freeCCtx(context) }

    func deflate(_ bytes: Span<UInt8>, into output: inout OutputBlock) -> Bool {
        if unsafe context == nil { unsafe context = ZSTD_createCCtx() }
        guard let context = unsafe context else { return false }
        var code = 0
        _ = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe output.append(atMost: ZSTD_compressBound(input.count)) { target in
                code = unsafe ZSTD_compressCCtx(
                    context, target.baseAddress, target.count, input.baseAddress, input.count,
                    ZstdEncoder.level)
                return ZSTD_isError(code) == 0 ? code : 0
            }
        }
        return ZSTD_isError(code) == 0
    }
}
