import CZlib
import ProtoRuntime

/// Inflates gzip (RFC 1952), members one behind the other included, and the zlib format (RFC 1950). Its window is kept from call to call.
@safe
final class GzipDecoder {
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var isReady = false

    init() { unsafe stream.initialize(to: z_stream()) }

    deinit {
        if isReady { _ = unsafe inflateEnd(stream) }
        unsafe stream.deallocate()
    }

    /// - Parameter isZlib: the bytes are of the zlib format.
    func inflate(
        _ bytes: Span<UInt8>, isZlib: Bool, into output: inout OutputBlock, bytesMax: Int
    ) throws(CompressionError) {
        guard prepare(isZlib), bytes.count <= Int(UInt32.max) else { throw .malformed }
        let bound = BoundedOutput(start: output.count, bytesMax: bytesMax)
        let isWhole = try unsafe bytes.withUnsafeBufferPointer { (input) throws(CompressionError) in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.pointee.avail_in = UInt32(input.count)
            defer { unsafe stream.pointee.next_in = nil }
            return try run(into: &output, bound)
        }
        guard isWhole else { throw .malformed }
        try bound.checkEnd(output)
    }

    /// True when the input ended with the end of a member.
    private func run(
        into output: inout OutputBlock, _ bound: BoundedOutput
    ) throws(CompressionError) -> Bool {
        while true {
            let room = try bound.room(output, inputBytes: unsafe Int(stream.pointee.avail_in))
            var code: Int32 = 0
            let made = unsafe output.append(atMost: room) { target in
                unsafe stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                code = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                return unsafe target.count - Int(stream.pointee.avail_out)
            }
            switch code {
            case Z_STREAM_END:
                if unsafe stream.pointee.avail_in == 0 { return true }
                guard unsafe inflateReset(stream) == Z_OK else { return false }
            case Z_OK, Z_BUF_ERROR:
                // No more output although there was room: the input is used up before its end.
                if made < room { return false }
            default: return false
            }
        }
    }

    private func prepare(_ isZlib: Bool) -> Bool {
        if !isReady { isReady = unsafe czlib_inflate_init(stream) == Z_OK }
        // Windows of 32 KB; 16 more says that gzip's header and trailer are around the data.
        guard isReady else { return false }
        return unsafe inflateReset2(stream, isZlib ? 15 : 15 + 16) == Z_OK
    }
}

/// Compresses to one gzip member. Its tables are kept from call to call.
@safe
final class GzipEncoder {
    /// Fast; level 6 takes twice the time for some percent.
    static let level: Int32 = 4

    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var isReady = false

    init() { unsafe stream.initialize(to: z_stream()) }

    deinit {
        if isReady { _ = unsafe deflateEnd(stream) }
        unsafe stream.deallocate()
    }

    func deflate(_ bytes: Span<UInt8>, into output: inout OutputBlock) -> Bool {
        guard prepare(), bytes.count <= Int(UInt32.max) / 2 else { return false }
        let room = unsafe Int(deflateBound(stream, UInt(bytes.count)))
        var code: Int32 = 0
        _ = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe output.append(atMost: room) { target in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(input.count)
                unsafe stream.pointee.next_out = target.bindMemory(to: UInt8.self).baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                code = unsafe CZlib.deflate(stream, Z_FINISH)
                return unsafe target.count - Int(stream.pointee.avail_out)
            }
        }
        return code == Z_STREAM_END
    }

    private func prepare() -> Bool {
        if isReady { return unsafe deflateReset(stream) == Z_OK }
        isReady = unsafe czlib_deflate_init(stream, GzipEncoder.level) == Z_OK
        return isReady
    }
}
