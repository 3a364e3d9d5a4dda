import CBrotli
import ProtoRuntime

/// Brotli (RFC 7932). Its library cannot start again with the same memory, so every call makes its own.
enum Brotli {
    /// About as fast as gzip, and smaller.
    static let quality: Int32 = 4

    static func inflate(
        _ bytes: Span<UInt8>, into output: inout OutputBlock, bytesMax: Int
    ) throws(CompressionError) {
        guard let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else {
            throw .malformed
        }
        defer { unsafe BrotliDecoderDestroyInstance(state) }
        let bound = BoundedOutput(start: output.count, bytesMax: bytesMax)
        try unsafe bytes.withUnsafeBufferPointer { (input) throws(CompressionError) in
            var next = input.baseAddress
            var left = input.count
            while true {
                let room = try bound.room(output, inputBytes: left)
                var result = BROTLI_DECODER_RESULT_ERROR
                _ = unsafe output.append(atMost: room) { target in
                    var out = unsafe target.bindMemory(to: UInt8.self).baseAddress
                    var outLeft = target.count
                    result = unsafe BrotliDecoderDecompressStream(
                        state, &left, &next, &outLeft, &out, nil)
                    return target.count - outLeft
                }
                if result == BROTLI_DECODER_RESULT_SUCCESS { break }
                guard result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT else { throw .malformed }
            }
            guard left == 0 else { throw .malformed }
        }
        try bound.checkEnd(output)
    }

    static func deflate(_ bytes: Span<UInt8>, into output: inout OutputBlock) -> Bool {
        let room = BrotliEncoderMaxCompressedSize(bytes.count)
        guard room > 0 else { return false }
        var isDone = false
        _ = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe output.append(atMost: room) { target in
                var size = target.count
                isDone =
                    unsafe BrotliEncoderCompress(
                        quality, cbrotli_default_window(), BROTLI_MODE_GENERIC, input.count,
                        input.baseAddress, &size, target.bindMemory(to: UInt8.self).baseAddress)
                    != 0
                return isDone ? size : 0
            }
        }
        return isDone
    }
}
