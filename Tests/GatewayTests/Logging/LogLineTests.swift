import Logging
import Testing

@testable import Gateway

@Suite struct LogLineTests {
    private static let time: Int64 = 1_795_358_560_123_456_789

    @Test func `text is for people`() {
        let line = LogFormat.text.line(
            level: .warning, message: "upstream a: refused\n\u{1B}[0m", label: "gateway",
            metadata: ["b": "2", "a": "x\ty"], time: LogLineTests.time)
        #expect(line == "14:42:40.123 warning  upstream a: refused\\n\\u{1B}[0m a=x\\ty b=2\n")
    }

    @Test func `JSON is for machines`() {
        let line = LogFormat.json.line(
            level: .error, message: "a \"quoted\" \\ line\n", label: "gateway",
            metadata: ["list": ["x", "y"], "é": "\u{7F}"], time: LogLineTests.time)
        #expect(
            line == #"{"time":"2026-11-22T14:42:40.123Z","level":"error","logger":"gateway","#
                + #""message":"a \"quoted\" \\ line\u000a","list":"[\"x\", \"y\"]","é":"\u007f"}"#
                + "\n")
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (4_102_444_799_999_999_999, "2099-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func `times are RFC 3339 with milliseconds`(_ nanoseconds: Int64, _ text: String) {
        #expect(LogTime.timestamp(nanoseconds) == text)
    }
}
