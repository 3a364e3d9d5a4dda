import ProtoRuntime
import Transcode

/// Heads that a peer repeats, as they were read the first times: most of a client's requests to a method, and of an
/// upstream's answers, begin and end with the same bytes, which say the same as long as nothing enters the table in which
/// nghttp2 decodes them. Those that do not repeat cost 100 instructions, the others save 1,500 each.
///
/// A connection holds at most `slotCount` of them: 8 blocks of at most 1 KB, and their fields, of which `headers` in `limits`
/// bounds each; in practice 2 KB for every kind of head that repeats.
struct ReceivedHeads: ~Copyable {
    enum Kind { case request, response, trailers }

    final class Head {
        fileprivate(set) var kind = Kind.trailers
        fileprivate var block = OutputBlock()
        /// A request's.
        var request = RequestHead()
        /// An answer's, or trailers.
        var fields = Fields()
        /// What nghttp2 gets in the place of the real frame: the shortest of the same kind. What it makes of it is the same,
        /// for the real block leaves its table alone, and it has found the fields to be well-formed before.
        private(set) var frame = OutputBlock()

        /// Gives the frame flags and stream of the real one.
        func stamp(_ real: Span<UInt8>) {
            for index in 4..<FrameWalker.headerBytes {
                frame.overwrite(at: index, with: real[index])
            }
        }

        /// To be called when the head says what it says.
        func makeFrame() {
            frame.removeAll()
            for byte in [0, 0, 0, 1, 0, 0, 0, 0, 0] as [UInt8] { frame.append(byte) }
            switch kind {
            case .request:
                // POST, http, "/" and an authority.
                for byte in [0x83, 0x86, 0x84, 0x01, 0x01, 0x78] as [UInt8] { frame.append(byte) }
            // 200.
            case .response: frame.append(0x88)
            case .trailers: break
            }
            Head.appendLength(of: request.fields, to: &frame)
            frame.overwrite(at: 2, with: UInt8(frame.count - FrameWalker.headerBytes))
        }

        /// By it nghttp2 measures the body: a literal that does not enter the table, named by index 28.
        private static func appendLength(of fields: borrowing Fields, to frame: inout OutputBlock) {
            guard let index = fields.firstIndex(of: .contentLength) else { return }
            let length = fields.value(at: index)
            for byte in [0x0f, 0x0d, UInt8(length.count)] { frame.append(byte) }
            frame.append(length)
        }
    }

    /// Whether the length of the body has as many digits as a number of 64 bits at most.
    static func canKeepLength(of fields: borrowing Fields) -> Bool {
        guard let index = fields.firstIndex(of: .contentLength) else { return true }
        return fields.value(at: index).count <= lengthDigitsMax
    }

    /// What a `content-length` of more digits stands in is not kept.
    static let lengthDigitsMax = 20
    static let slotCount = 8
    /// A longer block is not kept.
    static let blockBytesMax = 1 << 10

    /// The marks of the blocks that are kept, 0 for none, and the heads in the same places.
    private var marks: [UInt64] = []
    private var heads: [Head?] = []
    /// Marks of blocks that came once.
    private var seen: [UInt64] = []

    /// The decoder's table has changed, or may have.
    mutating func forget() {
        for slot in marks.indices { marks[slot] = 0 }
    }

    /// What this block says, when it is known.
    func known(_ block: Span<UInt8>, mark: UInt64) -> Head? {
        guard !marks.isEmpty else { return nil }
        let slot = ReceivedHeads.slot(of: mark)
        guard marks[slot] == mark, let head = heads[slot], head.block.bytes.isEqual(to: block)
        else { return nil }
        return head
    }

    /// Notes a block that is not known.
    /// - Returns: whether it came before and leaves the table alone, so that it may be kept.
    mutating func isRepeated(_ block: Span<UInt8>, mark: UInt64) -> Bool {
        guard !ReceivedHeads.changesTable(block) else {
            forget()
            return false
        }
        guard block.count <= ReceivedHeads.blockBytesMax else { return false }
        if seen.isEmpty {
            seen = Array(repeating: 0, count: ReceivedHeads.slotCount)
            marks = seen
            heads = Array(repeating: nil, count: ReceivedHeads.slotCount)
        }
        let slot = ReceivedHeads.slot(of: mark)
        if seen[slot] == mark { return true }
        seen[slot] = mark
        return false
    }

    /// Keeps that a repeated block says what the caller puts into the result, which is empty, before it makes its frame.
    mutating func keep(_ block: Span<UInt8>, mark: UInt64, _ kind: Kind) -> Head {
        let slot = ReceivedHeads.slot(of: mark)
        let head = heads[slot] ?? Head()
        heads[slot] = head
        marks[slot] = mark
        head.kind = kind
        head.block.removeAll()
        head.block.append(block)
        head.request.removeAll()
        head.fields.removeAll()
        return head
    }

    private static func slot(of mark: UInt64) -> Int { Int(truncatingIfNeeded: mark &>> 61) }

    /// A number by which blocks are told apart, which is not 0.
    static func mark(of block: Span<UInt8>) -> UInt64 {
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var mark = UInt64(truncatingIfNeeded: block.count) | 1 << 32
        unsafe block.withUnsafeBytes { bytes in
            var offset = 0
            while offset &+ 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                mark = (mark ^ word) &* factor
                mark ^= mark &>> 29
                offset &+= 8
            }
            var tail: UInt64 = 0
            while offset < bytes.count {
                tail = tail &<< 8 | UInt64(unsafe bytes[offset])
                offset &+= 1
            }
            mark = (mark ^ tail) &* factor
        }
        return mark == 0 ? 1 : mark
    }

    /// Whether reading the block changes the decoder's table, or may do so: only indices and literals that do not enter it
    /// leave it as it is (RFC 7541 §6).
    static func changesTable(_ block: Span<UInt8>) -> Bool {
        var offset = 0
        while offset < block.count {
            let first = block[offset]
            if first & 0x80 != 0 {
                guard integer(block, &offset, prefix: 0x7F) != nil else { return true }
                continue
            }
            // With incremental indexing, or an update of the table's size.
            guard first & 0x60 == 0, let name = integer(block, &offset, prefix: 0x0F) else {
                return true
            }
            if name == 0 {
                guard passString(block, &offset) else { return true }
            }
            guard passString(block, &offset) else { return true }
        }
        return false
    }

    /// The integer at `offset`, which is moved behind it (§5.1); nil for one of more than two bytes behind its first, as no
    /// index and no length here has.
    private static func integer(
        _ block: Span<UInt8>, _ offset: inout Int, prefix: UInt8
    ) -> Int? {
        guard offset < block.count else { return nil }
        var value = Int(block[offset] & prefix)
        offset += 1
        guard value == Int(prefix) else { return value }
        for shift in 0..<2 {
            guard offset < block.count else { return nil }
            let byte = block[offset]
            offset += 1
            value += Int(byte & 0x7F) << (7 * shift)
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func passString(_ block: Span<UInt8>, _ offset: inout Int) -> Bool {
        guard let length = integer(block, &offset, prefix: 0x7F), length <= block.count - offset
        else { return false }
        offset += length
        return true
    }
}
