import ProtoRuntime

/// Finds the heads among the frames of a connection (RFC 9113 §4.1), whatever pieces the bytes come in. Pure.
struct FrameWalker {
    enum Found: Equatable {
        /// A HEADERS frame that lies whole at this range of the input, and is nothing but a whole header block.
        case head(Range<Int>)
        /// A frame that begins here and carries a header block, or a part of one, in any other way.
        case otherHead
    }

    static let headerBytes = 9
    static let prefaceBytes = 24
    private enum FrameType {
        static let (headers, pushPromise, continuation): (UInt8, UInt8, UInt8) = (1, 5, 9)
    }
    private enum Flag {
        static let (endHeaders, padded, priority): (UInt8, UInt8, UInt8) = (4, 8, 32)
    }

    /// Bytes to come before the next frame begins.
    private var remaining: Int
    /// Length and type of a frame whose header the last input ended within, and how many bytes of that have come.
    private var pieces: UInt32 = 0
    private var piecesCount = 0

    /// - Parameter prefaceBytes: what comes before the first frame: `prefaceBytes` from a client, nothing from a server.
    init(prefaceBytes: Int) { remaining = prefaceBytes }

    /// The next head in `input` from `offset` on, which is moved behind what was looked at; nil at the input's end.
    mutating func next(in input: Span<UInt8>, from offset: inout Int) -> Found? {
        while offset < input.count {
            let left = input.count - offset
            if remaining > 0 {
                let passed = min(remaining, left)
                offset += passed
                remaining -= passed
            } else if piecesCount > 0 || left < FrameWalker.headerBytes {
                if takePiece(input[offset]) { offset += 1; return .otherHead }
                offset += 1
            } else if let found = beginFrame(input, &offset) {
                return found
            }
        }
        return nil
    }

    /// A whole frame header stands at `offset`.
    private mutating func beginFrame(_ input: Span<UInt8>, _ offset: inout Int) -> Found? {
        let length =
            Int(input[offset]) << 16 | Int(input[offset + 1]) << 8 | Int(input[offset + 2])
        let type = input[offset + 3]
        let start = offset
        offset += FrameWalker.headerBytes
        guard FrameWalker.carriesHead(type) else {
            remaining = length
            return nil
        }
        let flags = input[start + 4] & (Flag.endHeaders | Flag.padded | Flag.priority)
        guard type == FrameType.headers, flags == Flag.endHeaders, length <= input.count - offset
        else {
            remaining = length
            return .otherHead
        }
        offset += length
        return .head(start..<offset)
    }

    /// One byte of a frame header that comes in pieces.
    /// - Returns: whether it was the last one, of a frame that carries a head.
    private mutating func takePiece(_ byte: UInt8) -> Bool {
        if piecesCount < 4 { pieces = pieces << 8 | UInt32(byte) }
        piecesCount += 1
        guard piecesCount == FrameWalker.headerBytes else { return false }
        remaining = Int(pieces >> 8)
        let type = UInt8(truncatingIfNeeded: pieces)
        (pieces, piecesCount) = (0, 0)
        return FrameWalker.carriesHead(type)
    }

    private static func carriesHead(_ type: UInt8) -> Bool {
        type == FrameType.headers || type == FrameType.pushPromise
            || type == FrameType.continuation
    }
}
