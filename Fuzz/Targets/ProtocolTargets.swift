import ProtoRuntime
import Transcode

/// A call of rest.proto's service by any protocol: `METHOD TARGET`, `name: value` lines, an empty line, then cuts and a
/// body. For `request` the body is the client's, for `response` the upstream's.
///
/// Whatever the pieces and however little room there is, what comes out is the same.
struct ProtocolCall {
    /// Messages above this are refused, so that the fuzzer finds the limit.
    static let messageBytesMax = 4096

    let methods: MethodTable
    var line = ["POST", "/"]
    var fields: [(name: [UInt8], value: [UInt8])] = []
    var body = CutBytes([])

    init(_ input: [UInt8]) throws(BrokenRule) {
        methods = try FuzzSchemas.value(FuzzSchemas.rest)
        var rest = input[...]
        var isFirst = true
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let row = rest[..<end]
            rest = rest[(end + 1)...]
            if row.isEmpty { break }
            if isFirst {
                let words = row.split(separator: UInt8(ascii: " "), maxSplits: 1).map { text($0) }
                if words.count == 2 { line = words }
                isFirst = false
            } else if let colon = row.firstIndex(of: UInt8(ascii: ":")) {
                let value = row[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }
                fields.append((Array(row[..<colon]), Array(value)))
            }
        }
        body = CutBytes(Array(rest))
    }

    var head: RequestHead {
        var head = RequestHead()
        head.version = .http2
        head.setMethod(line[0].utf8Span.span)
        head.setTarget(line[1].utf8Span.span)
        for field in fields {
            head.fields.append(loweringName: field.name.span, value: field.value.span)
        }
        return head
    }

    func isRESTClientStream(_ plan: CallPlan) -> Bool {
        plan.clientProtocol == .rest && plan.isClientStreaming(in: methods)
    }

    /// The plan and the match, or nil when the head is refused.
    func resolved() -> (plan: CallPlan, match: RouteMatch)? {
        var plan = CallPlan()
        let match = RouteMatch()
        do throws(Status) {
            try plan.resolve(head, methods: methods, match: match)
        } catch {
            return nil
        }
        return (plan, match)
    }
}

enum RequestTarget {
    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let call = try ProtocolCall(input)
        guard let (plan, match) = call.resolved() else { return }
        // The pieces of an upload are messages of their own.
        if call.isRESTClientStream(plan), call.line[1].hasPrefix("/v1/sendraw") { return }
        let whole = outcome(call, plan, match, [call.body.whole], room: .max)
        let pieces = outcome(call, plan, match, call.body.pieces, room: .max)
        let narrow = outcome(call, plan, match, call.body.pieces, room: 1)
        try check(pieces == whole, "in pieces \(pieces), as whole \(whole)")
        try check(narrow == whole, "with little room \(narrow), as whole \(whole)")
        guard case .made(let bytes) = whole else { return }
        try checkEnvelopes(bytes)
    }

    private enum Outcome: Equatable {
        case made([UInt8])
        /// No code where the body is text, or a stream that is compressed as a whole: which of two things that are wrong is
        /// met first depends on the pieces.
        case refused(StatusCode?)
    }

    /// The upstream's bytes, or why there are none.
    private static func outcome(
        _ call: ProtocolCall, _ plan: CallPlan, _ match: RouteMatch, _ pieces: [[UInt8]], room: Int
    ) -> Outcome {
        var codec = RequestCodec()
        let tools = CodecTools()
        var output = OutputBlock()
        do throws(Status) {
            try codec.start(
                plan, methods: call.methods, messageBytesMax: ProtocolCall.messageBytesMax,
                declaredBytes: 0)
            if call.isRESTClientStream(plan) {
                try codec.begin(call.head, match, methods: call.methods)
            }
            for piece in pieces {
                try codec.receive(
                    piece.span, methods: call.methods, tools: tools, room: room, into: &output)
            }
            var isDone = try codec.finish(
                call.head, match: match, methods: call.methods, tools: tools, into: &output)
            while !isDone {
                isDone = try codec.resume(
                    methods: call.methods, tools: tools, room: room, into: &output)
            }
            return .made(bytes(output))
        } catch {
            if case .grpcWeb(_, isText: true) = plan.clientProtocol { return .refused(nil) }
            let isCompressedStream =
                call.isRESTClientStream(plan) && plan.requestCoding != .identity
            return .refused(isCompressedStream ? nil : error.code)
        }
    }

    /// What an upstream is sent is whole envelopes.
    private static func checkEnvelopes(_ bytes: [UInt8]) throws(BrokenRule) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let prefix = EnvelopePrefix(Array(rest.prefix(5)).span) else {
                throw BrokenRule("the bytes end inside a prefix")
            }
            try check(prefix.flags <= 1, "flags \(prefix.flags)")
            try check(rest.count >= 5 + Int(prefix.length), "the bytes end inside a message")
            rest = rest.dropFirst(5 + Int(prefix.length))
        }
    }
}

