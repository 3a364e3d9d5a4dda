import Testing

@testable import Gateway

@Suite struct HTTPDateTests {
    @Test(
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
            (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] as [(Int64, String)])
    func `a date has the fixed form of RFC 9110`(seconds: Int64, text: String) {
        #expect(HTTPDate.format(secondsSinceEpoch: seconds) == text)
    }

    @Test func `the text is made at once and then once a second`() {
        var date = HTTPDate()
        #expect(date.text.isEmpty)
        date.update(now: 7_000_000_000)
        let first = date.text
        #expect(first.count == 29)
        #expect(String(decoding: first, as: UTF8.self).hasSuffix(" GMT"))
        date.update(now: 7_000_000_000)
        #expect(date.text == first)
    }
}
