import ProtoRuntime
import Transcode

/// What a method does with one call. Loop-confined; let go when the call ends.
protocol LocalHandler: AnyObject {
    /// One request message. A thrown status ends the call.
    func receive(_ message: Span<UInt8>) throws(Status)

    /// The client has sent its last message.
    func receiveEnd() throws(Status)

    /// Few bytes wait on a stream that had too many: more may be sent.
    func drained()

    /// The server takes no more calls, and waits for this one: a call that would stay open should end.
    func drain()

    /// The call is over, whoever ended it. Nothing is called after this.
    func ended()
}

extension LocalHandler {
    func receiveEnd() throws(Status) {}
    func drained() {}
    func drain() {}
    func ended() {}
}

/// One method: how many requests it takes, and what serves a call of it.
struct LocalMethod {
    /// Otherwise exactly one message is let through, once the client has ended its side.
    var isClientStreaming = false
    let makeHandler: (LocalCall) -> any LocalHandler

    /// A method with one request and one answer.
    static func unary<Request: WireMessage, Answer: WireMessage>(
        _ answer: @escaping (Request) throws(Status) -> Answer
    ) -> LocalMethod {
        LocalMethod { call in UnaryHandler(call, answer) }
    }
}

/// Methods by their paths.
struct LocalMethods {
    private var methods: [String: LocalMethod] = [:]

    /// The method at "/pkg.Service/Method"; nil when there is none.
    func method(at path: String) -> LocalMethod? { methods[path] }

    var paths: [String] { methods.keys.sorted() }

    /// Adds methods, which are named without their service.
    mutating func add(_ service: String, _ added: [String: LocalMethod]) {
        for (name, method) in added { methods["/\(service)/\(name)"] = method }
    }
}

private final class UnaryHandler<Request: WireMessage, Answer: WireMessage>: LocalHandler {
    private unowned let call: LocalCall
    private let answer: (Request) throws(Status) -> Answer

    init(_ call: LocalCall, _ answer: @escaping (Request) throws(Status) -> Answer) {
        self.call = call
        self.answer = answer
    }

    func receive(_ message: Span<UInt8>) throws(Status) {
        call.send(try answer(try LocalCall.decode(message)))
        call.finish(.ok)
    }
}
