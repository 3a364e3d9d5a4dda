import ProtoRuntime
import Transcode

@testable import Gateway

/// Requests of HTTP/1.1: the same events and the same error, whatever the pieces.
enum HTTP1Target {
    /// Small, so that small inputs reach them.
    private static let limits = HTTP1Limits(
        headBytesMax: 300, targetBytesMax: 100, fieldsMax: 6, chunkLineBytesMax: 24)

    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let cut = CutBytes(input)
        let whole = try trace([cut.whole])
        let pieces = try trace(cut.pieces)
        try check(pieces == whole, "in pieces \(pieces), whole \(whole)")
    }

    /// Offers the pieces one after the other, what was not consumed in front of the next.
    private static func trace(_ pieces: [[UInt8]]) throws(BrokenRule) -> [String] {
        var parser = HTTP1Parser(limits: limits)
        var head = RequestHead()
        var pending: [UInt8] = []
        var events: [String] = []
        var body: [UInt8] = []
        for piece in pieces {
            pending += piece
            var offset = 0
            reading: while true {
                let event: HTTP1Parser.Event
                let before = offset
                do throws(HTTP1Error) {
                    event = try parser.next(pending.span, &offset, head: &head)
                } catch {
                    return events + [text(body), "\(error)"]
                }
                try check(before <= offset && offset <= pending.count, "offset \(offset)")
                switch event {
                case .needMore: break reading
                case .head: events.append(describe(head, parser))
                case .body(let range):
                    try check(!range.isEmpty && range.upperBound == offset, "body \(range)")
                    body += pending[range]
                case .end:
                    events.append(text(body))
                    body = []
                }
            }
            pending.removeFirst(offset)
        }
        return events + [text(body), "\(pending.count) unused"]
    }

    private static func describe(_ head: borrowing RequestHead, _ parser: HTTP1Parser) -> String {
        var line = "\(string(head.method)) \(string(head.target)) \(head.version)"
        line += " \(string(head.authority)) \(parser.keepsAlive) \(parser.expectsContinue)"
        line += " \(parser.contentLength ?? -1)"
        for index in 0..<head.fields.count {
            line += " [\(string(head.fields.name(at: index)))"
            line += "=\(string(head.fields.value(at: index)))]"
        }
        return line
    }

    private static func string(_ span: Span<UInt8>) -> String {
        text(span.indices.map { span[$0] })
    }
}

/// A configuration file: values, or problems with places in the file, in order.
enum YAMLTarget {
    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let demo = try FuzzSchemas.value(FuzzSchemas.demo)
        let missing = ConfigurationFileError(reason: "No such file or directory")
        do throws(ConfigurationError) {
            let configuration = try Configuration(
                decoding: input, file: "c.yaml", environment: { $0 == "A" ? "a" : nil },
                file: { (name) throws(ConfigurationFileError) in
                    guard name == "/a" else { throw missing }
                    return "a\n"
                })
            // No path leads to a file, so that no input reads one.
            _ = try ConfiguredGateway(
                configuration, file: "c.yaml", path: { _ in "/dev/null/none" },
                readFile: { (name) throws(ConfigurationFileError) in
                    guard name.hasSuffix("demo.binpb") else { throw missing }
                    return demo
                })
        } catch {
            try check(!error.problems.isEmpty, "an error without a problem")
            try checkPlaces(of: error, in: input)
        }
    }

    private static func checkPlaces(
        of error: ConfigurationError, in input: [UInt8]
    ) throws(BrokenRule) {
        // U+0085, U+2028 and U+2029 break lines too; in UTF-16 nearly anything may.
        let linesMax = input.count + 1
        var last = error.problems[0].position
        for problem in error.problems {
            let position = problem.position
            try check((1...linesMax).contains(position.line), "line \(position.line): \(problem)")
            try check(position.column >= 1 && !problem.message.isEmpty, "\(problem)")
            try check(!(position < last), "out of order: \(problem)")
            last = position
        }
    }
}
