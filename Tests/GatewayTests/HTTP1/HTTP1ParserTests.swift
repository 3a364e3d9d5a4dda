import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// Requests that are well formed, and what the parser makes of them.
private let goodRequests: [(String, String)] = [
    (
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / http11 @a 0 [host=a] "
    ),
    (
        "OPTIONS * HTTP/1.1\r\nhOST:a:80\r\n\r\n", "OPTIONS * http11 @a:80 0 [host=a:80] "
    ),
    (
        "GET http://b.test:8080/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x?y http11 @b.test:8080 0 [host=a] "
    ),
    (
        "GET HTTPS://b/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / http11 @b 0 [host=a] "
    ),
    (
        "GET /%2f?a=b?c&d HTTP/1.1\r\nHost:\t a \t\r\nX:\r\nY: , ,\r\n\r\n",
        "GET /%2f?a=b?c&d http11 @a 0 [host=a] [x=] [y=, ,] "
    ),
    (
        "M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1\r\nHost: a\r\n\r\n",
        "M-SEARCH!#$%&'*+.^_`|~ / http11 @a 0 [host=a] "
    ),
    (
        "GET / HTTP/1.0\r\n\r\n", "GET / http10 @ close 0 "
    ),
    (
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n",
        "GET / http10 @ close 0 [connection=keep-alive] [expect=100-continue] "
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE\r\n\r\n",
        "GET / http11 @a close 0 [host=a] [connection=x , CLOSE] "
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n",
        "GET / http11 @a 0 [host=a] [connection=closed] "
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\r\n\r",
        "POST /a http11 @a 3 [host=a] [content-length=3] \r\n\r"
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n",
        "POST /a http11 @a 0 [host=a] [content-length=000] "
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\nhi",
        "POST /a http11 @a continue 2 [host=a] [content-length=2] [expect=100-Continue] hi"
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
        "POST /a http11 @a 0 [host=a] [content-length=0] [expect=100-continue] "
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
        "POST /a http11 @a chunked [host=a] [transfer-encoding=Chunked] "
    ),
    (
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n0A;x=\"y;z\"\r\n0123456789\r\n1 \t;q\r\n!\r\n000\r\nA: b\r\nC:d\r\n\r\n",
        "POST /a http11 @a chunked [host=a] [transfer-encoding=chunked] abc0123456789!"
    ),
    (
        "\r\nGET /after HTTP/1.1\r\nHost: a\r\n\r\n", "GET /after http11 @a 0 [host=a] "
    ),
]

@Suite struct HTTP1ParserTests {
    @Test(arguments: goodRequests)
    func `a good request is read whole`(bytes: String, expected: String) {
        let parsed = ParsedRequests(bytes)
        #expect(parsed.requests == [expected])
        #expect(parsed.error == nil)
        #expect(parsed.unused == 0)
    }

    @Test(arguments: goodRequests)
    func `cut in two anywhere, a good request gives the same`(bytes: String, expected: String) {
        let all = Array(bytes.utf8)
        for cut in 0...all.count {
            let parsed = ParsedRequests([Array(all[..<cut]), Array(all[cut...])])
            #expect(parsed.requests == [expected], "cut at \(cut): \(parsed)")
        }
    }

    @Test(arguments: goodRequests)
    func `byte by byte, a good request gives the same`(bytes: String, expected: String) {
        let parsed = ParsedRequests(bytes.utf8.map { [$0] })
        #expect(parsed.requests == [expected], "\(parsed)")
    }

    @Test func `coalesced or cut at random, all good requests give the same`() {
        let bytes = Array(goodRequests.map(\.0).joined().utf8)
        let expected = goodRequests.map(\.1)
        #expect(ParsedRequests([bytes]).requests == expected)
        var random = RandomSource(seed: 7)
        for _ in 0..<200 {
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(
                    in: 1...Int.random(in: 1...200, using: &random), using: &random)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(ParsedRequests(pieces).requests == expected)
        }
    }

    @Test(arguments: goodRequests)
    func `without its last byte no request is complete`(bytes: String, expected: String) {
        let parsed = ParsedRequests([Array(bytes.utf8.dropLast())])
        #expect(parsed.requests.isEmpty, "\(parsed)")
        #expect(parsed.error == nil)
    }

