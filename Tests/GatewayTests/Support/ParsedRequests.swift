import ProtoRuntime
import Transcode

@testable import Gateway

/// What a parser made of some bytes, however they were cut: one line a request, and the error that ended it.
struct ParsedRequests: Equatable, CustomStringConvertible {
    var requests: [String] = []
    var error: HTTP1Error?
    /// Bytes of an unfinished rest, as the owner of the parser keeps them.
    var unused = 0

    var description: String {
        (requests + [error.map { "\($0)" } ?? "\(unused) unused"]).joined(separator: " | ")
    }

    /// Offers the pieces one after the other, what was not consumed in front of the next.
    init(_ pieces: [[UInt8]], limits: HTTP1Limits = HTTP1Limits()) {
        var parser = HTTP1Parser(limits: limits)
        var head = RequestHead()
        var pending: [UInt8] = []
        var line = ""
        for piece in pieces {
            pending += piece
            var offset = 0
            do throws(HTTP1Error) {
                reading: while true {
                    switch try parser.next(pending.span, &offset, head: &head) {
                    case .needMore: break reading
                    case .head: line = ParsedRequests.describe(head, parser)
                    case .body(let range):
                        line += String(decoding: pending[range], as: UTF8.self)
                    case .end: requests.append(line)
                    }
                }
            } catch {
                self.error = error
                return
            }
            pending.removeFirst(offset)
        }
        unused = pending.count
    }

    init(_ text: String, limits: HTTP1Limits = HTTP1Limits()) {
        self.init([Array(text.utf8)], limits: limits)
    }

    private static func describe(_ head: borrowing RequestHead, _ parser: HTTP1Parser) -> String {
        var text = "\(head.method.text) \(head.target.text) \(head.version)"
        text += " @\(head.authority.text)"
        if !parser.keepsAlive { text += " close" }
        if parser.expectsContinue { text += " continue" }
        text += parser.contentLength.map { " \($0)" } ?? " chunked"
        for index in 0..<head.fields.count {
            text += " [\(head.fields.name(at: index).text)="
            text += "\(head.fields.value(at: index).text)]"
        }
        return text + " "
    }
}
