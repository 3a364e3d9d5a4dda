import ProtoRuntime
import Testing

@testable import Gateway

@Suite struct NewConnectionTests {
    private static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    @Test func `every beginning of the preface may still become it`() {
        for count in 0..<24 {
            let bytes = Array(NewConnectionTests.preface.utf8.prefix(count))
            #expect(NewConnection.isHTTP2(bytes.span) == nil, "\(count) bytes")
        }
    }

    @Test(arguments: ["", "\0\0\0\u{4}\0\0\0\0\0", "GET / HTTP/1.1\r\n"])
    func `the preface is HTTP/2 whatever follows`(rest: String) {
        let bytes = Array((NewConnectionTests.preface + rest).utf8)
        #expect(NewConnection.isHTTP2(bytes.span) == true)
    }

    @Test func `one wrong byte anywhere makes it HTTP/1.1`() {
        for index in 0..<24 {
            var bytes = Array(NewConnectionTests.preface.utf8)
            bytes[index] ^= 0x20
            #expect(NewConnection.isHTTP2(bytes.span) == false, "byte \(index)")
            let cut = Array(bytes.prefix(index + 1))
            #expect(NewConnection.isHTTP2(cut.span) == false, "byte \(index)")
        }
    }

    @Test(arguments: ["G", "P ", "PRO", "POST / HTTP/1.1\r\n", "\r\n", "\u{16}\u{3}\u{1}"])
    func `other first bytes are HTTP/1.1`(text: String) {
        let bytes = Array(text.utf8)
        #expect(NewConnection.isHTTP2(bytes.span) == false)
    }

    @Test func `the answer to plain HTTP on a TLS port has the length it says`() throws {
        let text = "\(NewConnection.plainHTTPAnswer)"
        let blank = try #require(text.firstRange(of: "\r\n\r\n"))
        let length = text.utf8.count - text[..<blank.upperBound].utf8.count
        #expect(text.contains("content-length: \(length)\r\n"))
    }
}
