import ProtoRuntime
import Testing

@testable import Transcode

/// The messages of a body that comes in pieces of `size` bytes, and why it was refused.
private func messages(
    _ body: String, size: Int, allowsArray: Bool = true, limit: Int = 1000
) -> (found: [String], error: Status?) {
    var sequence = JSONSequence(allowsArray: allowsArray, messageBytesMax: limit)
    var found: [String] = []
    var message = OutputBlock()
    let bytes = Array(body.utf8)
    do throws(Status) {
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            var offset = 0
            while case .message = try sequence.collect(
                piece.span, from: &offset, into: &message)
            {
                found.append(String(decoding: message.array, as: UTF8.self))
                message.removeAll()
            }
            sequence.advance(by: piece.count)
        }
        if try sequence.finish() { found.append(String(decoding: message.array, as: UTF8.self)) }
    } catch {
        return (found, error)
    }
    return (found, nil)
}

@Suite struct JSONSequenceTests {
    @Test(arguments: [
        ("", []), (" \r\n\t", []), ("{}", ["{}"]), ("{}{}", ["{}", "{}"]),
        ("{\"a\":1}\n{\"a\":2}\n", ["{\"a\":1}", "{\"a\":2}"]),
        ("{\"a\":1}\r\n\r\n{\"a\":2}", ["{\"a\":1}", "{\"a\":2}"]),
        ("[]", []), (" [ ] \n", []), ("[{}]", ["{}"]),
        ("[{} , {\"a\":[1]}]", ["{}", "{\"a\":[1]}"]),
        ("[1,\"a\",null]", ["1", "\"a\"", "null"]), ("[[1],[2]]", ["[1]", "[2]"]),
        ("1 2\n3", ["1", "2", "3"]), ("\"a\"\"b\"", ["\"a\"", "\"b\""]), ("true", ["true"]),
        ("{\"}\":\"{[\"}{}", ["{\"}\":\"{[\"}", "{}"]),
        ("{\"a\":\"\\\"}\"}{}", ["{\"a\":\"\\\"}\"}", "{}"]),
        ("{\"a\":\"\\\\\"}{}", ["{\"a\":\"\\\\\"}", "{}"]), ("{\"ü\":\"€\"}", ["{\"ü\":\"€\"}"]),
        // Which bracket closes which is the decoder's to judge.
        ("{]{}", ["{]", "{}"]),
    ])
    func `values are found whatever the pieces`(body: String, expected: [String]) {
        for size in 1...max(1, body.utf8.count) {
            let outcome = messages(body, size: size)
            #expect(outcome.found == expected)
            #expect(outcome.error == nil)
        }
    }

    @Test(arguments: [
        ("{", "the body ends inside a message"), ("\"a", "the body ends inside a message"),
        ("[", "the body ends inside its array"), ("[{}", "the body ends inside its array"),
        ("[{},", "the body ends inside its array"), ("[1", "the body ends inside its array"),
        ("[,", "offset 1: expected a message"), ("[{},]", "offset 4: expected a message"),
        ("[{},,{}]", "offset 4: expected a message"), (",{}", "offset 0: expected a message"),
        ("{},{}", "offset 2: expected a message"),
        ("[{}{}]", "offset 3: expected ',' or ']' behind a message"),
        ("[{}] {}", "offset 5: nothing may stand behind the array"),
        ("[]]", "offset 2: nothing may stand behind the array"),
    ])
    func `what is no sequence is refused with its place`(body: String, why: String) {
        for size in 1...body.utf8.count {
            let error = messages(body, size: size).error
            #expect(error?.message == "the body's messages: \(why)")
            #expect(error?.httpStatus == 400)
        }
    }

    @Test func `an array may be a message where no array of messages is allowed`() {
        let outcome = messages("[1,2]\n[3]", size: 2, allowsArray: false)
        #expect(outcome.found == ["[1,2]", "[3]"])
        #expect(outcome.error == nil)
    }

    @Test(arguments: [(9, nil), (8, 413)] as [(Int, Int?)])
    func `the limit is for one message, and exactly it passes`(limit: Int, status: Int?) {
        for size in 1...21 {
            let outcome = messages("[\"1234567\",\"1234567\"]", size: size, limit: limit)
            #expect(outcome.error?.httpStatus == status)
            #expect(outcome.found.count == (status == nil ? 2 : 0))
        }
    }
}
