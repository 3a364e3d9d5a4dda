import ProtoRuntime
import Transcode

/// The head that is being sent on a connection, from its fields to its frames (RFC 9113 §6.2, §6.10). Pure.
struct SentHead: ~Copyable {
    private enum FrameType { static let continuation: UInt8 = 9 }
    private enum Flag { static let endHeaders: UInt8 = 4 }

    var encoder = HPACKEncoder()
    private var block = OutputBlock()
    /// Whether there is one, which the next frame is for.
    private(set) var isDue = false

    mutating func encode(_ fields: borrowing Fields, status: Int? = nil) {
        isDue = true
        encoder.encode(fields, status: status, into: &block)
    }

    /// Appends the head with type, flags and stream of `frame`, a HEADERS frame; what is more than a frame may hold goes into
    /// CONTINUATION frames.
    mutating func append(
        inPlaceOf frame: Span<UInt8>, frameBytesMax: Int, to output: inout ByteBuffer
    ) {
        var header = InlineArray<9, UInt8> { frame[$0] }
        var start = 0
        repeat {
            let end = min(block.count, start + frameBytesMax)
            let length = UInt32(truncatingIfNeeded: end - start)
            header[0] = UInt8(truncatingIfNeeded: length >> 16)
            header[1] = UInt8(truncatingIfNeeded: length >> 8)
            header[2] = UInt8(truncatingIfNeeded: length)
            let isLast = end == block.count
            header[4] = isLast ? header[4] | Flag.endHeaders : header[4] & ~Flag.endHeaders
            output.append(header.span)
            output.append(block.bytes.extracting(start..<end))
            header[3] = FrameType.continuation
            header[4] = 0
            start = end
        } while start < block.count
        block.removeAll()
        isDue = false
    }
}
