import Testing

@testable import Gateway

@Suite struct StatusDigitsTests {
    @Test func `every status is its own three digits`() {
        for status in 100...999 { #expect(StatusDigitsTests.text(status) == "\(status)") }
    }

    @Test(arguments: [
        (Int.min, "100"), (-1, "100"), (0, "100"), (99, "100"), (1000, "999"), (Int.max, "999"),
    ])
    func `a number that is no status is taken for the nearest`(status: Int, text: String) {
        #expect(StatusDigitsTests.text(status) == text)
    }

    private static func text(_ status: Int) -> String {
        let digits = unsafe StatusDigits.of(status)
        return unsafe String(
            decoding: UnsafeBufferPointer(start: digits, count: 3), as: UTF8.self)
    }
}
