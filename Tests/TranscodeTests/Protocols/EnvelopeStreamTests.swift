import ProtoRuntime
import Testing

@testable import Transcode

/// One envelope.
func envelope(_ payload: [UInt8], flags: UInt8 = 0) -> [UInt8] {
    [flags] + (0..<4).map { UInt8(truncatingIfNeeded: payload.count >> (24 - 8 * $0)) } + payload
}

@Suite struct EnvelopeStreamTests {
    /// What `body` comes to, cut in every way: "ok", or the code and message of what was thrown.
    private static func check(
        _ body: [UInt8], from sender: EnvelopeStream.Sender = .grpcClient, limit: Int = 10,
        allowsCompressed: Bool = false, isSingle: Bool = false
    ) -> Set<String> {
        var found: Set<String> = []
        for size in 1...max(1, body.count) {
            let stream = EnvelopeStream(
                from: sender, messageBytesMax: limit, allowsCompressed: allowsCompressed,
                isSingle: isSingle)
            found.insert(EnvelopeStreamTests.checked(stream, body, size))
            found.insert(EnvelopeStreamTests.collected(stream, body, size).outcome)
        }
        return found
    }

    private static func checked(_ stream: EnvelopeStream, _ body: [UInt8], _ size: Int) -> String {
        var stream = stream
        do throws(Status) {
            for start in stride(from: 0, to: body.count, by: size) {
                let piece = Array(body[start..<min(start + size, body.count)])
                try stream.check(piece.span)
            }
            try stream.checkEnd()
            return "ok"
        } catch {
            return "\(error.code) \(error.message)"
        }
    }

    /// The messages that come out, each with its flag in front.
    private static func collected(
        _ stream: EnvelopeStream, _ body: [UInt8], _ size: Int
    ) -> (outcome: String, messages: [[UInt8]]) {
        var stream = stream
        var messages: [[UInt8]] = []
        var message = OutputBlock()
        do throws(Status) {
            for start in stride(from: 0, to: body.count, by: size) {
                let piece = Array(body[start..<min(start + size, body.count)])
                var offset = 0
                while case .message(let isCompressed) =
                    try stream.collect(piece.span, from: &offset, into: &message)
                {
                    messages.append([isCompressed ? 1 : 0] + message.array)
                    message.removeAll()
                }
            }
            try stream.checkEnd()
            return ("ok", messages)
        } catch {
            return ("\(error.code) \(error.message)", messages)
        }
    }

    @Test(
        arguments: [
            ([], false), (envelope([]), true), (envelope([1, 2, 3]), true),
            (envelope([1]) + envelope([]) + envelope([2]), false),
            (envelope([UInt8](repeating: 7, count: 10)), true),
        ] as [([UInt8], Bool)])
    func `good bodies pass however they are cut`(body: [UInt8], isSingle: Bool) {
        #expect(EnvelopeStreamTests.check(body, isSingle: isSingle) == ["ok"])
    }

    @Test(arguments: 1...20) func `messages come out whole however the body is cut`(size: Int) {
        let stream = EnvelopeStream(
            from: .upstream, messageBytesMax: 10, allowsCompressed: true, isSingle: false)
        let body =
            envelope([1, 2]) + envelope([], flags: 1) + envelope([3], flags: 1) + envelope([])
        let found = EnvelopeStreamTests.collected(stream, body, size)
        #expect(found.outcome == "ok")
        #expect(found.messages == [[0, 1, 2], [1], [1, 3], [0]])
    }

    @Test(
        arguments: [
            (
                envelope([UInt8](repeating: 7, count: 11)), false,
                "resourceExhausted the message is over the limit of 10 bytes"
            ),
            (
                [0, 255, 255, 255, 255], false,
                "resourceExhausted the message is over the limit of 10 bytes"
            ),
            (
                envelope([1], flags: 1), false,
                "internal a message is compressed, but no grpc-encoding was declared"
            ),
            (envelope([1], flags: 2), false, "internal a message has the unknown flags 2"),
            (envelope([1], flags: 0x80), false, "internal a message has the unknown flags 128"),
            (
                envelope([1]) + envelope([2]), true,
                "unimplemented more than one message where exactly one is expected"
            ),
            ([], true, "unimplemented no message where exactly one is expected"),
            ([0], false, "internal the body ends inside a message"),
            (Array(envelope([1, 2]).dropLast()), true, "internal the body ends inside a message"),
            (Array(envelope([]).dropLast()), true, "internal the body ends inside a message"),
        ] as [([UInt8], Bool, String)])
    func `bad bodies are refused however they are cut`(body: [UInt8], isSingle: Bool, error: String)
    {
        #expect(EnvelopeStreamTests.check(body, isSingle: isSingle) == [error])
    }

    /// SEMANTICS c.3, c.4: truncated is invalid_argument, a bit without a coding internal.
    @Test(
        arguments: [
            ([0], .connectClient, "invalidArgument the body ends inside a message"),
            (
                envelope([], flags: 2), .connectClient,
                "invalidArgument a request has no EndStreamResponse; its body just ends"
            ),
            (
                envelope([1], flags: 4), .connectClient,
                "invalidArgument a message has the unknown flags 4"
            ),
            (
                envelope([1], flags: 1), .connectClient,
                "internal a message is compressed, but no connect-content-encoding was declared"
            ),
            (
                envelope([1], flags: 1), .upstream,
                "internal the upstream's answer: a message is compressed, but no grpc-encoding was declared"
            ),
            ([0, 0], .upstream, "internal the upstream's answer: the body ends inside a message"),
            (
                [0, 0, 0, 0, 11], .upstream,
                "resourceExhausted the upstream's message of 11 bytes is over the limit of 10 bytes"
            ),
        ] as [([UInt8], EnvelopeStream.Sender, String)])
    func `what is said depends on whose envelopes they are`(
        body: [UInt8], sender: EnvelopeStream.Sender, error: String
    ) {
        #expect(EnvelopeStreamTests.check(body, from: sender) == [error])
    }

    @Test func `a compressed message passes where a coding was declared`() {
        let body = envelope([1], flags: 1)
        #expect(EnvelopeStreamTests.check(body, allowsCompressed: true) == ["ok"])
        let unknown = envelope([1], flags: 3)
        #expect(
            EnvelopeStreamTests.check(unknown, allowsCompressed: true)
                == ["internal a message has the unknown flags 3"])
    }
}
