import CZlib
import ProtoRuntime

/// One gzip member, flushed with every call. It takes 27 KB: a window of 4 KB, so that many streams can be open.
@safe
final class GzipStreamEncoder: StreamEncoder {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe czlib_deflate_init_small(stream, GzipEncoder.level) == Z_OK
    }

    deinit {
        if isReady { _ = unsafe deflateEnd(stream) }
        unsafe stream.deallocate()
    }

    func encode(_ bytes: Span<UInt8>, isLast: Bool, into output: inout OutputBlock) -> Bool {
        guard isReady, bytes.count <= Int(UInt32.max) else { return false }
        return unsafe bytes.withUnsafeBufferPointer { input in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            defer { unsafe stream.pointee.next_in = nil }
            var code: Int32 = 0
            while true {
                let made = unsafe output.append(atMost: ContentCoding.stepBytes) { target in
                    unsafe stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                    unsafe stream.pointee.avail_out = UInt32(target.count)
                    code = unsafe CZlib.deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
                    return unsafe target.count - Int(stream.pointee.avail_out)
                }
                if code == Z_STREAM_END { return true }
                // Z_BUF_ERROR: there was nothing left to flush.
                guard code == Z_OK || code == Z_BUF_ERROR else { return false }
                if made < ContentCoding.stepBytes { return !isLast }
            }
        }
    }
}

/// Gzip members, one behind the other.
@safe
final class GzipStreamDecoder: StreamDecoder {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool
    private(set) var isAtEnd = true

    init() {
        unsafe stream.initialize(to: z_stream())
        isReady = unsafe czlib_inflate_init(stream) == Z_OK
    }

    deinit {
        if isReady { _ = unsafe inflateEnd(stream) }
        unsafe stream.deallocate()
    }

    func decode(
        _ bytes: Span<UInt8>, from offset: inout Int, into output: inout OutputBlock, room: Int
    ) throws(CompressionError) {
        guard isReady, room > 0, room <= Int(Int32.max) else { throw .malformed }
        let rest = bytes.extracting(offset..<min(bytes.count, offset + Int(Int32.max)))
        var code: Int32 = Z_OK
        var left = rest.count
        _ = unsafe rest.withUnsafeBufferPointer { input in
            unsafe output.append(atMost: room) { target in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(input.count)
                unsafe stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                // The next member begins only when there is a byte of it.
                if isAtEnd, input.count > 0 {
                    isAtEnd = false
                    code = unsafe inflateReset(stream)
                }
                if !isAtEnd { code = unsafe CZlib.inflate(stream, Z_SYNC_FLUSH) }
                left = unsafe Int(stream.pointee.avail_in)
                return unsafe target.count - Int(stream.pointee.avail_out)
            }
        }
        unsafe stream.pointee.next_in = nil
        offset += rest.count - left
        switch code {
        case Z_OK, Z_BUF_ERROR: return
        case Z_STREAM_END: isAtEnd = true
        default: throw .malformed
        }
    }
}
