import Testing

@testable import Transcode

@Suite struct GRPCMessageCodingTests {
    @Test(arguments: [
        ("plain text!", "plain text!"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("é", "%C3%A9"),
        ("\u{7f}", "%7F"), ("", ""), ("~ ", "~ "), ("🚀", "%F0%9F%9A%80"),
    ])
    func `a message goes there and back`(_ text: String, _ coded: String) {
        #expect(written { GRPCMessageCoding.encode(text, into: &$0) } == coded)
        let decoded = GRPCMessageCoding.decode(coded.utf8Span.span)
        #expect(decoded == text)
    }

    @Test(arguments: [
        ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("a%2", "a%2"), ("%41%", "A%"),
        ("%e4", "\u{fffd}"), ("%C3", "\u{fffd}"), ("%c3%a9", "é"),
    ])
    func `decoding never fails`(_ coded: String, _ text: String) {
        let decoded = GRPCMessageCoding.decode(coded.utf8Span.span)
        #expect(decoded == text)
    }

    @Test func `raw bytes that are not UTF-8 are replaced`() {
        let bytes: [UInt8] = [0x61, 0xff, 0x62]
        let decoded = GRPCMessageCoding.decode(bytes.span)
        #expect(decoded == "a\u{fffd}b")
    }
}
