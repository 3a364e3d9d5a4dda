import Testing
import Transcode

@testable import Gateway

@Suite struct ASCIITests {
    @Test(arguments: 0...255 as ClosedRange<UInt8>)
    func `a value ends before the first byte that may not stand in it, wherever that is`(
        byte: UInt8
    ) {
        // RFC 9110 §5.5: visible characters, space, tab, and what is beyond ASCII.
        let mayStand = byte == 9 || (byte >= 32 && byte != 127)
        for position in 0..<24 {
            var text = [UInt8](repeating: UInt8(ascii: "a"), count: 24)
            text[position] = byte
            text.append(ASCII.cr)
            #expect(text.span.fieldValueEnd(from: 0) == (mayStand ? 24 : position))
            #expect(text.span.fieldValueEnd(from: 24) == 24)
        }
    }

    @Test func `a token is made of letters, digits and 15 marks`() {
        let marks = "!#$%&'*+-.^_`|~"
        let tokens = (0...255 as ClosedRange<UInt8>).filter { ASCII.isTokenByte($0) }
        let expected =
            (marks + "0123456789" + "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            .utf8
        #expect(tokens == expected.sorted())
    }

    @Test(arguments: 0...255 as ClosedRange<UInt8>)
    func `a token ends before the first byte that may not stand in it, wherever that is`(
        byte: UInt8
    ) {
        let mayStand = ASCII.isTokenByte(byte)
        for (position, count) in (1...24).flatMap({ count in (0..<count).map { ($0, count) } }) {
            var text = [UInt8](repeating: UInt8(ascii: "Z"), count: count)
            text[position] = byte
            #expect(text.span.tokenEnd(from: 0) == (mayStand ? count : position))
            #expect(text.span.tokenEnd(from: position) == (mayStand ? count : position))
        }
    }

    @Test func `a byte is found where it first stands, within its range`() {
        let text = Array("a;b;c".utf8)
        let found = [(0, 5), (2, 5), (4, 5), (0, 1), (3, 3)].map {
            text.span.firstIndex(of: UInt8(ascii: ";"), from: $0.0, to: $0.1)
        }
        #expect(found == [1, 3, nil, nil, nil])
    }
}
