import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct HTTP1WriterTests {
    private static let date = Array("Sun, 06 Nov 1994 08:49:37 GMT".utf8)

    private static func head(
        _ status: Int, _ framing: HTTP1Writer.Framing, keepsAlive: Bool = true
    ) -> String {
        var head = ResponseHead()
        head.status = status
        head.fields.append(.contentType, "application/json")
        head.fields.append("x-b", "2")
        var output = OutputBlock()
        HTTP1Writer.appendHead(
            head, framing: framing, keepsAlive: keepsAlive, date: date, to: &output)
        return output.bytes.text
    }

    private static let fields =
        "content-type: application/json\r\nx-b: 2\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

    @Test(
        arguments: [
            (200, .length(0), "content-length: 0\r\n"),
            (200, .length(1_234_567_890), "content-length: 1234567890\r\n"),
            (404, .length(7), "content-length: 7\r\n"),
            (200, .chunked, "transfer-encoding: chunked\r\n"),
            (200, .untilClose, ""), (204, .none, ""), (299, .length(10), "content-length: 10\r\n"),
        ] as [(Int, HTTP1Writer.Framing, String)])
    func `a head ends in what frames its body`(
        status: Int, framing: HTTP1Writer.Framing, last: String
    ) {
        let line = "HTTP/1.1 \(status) \(HTTP1Writer.reason(of: status))\r\n"
        #expect(
            HTTP1WriterTests.head(status, framing) == line + HTTP1WriterTests.fields + last + "\r\n"
        )
        #expect(
            HTTP1WriterTests.head(status, framing, keepsAlive: false)
                == line + HTTP1WriterTests.fields + last + "connection: close\r\n\r\n")
    }

    @Test(arguments: [
        (200, "OK"), (404, "Not Found"), (413, "Content Too Large"), (499, "Client Closed Request"),
        (299, ""), (0, ""),
    ])
    func `a status has its customary phrase or none`(status: Int, phrase: String) {
        #expect("\(HTTP1Writer.reason(of: status))" == phrase)
    }

    @Test(arguments: [0, 1, 9, 15, 16, 255, 256, 4095, 65_536, 1_000_000])
    func `a chunk is its size in hexadecimal and its bytes`(count: Int) {
        let bytes = [UInt8](repeating: 120, count: count)
        var output = OutputBlock()
        HTTP1Writer.appendChunk(bytes.span, to: &output)
        let text = String(repeating: "x", count: count)
        let expected = count == 0 ? "" : "\(String(count, radix: 16))\r\n\(text)\r\n"
        #expect(output.bytes.text == expected)
    }

    @Test func `chunks and their end are what the parser reads`() {
        var output = OutputBlock()
        output.append("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in ["one ", "", String(repeating: "two ", count: 40), "three"] {
            HTTP1Writer.appendChunk(part.utf8Span.span, to: &output)
        }
        HTTP1Writer.appendLastChunk(to: &output)
        let parsed = ParsedRequests(output.bytes.text)
        let body = "one " + String(repeating: "two ", count: 40) + "three"
        #expect(parsed.requests.first?.hasSuffix("] " + body) == true)
        #expect(parsed.unused == 0)
    }

    @Test(arguments: [
        (0, "0"), (7, "7"), (10, "10"), (1001, "1001"), (Int.max, "9223372036854775807"), (-5, "0"),
    ])
    func `a decimal number is written in its digits`(number: Int, text: String) {
        var output = OutputBlock()
        HTTP1Writer.appendDecimal(number, to: &output)
        #expect(output.bytes.text == text)
    }

    @Test func `the interim answer is a head of its own`() {
        var output = OutputBlock()
        HTTP1Writer.appendContinue(to: &output)
        #expect(output.bytes.text == "HTTP/1.1 100 Continue\r\n\r\n")
    }
}