enum ResponseTarget {
    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let call = try ProtocolCall(input)
        guard let (plan, _) = call.resolved() else { return }
        // What is flushed together depends on the pieces.
        if plan.streamForm != nil, plan.responseCoding != .identity { return }
        let whole = try answer(call, plan, [call.body.whole], room: .max)
        let pieces = try answer(call, plan, call.body.pieces, room: .max)
        let narrow = try answer(call, plan, call.body.pieces, room: 1)
        try check(pieces == whole, "in pieces \(text(pieces)), as whole \(text(whole))")
        try check(narrow == whole, "with little room \(text(narrow)), as whole \(text(whole))")
    }

    /// The response's body as the client reads it: base64 taken off, since that depends on the pieces.
    private static func answer(
        _ call: ProtocolCall, _ plan: CallPlan, _ pieces: [[UInt8]], room: Int
    ) throws(BrokenRule) -> [UInt8] {
        let tools = CodecTools()
        var codec = ResponseCodec()
        codec.start(plan)
        var output = OutputBlock()
        var head = ResponseHead()
        var trailers = Fields()
        var status = Status.ok
        // The upstream compresses with what the request names, which exercises all codings.
        var leading = Fields()
        for field in call.fields where text(field.name).lowercased() == "x-upstream-encoding" {
            leading.append(name: Array("grpc-encoding".utf8).span, value: field.value.span)
        }
        do throws(Status) {
            try codec.begin(
                leading, methods: call.methods, messageBytesMax: ProtocolCall.messageBytesMax)
            for piece in pieces {
                try codec.receive(
                    piece.span, methods: call.methods, tools: tools, room: room, into: &output)
                while codec.isHolding {
                    try codec.resume(
                        methods: call.methods, tools: tools, room: room, into: &output)
                }
            }
            try codec.checkEnd()
        } catch {
            status = error
        }
        // How much of a stream came before its error depends on the pieces where they pass as they are.
        if !status.isOK { output.removeAll() }
        if codec.isStreaming {
            _ = codec.appendEnd(
                status, metadata: Fields(), methods: call.methods, tools: tools,
                trailers: &trailers, body: &output)
        } else {
            codec.appendResponse(
                status, leading: leading, trailing: Fields(), methods: call.methods, tools: tools,
                to: &head, body: &output)
        }
        guard plan.answersAsText else { return bytes(output) }
        return try decoded(output)
    }

    private static func decoded(_ output: borrowing OutputBlock) throws(BrokenRule) -> [UInt8] {
        var stream = Base64Stream()
        var plain = OutputBlock()
        do throws(Status) {
            try stream.decode(output.bytes, into: &plain)
            try stream.checkEnd()
        } catch {
            throw BrokenRule("the text is no base64: \(error.message)")
        }
        return bytes(plain)
    }
}

private func bytes(_ block: borrowing OutputBlock) -> [UInt8] {
    let span = block.bytes
    return span.indices.map { span[$0] }
}
