import ProtoRuntime
import Testing

@testable import Gateway

@Suite struct ReflectionMessagesTests {
    @Test(arguments: [
        Reflection.Question.fileByName("a.proto"), .fileContainingSymbol("a.S"),
        .fileContainingExtension(type: "a.M", number: 7), .extensionNumbers(type: "a.M"),
        .listServices("*"), .listServices(""), .fileByName(""),
    ])
    func `a question survives the wire`(question: Reflection.Question) throws {
        var request = Reflection.Request(question)
        request.host = "h"
        #expect(try roundTrip(request) == request)
    }

    @Test(arguments: [
        Reflection.Content.files([[1, 2], []]), .services(["a", "b"]),
        .extensionNumbers(type: "a.M", [1, 536_870_911]), .failure(code: 5, message: "no"),
        .files([]), .services([]),
    ])
    func `an answer survives the wire`(content: Reflection.Content) throws {
        let answer = Reflection.Answer(content, to: Reflection.Request(.fileByName("x")))
        #expect(try roundTrip(answer) == answer)
    }

    @Test func `the last of several questions counts`() throws {
        var output = OutputBlock()
        Reflection.Request(.fileByName("a")).encode(into: &output)
        Reflection.Request(.listServices("")).encode(into: &output)
        #expect(
            try Reflection.Request(decoding: output.bytes) == Reflection.Request(.listServices("")))
    }

    private func roundTrip<Message: WireMessage>(_ message: Message) throws -> Message {
        var output = OutputBlock()
        message.encode(into: &output)
        return try Message(decoding: output.bytes)
    }
}
