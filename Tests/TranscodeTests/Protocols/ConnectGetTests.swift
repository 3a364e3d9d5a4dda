import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct ConnectGetTests {
    /// "codec coding message", or the refusal.
    private static func read(_ query: String) -> String {
        let query = Array(query.utf8)
        do throws(Status) {
            let get = try ConnectGet(query.span)
            var scratch = OutputBlock()
            var message = OutputBlock()
            try get.decodeMessage(query.span, scratch: &scratch, into: &message)
            let codec = get.codec.map { "\($0)" } ?? "-"
            return "\(codec) \(get.coding) \(String(decoding: message.array, as: UTF8.self))"
        } catch {
            return "\(error.code) \(error.httpStatus)"
        }
    }

    /// SEMANTICS c.5
    @Test(arguments: [
        ("message=%7B%7D&encoding=json", "json identity {}"),
        ("encoding=json&message=%7b%22a%22%3A1%7D&connect=v1", "json identity {\"a\":1}"),
        ("connect=v1&encoding=json&message=", "json identity "),
        ("encoding=json&message", "json identity "),
        ("encoding=proto&base64=1&message=aGk", "proto identity hi"),
        ("encoding=proto&base64=1&message=aGk%3D", "proto identity hi"),
        ("encoding=json&base64=1&message=Pz8_Pj4-", "json identity ???>>>"),
        ("encoding=json&base64=0&message=aGk", "json identity aGk"),
        ("encoding=json&base64=true&message=aGk", "json identity aGk"),
        ("encoding=proto&base64=1&compression=gzip&message=aGk", "proto gzip hi"),
        ("encoding=json&compression=identity&message=a+b", "json identity a b"),
        ("encoding=json&message=1&unknown=2&unknown=3", "json identity 1"),
        ("message=1&message=2&encoding=json", "json identity 1"),
    ])
    func `a query tells codec, coding and message`(query: String, expected: String) {
        #expect(ConnectGetTests.read(query) == expected)
    }

    @Test(arguments: [
        ("", "invalidArgument 400"), ("message=1", "invalidArgument 400"),
        ("encoding=json", "invalidArgument 400"),
        ("encoding=xml&message=1", "invalidArgument 415"),
        ("encoding=json&message=1&connect=v2", "invalidArgument 400"),
        ("encoding=json&message=1&connect=", "invalidArgument 400"),
        ("encoding=json&message=%zz", "invalidArgument 400"),
        ("encoding=json&message=%2", "invalidArgument 400"),
        ("encoding=json&base64=1&message=%21", "invalidArgument 400"),
        ("encoding=json&base64=1&message=a", "invalidArgument 400"),
        ("encoding=json&message=1&compression=snappy", "unimplemented 501"),
    ])
    func `a query that is no call is refused`(query: String, expected: String) {
        #expect(ConnectGetTests.read(query) == expected)
    }
}
