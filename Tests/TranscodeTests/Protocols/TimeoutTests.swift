import Testing

@testable import Transcode

@Suite struct TimeoutTests {
    @Test(
        arguments: [
            ("1H", 3_600_000_000_000), ("2M", 120_000_000_000), ("3S", 3_000_000_000),
            ("4m", 4_000_000), ("5u", 5_000), ("6n", 6), ("0n", 0), ("0S", 0),
            ("00000010S", 10_000_000_000), ("99999999S", 99_999_999_000_000_000),
            ("99999999M", 5_999_999_940_000_000_000), ("99999999H", Int64.max), ("", nil),
            ("1", nil),
            ("S", nil), ("123456789S", nil), ("1s", nil), ("-1S", nil), ("+1S", nil), ("1.5S", nil),
            (" 1S", nil), ("1S ", nil), ("1h", nil),
        ] as [(String, Int64?)])
    func `grpc-timeout is one to eight digits and a unit`(_ text: String, _ expected: Int64?) {
        let parsed = Timeout.parse(grpc: text.utf8Span.span)
        #expect(parsed == expected)
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1_000_000), ("9999999999", 9_999_999_999_000_000), ("10000000000", nil),
            ("", nil), ("-1", nil), ("1.5", nil), ("1s", nil), ("x", nil),
        ] as [(String, Int64?)])
    func `connect-timeout-ms is at most ten digits`(_ text: String, _ expected: Int64?) {
        let parsed = Timeout.parse(connectMilliseconds: text.utf8Span.span)
        #expect(parsed == expected)
    }

    @Test(
        arguments: [
            ("1", 1_000_000_000), ("0.25", 250_000_000), (".5", 500_000_000), ("2.", 2_000_000_000),
            ("0.0000000019", 1), ("0", 0), ("99999999999999999999", Int64.max), ("", nil),
            (".", nil),
            ("-1", nil), ("1e3", nil), ("NaN", nil), ("1.2.3", nil),
        ] as [(String, Int64?)])
    func `x-server-timeout is decimal seconds`(_ text: String, _ expected: Int64?) {
        let parsed = Timeout.parse(serverSeconds: text.utf8Span.span)
        #expect(parsed == expected)
    }

    @Test(
        arguments: [
            (0, "0n"), (-5, "0n"), (1, "1n"), (99_999_999, "99999999n"), (100_000_000, "100000u"),
            (100_000_999, "100000u"), (15_000_000_000, "15000000u"), (99_999_999_999, "99999999u"),
            (100_000_000_000, "100000m"), (99_999_999_999_999, "99999999m"),
            (100_000_000_000_000, "100000S"), (99_999_999_999_999_999, "99999999S"),
            (100_000_000_000_000_000, "1666666M"), (Int64.max, "2562047H"),
        ] as [(Int64, String)])
    func `what remains is written rounded down in the finest unit`(
        _ nanoseconds: Int64, _ expected: String
    ) {
        #expect(
            written { Timeout.formatGRPC(nanoseconds: nanoseconds, into: &$0) } == expected)
    }

    @Test func `what is written is never more than what remains`() throws {
        var value: Int64 = 1
        while value < Int64.max / 3 {
            let text = written { Timeout.formatGRPC(nanoseconds: value, into: &$0) }
            let reparsed = Timeout.parse(grpc: text.utf8Span.span)
            let parsed = try #require(reparsed)
            #expect(parsed <= value && parsed >= value - value / 1_000)
            value = value * 3 + 1
        }
    }
}
