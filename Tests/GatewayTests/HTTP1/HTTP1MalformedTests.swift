import Testing

@testable import Gateway

/// Heads that are not HTTP/1.1, each with its error and the status that is answered.
@Suite struct HTTP1MalformedTests {
    private static let requestLines: [(String, HTTP1Error)] = [
        ("GET /\r\n", .badRequestLine), ("GET\r\n", .badRequestLine),
        (" GET / HTTP/1.1\r\n", .badRequestLine),
        ("GET  / HTTP/1.1\r\n", .badRequestLine), ("GET /  HTTP/1.1\r\n", .badRequestLine),
        ("GET / HTTP/1.1 \r\n", .badRequestLine), ("GET\t/ HTTP/1.1\r\n", .badRequestLine),
        ("GET /\tHTTP/1.1\r\n", .badRequestLine), ("G@T / HTTP/1.1\r\n", .badRequestLine),
        ("G\u{e9}T / HTTP/1.1\r\n", .badRequestLine), ("GET /a b HTTP/1.1\r\n", .badRequestLine),
        ("GET /\u{0} HTTP/1.1\r\n", .badRequestLine), ("GET /\u{7f} HTTP/1.1\r\n", .badRequestLine),
        ("GET / http/1.1\r\n", .badRequestLine), ("GET / HTTP/11\r\n", .badRequestLine),
        ("GET / HTTP/1.10\r\n", .badRequestLine), ("GET / FTP/1.10\r\n", .badRequestLine),
        ("GET / HTTP/1.\r\n", .badRequestLine), ("GET / XTTP/1.1\r\n", .badRequestLine),
        ("GET / HTTP/1.2\r\n", .badVersion), ("GET / HTTP/2.0\r\n", .badVersion),
        ("GET / HTTP/0.9\r\n", .badVersion), ("GET / HTTP/1,1\r\n", .badVersion),
        ("GET a HTTP/1.1\r\n", .badTarget), ("GET * HTTP/1.1\r\n", .badTarget),
        ("GET ?a HTTP/1.1\r\n", .badTarget), ("CONNECT a:443 HTTP/1.1\r\n", .badTarget),
        ("GET ftp://a/ HTTP/1.1\r\n", .badTarget), ("GET http:/// HTTP/1.1\r\n", .badTarget),
        ("GET http:// HTTP/1.1\r\n", .badTarget), ("GET http://a HTTP/1.1\r\n", .badTarget),
        ("GET / HTTP/1.1\n", .badLineEnd), ("\n", .badRequestLine), ("\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1\r\r\n", .badRequestLine), ("\u{16}\u{3}\u{1}\u{0}\r\n", .badRequestLine),
        ("PRI * HTTP/2.0\r\n", .badVersion),
    ]

    private static let fields: [(String, HTTP1Error)] = [
        ("Host : a\r\n", .badFieldName), ("Host\r\n", .badFieldName), (": a\r\n", .badFieldName),
        ("Ho st: a\r\n", .badFieldName), ("H\u{f6}st: a\r\n", .badFieldName),
        ("Host\u{0}: a\r\n", .badFieldName),
        ("(Host): a\r\n", .badFieldName), ("Host: a\r\n b\r\n", .obsoleteFolding),
        ("Host: a\r\n\tb\r\n", .obsoleteFolding), (" Host: a\r\n", .obsoleteFolding),
        ("Host: a\u{0}\r\n", .badFieldValue), ("Host: a\u{1}b\r\n", .badFieldValue),
        ("Host: a\u{7f}\r\n", .badFieldValue), ("Host: a\rb: c\r\n", .badFieldValue),
        ("Host: a\nX: b\r\n", .badLineEnd), ("Host: a\r\nX: b\n\r\n", .badLineEnd),
        ("", .missingHost), ("X: y\r\n", .missingHost), ("Host: a\r\nHost: a\r\n", .severalHosts),
        ("Host: a\r\nHOST: b\r\n", .severalHosts),
        ("Host: a\r\nContent-Length:\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: -1\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: +1\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: 1 1\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: 0x1\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: 1.0\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: 1, 1\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", .badContentLength),
        ("Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", .lengthAndChunked),
        ("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n", .lengthAndChunked),
        ("Host: a\r\nTransfer-Encoding: gzip\r\n", .unknownTransferCoding),
        ("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", .unknownTransferCoding),
        ("Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", .unknownTransferCoding),
        ("Host: a\r\nTransfer-Encoding: identity\r\n", .unknownTransferCoding),
        ("Host: a\r\nTransfer-Encoding:\r\n", .unknownTransferCoding),
        (
            "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            .unknownTransferCoding
        ),
        ("Host: a\r\nTransfer-Encoding: \u{b}chunked\r\n", .badFieldValue),
        ("Host: a\r\nExpect: 200-ok\r\n", .unknownExpectation),
        ("Host: a\r\nExpect:\r\n", .unknownExpectation),
    ]

    @Test(arguments: requestLines)
    func `a bad request line is refused`(line: String, error: HTTP1Error) {
        HTTP1MalformedTests.check(line + "Host: a\r\n\r\n", error)
    }

    @Test(arguments: fields)
    func `bad fields are refused`(fields: String, error: HTTP1Error) {
        HTTP1MalformedTests.check("POST / HTTP/1.1\r\n" + fields + "\r\n", error)
    }

    @Test func `HTTP 1 point 0 knows no chunks`() {
        let request = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        HTTP1MalformedTests.check(request, .unknownTransferCoding)
    }

    @Test(
        arguments: [
            (.badRequestLine, 400), (.badTarget, 400), (.badFieldName, 400), (.badFieldValue, 400),
            (.badLineEnd, 400),
            (.obsoleteFolding, 400), (.missingHost, 400), (.severalHosts, 400),
            (.badContentLength, 400),
            (.lengthAndChunked, 400), (.badChunkSize, 400), (.badChunkEnd, 400),
            (.chunkExtensionTooLong, 400),
            (.targetTooLong, 414), (.unknownExpectation, 417), (.headTooLarge, 431),
            (.tooManyFields, 431),
            (.trailersTooLarge, 431), (.unknownTransferCoding, 501), (.badVersion, 505),
        ] as [(HTTP1Error, Int)])
    func `an error has its status and says what is wrong`(error: HTTP1Error, status: Int) {
        #expect(error.status == status)
        #expect(error.message.count > 10)
    }

    /// The error comes whole and byte by byte alike, and no request comes with it.
    private static func check(_ request: String, _ error: HTTP1Error) {
        let whole = ParsedRequests(request)
        #expect(whole.error == error)
        #expect(whole.requests.isEmpty)
        let slowly = ParsedRequests(request.utf8.map { [$0] })
        #expect(slowly.error == error)
        #expect(slowly.requests.isEmpty)
    }
}
