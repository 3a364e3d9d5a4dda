import Testing

@testable import Gateway

@Suite struct FrameWalkerTests {
    /// A preface, SETTINGS, a whole head, DATA, an empty head, one with padding, one without its end and the rest of it, and
    /// a PING, a PUSH_PROMISE, a head with a priority, and a whole one.
    private static let bytes: [UInt8] =
        [UInt8](repeating: 1, count: 24)
        + frame(4, 0, []) + frame(1, 4, [0x82, 0x84]) + frame(0, 1, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
        + frame(1, 5, []) + frame(1, 12, [1, 0x82, 0]) + frame(1, 0, [0x82]) + frame(9, 4, [0x84])
        + frame(6, 0, [1, 4, 0, 0, 1, 1, 4, 4]) + frame(5, 4, [0, 0, 0, 2, 0x82])
        + frame(1, 36, [0, 0, 0, 0, 1, 0x82]) + frame(1, 4, [0x82])

    private static func frame(_ type: UInt8, _ flags: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [0, 0, UInt8(payload.count), type, flags, 0, 0, 0, 1] + payload
    }

    /// Where in all bytes the whole heads were, and how many others there were.
    private static func walk(_ pieces: [ArraySlice<UInt8>]) -> (heads: [Range<Int>], others: Int) {
        var walker = FrameWalker(prefaceBytes: FrameWalker.prefaceBytes)
        var heads: [Range<Int>] = []
        var others = 0
        for piece in pieces {
            let input = Array(piece)
            var offset = 0
            while let found = walker.next(in: input.span, from: &offset) {
                switch found {
                case .head(let range):
                    let start = piece.startIndex
                    heads.append(range.lowerBound + start..<range.upperBound + start)
                case .otherHead: others += 1
                }
            }
        }
        return (heads, others)
    }

    @Test func `of all frames the whole heads are found, and what else carries heads is told`() {
        let (heads, others) = FrameWalkerTests.walk([FrameWalkerTests.bytes[...]])
        #expect(heads == [33..<44, 63..<72, 150..<160])
        #expect(others == 5)
    }

    @Test func `a head that comes in pieces is told as another wherever it is cut`() {
        let bytes = FrameWalkerTests.bytes
        let whole = FrameWalkerTests.walk([bytes[...]])
        for cut in bytes.indices {
            let (heads, others) = FrameWalkerTests.walk([bytes[..<cut], bytes[cut...]])
            let kept = whole.heads.filter { cut <= $0.lowerBound || cut >= $0.upperBound }
            #expect(heads == kept, "cut at \(cut)")
            #expect(heads.count + others == whole.heads.count + whole.others, "cut at \(cut)")
        }
    }

    @Test func `byte for byte no head is whole, and none is missed`() {
        let bytes = FrameWalkerTests.bytes
        let (heads, others) = FrameWalkerTests.walk(bytes.indices.map { bytes[$0...$0] })
        #expect(heads.isEmpty)
        #expect(others == 8)
    }
}
