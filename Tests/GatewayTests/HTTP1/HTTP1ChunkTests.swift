import Testing

@testable import Gateway

/// Chunked bodies, good and bad (RFC 9112 §7.1).
@Suite struct HTTP1ChunkTests {
    private static let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// What the bytes behind the head become: the body, an error, or "…" for one that is not complete.
    static func body(_ chunks: String, limits: HTTP1Limits = HTTP1Limits()) -> String {
        let parsed = ParsedRequests(head + chunks, limits: limits)
        if let error = parsed.error { return "\(error)" }
        guard let request = parsed.requests.first else { return "…" }
        let marker = "[transfer-encoding=chunked] "
        return request.components(after: marker)
    }

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("1\r\na\r\n0\r\n\r\n", "a"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("00000000000000A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("1;\r\na\r\n0;last\r\n\r\n", "a"), ("1 ;a\t=\"é\"\r\na\r\n0\r\n\r\n", "a"),
        ("1\t\r\na\r\n0 \r\n\r\n", "a"), ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ("0\r\nX-Sum: 1\r\n\r\n", ""), ("1\r\na\r\n", "…"), ("1\r\na\r\n0\r\n", "…"),
        ("1\r\na\r\n0\r\nX: y\r\n", "…"), ("fffffffffffffff\r\nabc", "…"), ("1\r\na\r", "…"),
    ])
    func `good chunks become the body`(chunks: String, body: String) {
        #expect(HTTP1ChunkTests.body(chunks) == body)
    }

    @Test(arguments: [
        ("\r\n", "badChunkSize"), ("g\r\n", "badChunkSize"), ("-1\r\n", "badChunkSize"),
        ("+1\r\na\r\n", "badChunkSize"), ("0x1\r\na\r\n", "badChunkSize"),
        (" 1\r\na\r\n", "badChunkSize"),
        ("1 a\r\na\r\n", "badChunkSize"), ("1a;\u{0}\r\n", "badChunkSize"),
        (";x\r\n", "badChunkSize"),
        ("1_\r\n", "badChunkSize"), ("1000000000000000\r\n", "badChunkSize"),
        ("0000000000000000\r\n", "badChunkSize"), ("1;a\rb\r\nx\r\n", "badChunkSize"),
        ("1;a\u{7f}\r\nx\r\n", "badChunkSize"), ("1 \r \r\nx\r\n", "badChunkSize"),
        ("1\na\r\n", "badLineEnd"), ("\n", "badLineEnd"), ("1\r\nab\r\n", "badChunkEnd"),
        ("1\r\na\n\n", "badChunkEnd"), ("1\r\na0\r\n", "badChunkEnd"),
        ("1\r\na\r0\r\n", "badChunkEnd"),
        ("0\r\nX: y\n\r\n", "badLineEnd"), ("0\r\n\n", "badLineEnd"),
    ])
    func `bad chunks are refused`(chunks: String, error: String) {
        #expect(HTTP1ChunkTests.body(chunks) == error)
    }

    @Test func `a chunk line may have as many bytes as the limit, and not one more`() {
        let limits = HTTP1Limits(chunkLineBytesMax: 10)
        #expect(HTTP1ChunkTests.body("1;xxxxxx\r\na\r\n0\r\n\r\n", limits: limits) == "a")
        #expect(
            HTTP1ChunkTests.body("1;xxxxxxx\r\na\r\n0\r\n\r\n", limits: limits)
                == "chunkExtensionTooLong")
        #expect(HTTP1ChunkTests.body("1;xxxxxxx", limits: limits) == "…")
        #expect(HTTP1ChunkTests.body("1;xxxxxxxx", limits: limits) == "chunkExtensionTooLong")
    }

    @Test func `trailers may have as many bytes as a head, and not one more`() {
        let limits = HTTP1Limits(headBytesMax: 100)
        func body(_ bytes: Int) -> String {
            let trailers = "A: 1\r\nX: " + String(repeating: "x", count: bytes - 13) + "\r\n\r\n"
            return HTTP1ChunkTests.body("0\r\n" + trailers, limits: limits)
        }
        #expect(body(100).isEmpty)
        #expect(body(101) == "trailersTooLarge")
        let many = String(repeating: "A: 1\r\n", count: 20)
        #expect(HTTP1ChunkTests.body("0\r\n\(many)\r\n", limits: limits) == "trailersTooLarge")
    }

    @Test func `the next request begins right behind the trailers`() {
        let chunks = "1\r\na\r\n0\r\nGET: /x HTTP/1.1\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n"
        let parsed = ParsedRequests(HTTP1ChunkTests.head + chunks)
        #expect(parsed.requests.count == 2)
        #expect(parsed.requests.last?.hasPrefix("GET /y ") == true)
    }
}

extension String {
    /// What stands behind the first `marker`.
    fileprivate func components(after marker: String) -> String {
        guard let range = firstRange(of: marker) else { return "no \(marker)" }
        return String(self[range.upperBound...])
    }

    private func firstRange(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}
