import Testing

@testable import Transcode

@Suite struct PercentEncodingTests {
    @Test(arguments: [
        // Envoy's own example, then the reserved set.
        ("%2f%23/%20%2523", "/#/ %23", "%2f#/ %23", "%2f%23/ %23"),
        ("%2F", "/", "%2F", "%2F"),
        (
            "%21%23%24%26%27%28%29%2A%2B%2C%2F", "!#$&'()*+,/", "!#$&'()*+,%2F",
            "%21%23%24%26%27%28%29%2A%2B%2C%2F"
        ),
        ("%3A%3b%3D%3F%40%5B%5D", ":;=?@[]", ":;=?@[]", "%3A%3b%3D%3F%40%5B%5D"),
        ("%41%7e%22", "A~\"", "A~\"", "A~\""),
        ("a+b", "a+b", "a+b", "a+b"),
    ])
    func `each unescape mode keeps its own escapes`(
        _ text: String, _ all: String, _ exceptSlash: String, _ exceptReserved: String
    ) throws {
        #expect(try decode(text, .all) == all)
        #expect(try decode(text, .exceptSlash) == exceptSlash)
        #expect(try decode(text, .exceptReserved) == exceptReserved)
    }

    private func decode(
        _ text: String, _ unescape: PercentEncoding.Unescape = .all, plusIsSpace: Bool = false
    ) throws(PercentEncoding.Problem) -> String {
        try written { block throws(PercentEncoding.Problem) in
            try PercentEncoding.decode(
                text.utf8Span.span, unescape, plusIsSpace: plusIsSpace, into: &block)
        }
    }

    @Test func `a plus is a space in a query only`() throws {
        #expect(try decode("a+b%2B", plusIsSpace: true) == "a b+")
    }

    @Test(arguments: [("%", 0), ("ab%4", 2), ("%zz", 0), ("%4g", 0), ("%41%", 3)])
    func `a malformed escape is an error at its offset`(_ text: String, _ offset: Int) {
        #expect(throws: PercentEncoding.Problem.malformed(at: offset)) { try decode(text) }
    }
}
