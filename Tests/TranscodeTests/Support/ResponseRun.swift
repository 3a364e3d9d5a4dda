import ProtoRuntime
import Testing

@testable import Transcode

/// A response as its client sees it.
struct ClientView {
    var head = ""
    var body: [UInt8] = []
    var trailers = ""
    var end = ResponseCodec.End.complete

    /// "200 content-type=… body".
    var text: String { "\(head) \(String(decoding: body, as: UTF8.self))" }
}

/// One call's response: what the upstream answers, and what the client is sent for it.
struct ResponseRun {
    var line: String
    var fields: [(String, String)]
    var leading: [(String, String)] = [("content-type", "application/grpc")]
    var trailing: [(String, String)] = [("grpc-status", "0")]
    var status = Status.ok
    var limit = 100
    var room = Int.max
    var options = MethodOptions()

    init(_ call: (String, String), _ fields: [(String, String)] = []) {
        line = call.0
        self.fields = [("content-type", call.1)] + fields
    }

    /// What comes of messages that the upstream sends in pieces of `size` bytes.
    func view(_ body: [UInt8], size: Int = 3) throws -> ClientView {
        let methods = try MethodTable(
            pool: try TestPool.rest.get(), options: { _ in options })
        let (plan, _, _) = TestCall(line: line, fields: fields).resolved(by: methods)
        var codec = ResponseCodec()
        codec.start(plan)
        let tools = usedTools()
        var first = Fields()
        first.append(leading)
        var last = Fields()
        last.append(trailing)
        var head = ResponseHead()
        var output = OutputBlock()
        var trailers = Fields()
        var status = status
        var hasBegun = false
        do throws(Status) {
            try codec.begin(first, methods: methods, messageBytesMax: limit)
            func beginIfKnown() {
                guard !hasBegun, codec.isStreaming, codec.isHeadKnown else { return }
                hasBegun = true
                codec.appendHead(of: first, methods: methods, to: &head)
                var preface = OutputBlock()
                codec.appendPreface(methods: methods, tools: tools, to: &preface)
                preface.append(output.bytes)
                swap(&preface, &output)
            }
            beginIfKnown()
            for start in stride(from: 0, to: body.count, by: size) {
                let piece = Array(body[start..<min(start + size, body.count)])
                try codec.receive(
                    piece.span, methods: methods, tools: tools, room: room, into: &output)
                while codec.isHolding {
                    try codec.resume(methods: methods, tools: tools, room: room, into: &output)
                }
                beginIfKnown()
            }
            if hasBegun, status.isOK { try codec.checkEnd() }
        } catch {
            status = error
        }
        var end = ResponseCodec.End.complete
        if hasBegun {
            end = codec.appendEnd(
                status, metadata: last, methods: methods, tools: tools, trailers: &trailers,
                body: &output)
        } else {
            codec.appendResponse(
                status, leading: first, trailing: last, methods: methods,
                tools: tools, to: &head, body: &output)
        }
        return ClientView(
            head: "\(head.status) \(head.fields.text)", body: output.array, trailers: trailers.text,
            end: end)
    }

    /// A call that fails, or ends, before the upstream's head.
    func error(_ status: Status, leading: [(String, String)] = []) throws -> ClientView {
        let methods = try MethodTable(
            pool: try TestPool.rest.get(), options: { _ in options })
        let (plan, _, _) = TestCall(line: line, fields: fields).resolved(by: methods)
        var codec = ResponseCodec()
        codec.start(plan)
        var first = Fields()
        first.append(leading)
        var head = ResponseHead()
        var body = OutputBlock()
        codec.appendResponse(
            status, leading: first, trailing: Fields(), methods: methods,
            tools: usedTools(), to: &head, body: &body)
        return ClientView(head: "\(head.status) \(head.fields.text)", body: body.array)
    }
}

/// Calls of each protocol: the request line and the content type.
enum TestRequest {
    private static let rpc = "/gateway.test.rest.Rest/"
    static let json = ("POST \(rpc)Plain", "application/json")
    static let proto = ("POST \(rpc)Plain", "application/proto")
    static let get = ("GET \(rpc)Plain?encoding=json&message={}", "")
    static let rest = ("POST /v1/all", "application/json")
    static let raw = ("POST /v1/raw", "image/png")
    static let grpc = ("POST \(rpc)GetThing", "application/grpc")
    static let grpcStream = ("POST \(rpc)Watch", "application/grpc")
    static let web = ("POST \(rpc)Watch", "application/grpc-web+proto")
    static let webText = ("POST \(rpc)Watch", "application/grpc-web-text")
    static let webJSON = ("POST \(rpc)Watch", "application/grpc-web+json")
    static let grpcJSON = ("POST \(rpc)Watch", "application/grpc+json")
    static let stream = ("POST \(rpc)Watch", "application/connect+json")
    static let protoStream = ("POST \(rpc)Watch", "application/connect+proto")
    static let unserved = ("POST \(rpc)Plain", "text/plain")
}
