import CBrotli
import ProtoRuntime

/// One brotli stream, flushed with every call. Its window is 16 KB, so that many streams can be open.
@safe
final class BrotliStreamEncoder: StreamEncoder {
    private static let windowLog: UInt32 = 14
    private static let quality: UInt32 = 2
    private let state: OpaquePointer?

    init() {
        unsafe state = BrotliEncoderCreateInstance(nil, nil, nil)
        guard let state = unsafe state else { return }
        _ = unsafe BrotliEncoderSetParameter(
            state, BROTLI_PARAM_QUALITY, BrotliStreamEncoder.quality)
        _ = unsafe BrotliEncoderSetParameter(
            state, BROTLI_PARAM_LGWIN, BrotliStreamEncoder.windowLog)
    }

    deinit { unsafe BrotliEncoderDestroyInstance(state) }

    func encode(_ bytes: Span<UInt8>, isLast: Bool, into output: inout OutputBlock) -> Bool {
        guard let state = unsafe state else { return false }
        return unsafe bytes.withUnsafeBufferPointer { input in
            var next = input.baseAddress
            var left = input.count
            while true {
                var isFine = false
                _ = unsafe output.append(atMost: ContentCoding.stepBytes) { target in
                    var out = unsafe target.bindMemory(to: UInt8.self).baseAddress
                    var outLeft = target.count
                    isFine =
                        unsafe BrotliEncoderCompressStream(
                            state, isLast ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH,
                            &left, &next, &outLeft, &out, nil) != 0
                    return target.count - outLeft
                }
                guard isFine else { return false }
                if left == 0, unsafe BrotliEncoderHasMoreOutput(state) == 0 { return true }
            }
        }
    }
}

@safe
final class BrotliStreamDecoder: StreamDecoder {
    private let state: OpaquePointer?
    private var hasBegun = false
    private var isDone = false

    init() { unsafe state = BrotliDecoderCreateInstance(nil, nil, nil) }

    deinit { unsafe BrotliDecoderDestroyInstance(state) }

    var isAtEnd: Bool { isDone || !hasBegun }

    func decode(
        _ bytes: Span<UInt8>, from offset: inout Int, into output: inout OutputBlock, room: Int
    ) throws(CompressionError) {
        guard let state = unsafe state else { throw .malformed }
        if isDone || !hasBegun, offset == bytes.count { return }
        // Nothing may stand behind the end.
        guard !isDone else { throw .malformed }
        hasBegun = true
        let rest = bytes.extracting(offset...)
        var left = rest.count
        var result = BROTLI_DECODER_RESULT_ERROR
        _ = unsafe rest.withUnsafeBufferPointer { input in
            unsafe output.append(atMost: room) { target in
                var next = input.baseAddress
                var out = unsafe target.bindMemory(to: UInt8.self).baseAddress
                var outLeft = target.count
                result = unsafe BrotliDecoderDecompressStream(
                    state, &left, &next, &outLeft, &out, nil)
                return target.count - outLeft
            }
        }
        offset += rest.count - left
        switch result {
        case BROTLI_DECODER_RESULT_SUCCESS: isDone = true
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT, BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return
        default: throw .malformed
        }
    }
}
