import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct AnswerReaderTests {
    private func read(_ pieces: [[UInt8]], limit: Int = 10) throws -> [[UInt8]] {
        var reader = AnswerReader(limit: limit)
        var messages: [[UInt8]] = []
        for piece in pieces {
            var offset = 0
            while try reader.next(in: piece.span, from: &offset) {
                messages.append(reader.message.bytes.array)
            }
        }
        return messages
    }

    private let two: [UInt8] = [0, 0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9]

    @Test(arguments: 0..<18)
    func `messages are whole wherever their bytes are cut`(cut: Int) throws {
        let messages = try read([Array(two[..<cut]), Array(two[cut...])])
        #expect(messages == [[7, 8], [], [9]])
    }

    @Test func `a message over the limit is an error before its bytes have come`() throws {
        #expect(try read([[0, 0, 0, 0, 10] + [UInt8](repeating: 1, count: 10)]).count == 1)
        #expect {
            try read([[0, 0, 0, 0, 11]])
        } throws: { error in
            (error as? Status)?.code == .resourceExhausted
        }
    }

    @Test(arguments: [1, 2, 0x80, 0xFF] as [UInt8])
    func `a compressed message is an error`(flags: UInt8) {
        #expect {
            try read([[flags, 0, 0, 0, 1, 0]])
        } throws: { error in
            (error as? Status)?.code == .internal
        }
    }
}
