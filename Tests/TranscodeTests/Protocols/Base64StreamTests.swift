import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct Base64StreamTests {
    /// What the text decodes to in every way to cut it, or the message of the refusal.
    private static func decoded(_ text: String) -> Set<String> {
        var found: Set<String> = []
        let bytes = Array(text.utf8)
        for size in 1...max(1, bytes.count) {
            var stream = Base64Stream()
            var output = OutputBlock()
            do throws(Status) {
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let piece = Array(bytes[start..<min(start + size, bytes.count)])
                    try stream.decode(piece.span, into: &output)
                }
                try stream.checkEnd()
                found.insert(String(decoding: output.array, as: UTF8.self))
            } catch {
                found.insert("\(error.code): \(error.message)")
            }
        }
        return found
    }

    /// SEMANTICS e: padding may stand in the middle; the texts are Python's.
    @Test(arguments: [
        ("", ""), ("YQ==", "a"), ("YWI=", "ab"), ("YWJj", "abc"), ("YWJjZA==", "abcd"),
        ("YQ==YQ==", "aa"), ("YQ==YWI=YWJjYQ==", "aababca"), ("Pz8/Pj4+", "???>>>"),
    ])
    func `pieces decode one behind the other however they are cut`(text: String, plain: String) {
        #expect(Base64StreamTests.decoded(text) == [plain])
    }

    @Test(arguments: [
        ("Y", "ends inside a group of four"), ("YQ", "ends inside a group of four"),
        ("YQ=", "ends inside a group of four"), ("YWJjYQ", "ends inside a group of four"),
        ("Y=", "has a byte that is no base64"), ("=", "has a byte that is no base64"),
        ("YQ=a", "has a byte that is no base64"), ("YQ==\n", "has a byte that is no base64"),
        ("YW J", "has a byte that is no base64"), ("YQ===", "has a byte that is no base64"),
        ("YWJjé", "has a byte that is no base64"),
    ])
    func `what is no base64 is refused`(text: String, why: String) {
        #expect(
            Base64StreamTests.decoded(text) == ["invalidArgument: the grpc-web-text body \(why)"])
    }
}
