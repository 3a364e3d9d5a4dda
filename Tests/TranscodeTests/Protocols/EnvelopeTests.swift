import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct EnvelopeTests {
    @Test func `a prefix goes there and back`() {
        let prefix = EnvelopePrefix(flags: 0x81, length: 0x0102_0304)
        let bytes = writtenBytes { prefix.append(to: &$0) }
        #expect(bytes == [0x81, 1, 2, 3, 4])
        let parsed = EnvelopePrefix(bytes.span)
        #expect(parsed == prefix)
        let short = EnvelopePrefix(bytes.span.extracting(0..<4))
        #expect(short == nil)
    }

    @Test func `a prefix can be filled in afterwards`() {
        let bytes = writtenBytes { block in
            for _ in 0..<7 { block.append(9) }
            EnvelopePrefix(flags: 1, length: 258).overwrite(at: 1, in: &block)
        }
        #expect(bytes == [9, 1, 0, 0, 1, 2, 9])
    }

    /// Everything that a reader says of `body`, given in pieces of `size` bytes.
    private func read(_ body: [UInt8], size: Int, limit: Int) throws -> [String] {
        var reader = EnvelopeReader(limit: limit)
        var messages: [String] = []
        var payload: [UInt8] = []
        var start = 0
        while start < body.count {
            let piece = Array(body[start..<min(start + size, body.count)])
            start += piece.count
            var offset = 0
            events: while true {
                switch try reader.next(in: piece.span, from: &offset) {
                case .needMore: break events
                case .begin(let prefix): payload = [prefix.flags]
                case .payload(let range): payload += piece[range]
                case .end: messages.append("\(payload)")
                }
            }
            #expect(offset == piece.count)
        }
        #expect(reader.isAtBoundary)
        return messages
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 11, 100])
    func `boundaries are found in pieces of any size`(_ size: Int) throws {
        let body: [UInt8] = [0, 0, 0, 0, 2, 7, 8, 1, 0, 0, 0, 0, 0xff, 0, 0, 0, 1, 9]
        #expect(try read(body, size: size, limit: 2) == ["[0, 7, 8]", "[1]", "[255, 9]"])
    }

    @Test func `exactly the limit passes and one byte more does not`() throws {
        let exact = [0, 0, 0, 0, 4] + [UInt8](repeating: 1, count: 4)
        #expect(try read(exact, size: 3, limit: 4).count == 1)
        #expect(throws: EnvelopeTooLong(length: 5)) {
            try read([0, 0, 0, 0, 5], size: 5, limit: 4)
        }
        #expect(throws: EnvelopeTooLong(length: .max)) {
            try read([0, 255, 255, 255, 255], size: 1, limit: 4)
        }
    }

    @Test func `a body that ends inside an envelope is not at a boundary`() throws {
        for count in 1...6 {
            let bytes = Array([0, 0, 0, 0, 2, 1, 2][0..<count]) as [UInt8]
            var reader = EnvelopeReader(limit: 10)
            var offset = 0
            var event = try reader.next(in: bytes.span, from: &offset)
            while event != .needMore { event = try reader.next(in: bytes.span, from: &offset) }
            #expect(!reader.isAtBoundary)
        }
    }
}
