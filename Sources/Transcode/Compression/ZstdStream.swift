import CZstd
import ProtoRuntime

/// One zstd frame, flushed with every call. Its window is 16 KB, so that many streams can be open.
@safe
final class ZstdStreamEncoder: StreamEncoder {
    private static let windowLog: Int32 = 14
    private let context: OpaquePointer?

    init() {
        unsafe context = ZSTD_createCCtx()
        guard let context = unsafe context else { return }
        let parameters: [(ZSTD_cParameter, Int32)] = [
            (ZSTD_c_compressionLevel, 1), (ZSTD_c_windowLog, ZstdStreamEncoder.windowLog),
            (ZSTD_c_hashLog, 12), (ZSTD_c_chainLog, 12),
        ]
        for (name, value) in parameters { _ = unsafe ZSTD_CCtx_setParameter(context, name, value) }
    }

    deinit { _ = unsafe ZSTD_freeCCtx(context) }

    func encode(_ bytes: Span<UInt8>, isLast: Bool, into output: inout OutputBlock) -> Bool {
        guard let context = unsafe context else { return false }
        return unsafe bytes.withUnsafeBufferPointer { input in
            var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
            while true {
                var left = 0
                _ = unsafe output.append(atMost: ContentCoding.stepBytes) { target in
                    var sink = unsafe ZSTD_outBuffer(
                        dst: target.baseAddress, size: target.count, pos: 0)
                    left = unsafe ZSTD_compressStream2(
                        context, &sink, &source, isLast ? ZSTD_e_end : ZSTD_e_flush)
                    return unsafe sink.pos
                }
                guard ZSTD_isError(left) == 0 else { return false }
                if left == 0 { return true }
            }
        }
    }
}

/// Zstd frames, one behind the other.
@safe
final class ZstdStreamDecoder: StreamDecoder {
    private let context: OpaquePointer?
    private(set) var isAtEnd = true

    init() {
        unsafe context = ZSTD_createDCtx()
        if let context = unsafe context {
            _ = unsafe ZSTD_DCtx_setParameter(
                context, ZSTD_d_windowLogMax, ZstdDecoder.windowLogMax)
        }
    }

    deinit { _ = unsafe ZSTD_freeDCtx(context) }

    func decode(
        _ bytes: Span<UInt8>, from offset: inout Int, into output: inout OutputBlock, room: Int
    ) throws(CompressionError) {
        guard let context = unsafe context else { throw .malformed }
        // Asked with nothing left, the decoder would wait for another frame.
        if isAtEnd, offset == bytes.count { return }
        var left = 0
        var used = 0
        let rest = bytes.extracting(offset...)
        _ = unsafe rest.withUnsafeBufferPointer { input in
            unsafe output.append(atMost: room) { target in
                var source = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
                var sink = unsafe ZSTD_outBuffer(
                    dst: target.baseAddress, size: target.count, pos: 0)
                left = unsafe ZSTD_decompressStream(context, &sink, &source)
                used = unsafe source.pos
                return unsafe sink.pos
            }
        }
        guard ZSTD_isError(left) == 0 else { throw .malformed }
        offset += used
        isAtEnd = left == 0
    }
}