    @Test func `the parser stands between requests only there`() throws {
        var parser = HTTP1Parser()
        var head = RequestHead()
        let bytes = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx".utf8)
        var offset = 0
        #expect(parser.isBetweenRequests)
        #expect(try parser.next(bytes.span, &offset, head: &head) == .head)
        #expect(offset == bytes.count - 1)
        #expect(!parser.isBetweenRequests)
        #expect(
            try parser.next(bytes.span, &offset, head: &head)
                == .body(bytes.count - 1..<bytes.count))
        #expect(!parser.isBetweenRequests)
        #expect(try parser.next(bytes.span, &offset, head: &head) == .end)
        #expect(parser.isBetweenRequests)
        #expect(try parser.next(bytes.span, &offset, head: &head) == .needMore)
    }
}

@Suite struct HTTP1LimitTests {
    private static func request(headBytes: Int) -> String {
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
        let filling = String(repeating: "x", count: headBytes - frame.utf8.count)
        return "GET / HTTP/1.1\r\nHost: a\r\nX: \(filling)\r\n\r\n"
    }

    @Test(arguments: [1, 7, 400, 100_000])
    func `a head may have as many bytes as the limit, and not one more`(pieceBytes: Int) {
        let limits = HTTP1Limits(headBytesMax: 300)
        for (bytes, isAccepted) in [
            (299, true), (300, true), (301, false), (302, false), (900, false),
        ] {
            let all = Array(HTTP1LimitTests.request(headBytes: bytes).utf8)
            let pieces = stride(from: 0, to: all.count, by: pieceBytes).map {
                Array(all[$0..<min($0 + pieceBytes, all.count)])
            }
            let parsed = ParsedRequests(pieces, limits: limits)
            #expect((parsed.requests.count == 1) == isAccepted, "\(bytes) bytes")
            #expect(parsed.error == (isAccepted ? nil : .headTooLarge), "\(bytes) bytes")
        }
    }

    @Test func `a head that never ends is refused once it is over the limit`() {
        let limits = HTTP1Limits(headBytesMax: 300)
        let start = Array("GET / HTTP/1.1\r\nX: ".utf8)
        let filling = [UInt8](repeating: 120, count: 300 - start.count)
        #expect(ParsedRequests([start + filling.dropLast()], limits: limits).error == nil)
        #expect(ParsedRequests([start + filling], limits: limits).error == .headTooLarge)
    }

    @Test func `a target may have as many bytes as the limit, and not one more`() {
        let limits = HTTP1Limits(targetBytesMax: 20)
        func parsed(_ bytes: Int) -> ParsedRequests {
            let target = "/" + String(repeating: "x", count: bytes - 1)
            return ParsedRequests("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", limits: limits)
        }
        #expect(parsed(20).error == nil)
        #expect(parsed(20).requests.count == 1)
        #expect(parsed(21).error == .targetTooLong)
    }

    @Test func `there may be as many fields as the limit, and not one more`() {
        let limits = HTTP1Limits(fieldsMax: 5)
        func parsed(_ count: Int) -> ParsedRequests {
            let fields = String(repeating: "X: y\r\n", count: count - 1)
            return ParsedRequests("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", limits: limits)
        }
        #expect(parsed(5).requests.count == 1)
        #expect(parsed(6).error == .tooManyFields)
    }

    @Test func `a method may have 32 bytes, and not one more`() {
        func parsed(_ count: Int) -> ParsedRequests {
            ParsedRequests("\(String(repeating: "M", count: count)) / HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        #expect(parsed(32).requests.count == 1)
        #expect(parsed(33).error == .badRequestLine)
    }

    @Test func `a length may have 15 digits, and not one more`() {
        func parsed(_ digits: String) -> ParsedRequests {
            ParsedRequests("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(digits)\r\n\r\n")
        }
        #expect(parsed("999999999999999").error == nil)
        #expect(parsed("000000000000000").requests.count == 1)
        #expect(parsed("0000000000000000").error == .badContentLength)
        #expect(parsed("18446744073709551616").error == .badContentLength)
    }
}
