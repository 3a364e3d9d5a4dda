public import ProtoRuntime

/// The request's way: a client's body becomes gRPC envelopes. Chosen once a call; pure of I/O.
///
///     passed     envelopes around protobuf   checked piece by piece, pass as they are
///     messages   envelopes around something  one message after the other: inflated, transcoded, put in an envelope
///     values     REST streams of JSON        one value after the other: transcoded, put in an envelope
///     pieces     REST streams of HttpBody    each piece that comes is a message (both: RequestElements.swift)
///     whole      no envelopes                the body is one message, encoded when it ends
///
/// An output that grows too long stops the work: what is left of the input is held until `resume`. So a small input
/// that expands (compressed messages, above all) takes no memory beyond one message and the room.
public struct RequestCodec: ~Copyable {
    enum Form {
        case none, passed(EnvelopeStream), messages(EnvelopeStream), whole
        case values(JSONSequence), pieces
    }

    /// Memory that is kept for the next call.
    static let keptBytesMax = 64 << 10

    var form = Form.none
    private(set) var plan = CallPlan()
    private(set) var bytesMax = 0
    /// The body is base64.
    private var text: Base64Stream?
    /// The whole body, or the message that is being collected.
    var message = OutputBlock()
    /// What a REST stream's first message has besides its body.
    var origin = StreamOrigin()
    /// How many messages of a REST stream have been made.
    var elementCount = 0
    /// What inflates the body of a REST stream; nil where it comes as it is.
    private var decoder: (any StreamDecoder)?
    /// The decoder stopped for want of room, and may have more without further input.
    var decoderHasMore = false
    /// Input that waits for room in the output.
    var held = OutputBlock()
    private var isHeldBodyComplete = false

    public init() {}

    /// Takes up a call. `declaredBytes`: the length of the body as its head tells; 0 when it does not.
    /// - Throws: RESOURCE_EXHAUSTED when a whole body announces more than the limit.
    public mutating func start(
        _ plan: CallPlan, methods: MethodTable, messageBytesMax: Int, declaredBytes: Int
    ) throws(Status) {
        self.plan = plan
        bytesMax = messageBytesMax
        let stream = EnvelopeStream(
            from: plan.isConnectStreaming ? .connectClient : .grpcClient,
            messageBytesMax: messageBytesMax, allowsCompressed: plan.requestCoding != .identity,
            isSingle: !plan.isClientStreaming(in: methods))
        switch plan.clientProtocol {
        case .grpc, .grpcWeb, .connectStreaming:
            form = plan.requestPasses ? .passed(stream) : .messages(stream)
        case .rest where plan.isClientStreaming(in: methods):
            // The head tells whether it is values (`begin`).
            form = .pieces
            decoder = plan.requestCoding.makeDecoder()
        case .connectUnary, .rest, .connectGet:
            form = .whole
            guard declaredBytes <= messageBytesMax else {
                throw Status.messageTooLarge(limit: messageBytesMax)
            }
            message.reserve(declaredBytes)
        case .unsupportedContentType: form = .none
        }
        if case .grpcWeb(_, isText: true) = plan.clientProtocol { text = Base64Stream() }
    }

    /// Whether messages leave before the body has ended.
    public var isStreaming: Bool {
        switch form {
        case .passed, .messages, .values, .pieces: true
        case .none, .whole: false
        }
    }

    /// Whether input waits for the output to drain: the client shall send no more, and `resume` is due.
    public var isHolding: Bool { !held.isEmpty || decoderHasMore }

    /// Takes a piece of the body; appends the envelopes that are complete to `output`, until it has grown by `room`.
    public mutating func receive(
        _ bytes: Span<UInt8>, methods: MethodTable, tools: CodecTools, room: Int,
        into output: inout OutputBlock
    ) throws(Status) {
        guard var text else { return try take(bytes, methods, tools, room, &output) }
        // No message is made while the text is decoded, so the tools are free.
        defer { tools.removeAll() }
        var decoded = OutputBlock()
        swap(&decoded, &tools.formed)
        decoded.removeAll()
        defer { swap(&decoded, &tools.formed) }
        try text.decode(bytes, into: &decoded)
        self.text = text
        try take(decoded.bytes, methods, tools, room, &output)
    }

    /// The body is complete: appends what is still owed, unless input is held.
    /// - Returns: whether nothing more comes.
    public mutating func finish(
        _ head: borrowing RequestHead, match: RouteMatch, methods: MethodTable, tools: CodecTools,
        into output: inout OutputBlock
    ) throws(Status) -> Bool {
        guard !isHolding else {
            isHeldBodyComplete = true
            return false
        }
        try checkEnd()
        guard case .whole = form else {
            try finishElements(methods, tools, &output)
            return true
        }
        defer { tools.removeAll() }
        try encodeWhole(head, match, methods, tools, &output)
        return true
    }

    /// There is room in the output again: goes on with the input that was held.
    /// - Returns: whether nothing more comes: the body was complete already.
    public mutating func resume(
        methods: MethodTable, tools: CodecTools, room: Int, into output: inout OutputBlock
    ) throws(Status) -> Bool {
        var waiting = OutputBlock()
        swap(&waiting, &held)
        decoderHasMore = false
        try take(waiting.bytes, methods, tools, room, &output)
        if !isHolding {
            // The larger of the two blocks stays.
            waiting.removeAll()
            swap(&waiting, &held)
        }
        guard isHeldBodyComplete, !isHolding else { return false }
        try checkEnd()
        try finishElements(methods, tools, &output)
        return true
    }

    /// How many bytes it has room for.
    public var capacity: Int { message.capacity + held.capacity }

    /// Makes the codec ready for another call.
    public mutating func reset() {
        form = .none
        origin.removeAll()
        elementCount = 0
        decoder = nil
        decoderHasMore = false
        text = nil
        isHeldBodyComplete = false
        message.removeAll()
        message.shrink(toAtMost: RequestCodec.keptBytesMax)
        held.removeAll()
        held.shrink(toAtMost: RequestCodec.keptBytesMax)
    }

    // MARK: Pieces

    private mutating func take(
        _ bytes: Span<UInt8>, _ methods: MethodTable, _ tools: CodecTools, _ room: Int,
        _ output: inout OutputBlock
    ) throws(Status) {
        guard !isHolding else {
            held.append(bytes)
            return
        }
        if let decoder {
            return try inflateElements(decoder, bytes, methods, tools, room, &output)
        }
        try takeForm(bytes, methods, tools, room, &output)
    }

    mutating func takeForm(
        _ bytes: Span<UInt8>, _ methods: MethodTable, _ tools: CodecTools, _ room: Int,
        _ output: inout OutputBlock
    ) throws(Status) {
        switch form {
        case .none: return
        case .passed(var stream):
            try stream.check(bytes)
            form = .passed(stream)
            output.append(bytes)
        case .messages(let stream): try takeMessages(stream, bytes, methods, tools, room, &output)
        case .values(let sequence):
            try takeValues(sequence, bytes, methods, tools, room, &output)
        case .pieces: try appendPieces(bytes, methods, tools, &output)
        case .whole:
            if case .connectGet = plan.clientProtocol, bytes.count > 0 {
                throw .rest(415, "Connect GET has no body", reason: "unsupported_content_type")
            }
            guard bytes.count <= bytesMax - message.count else {
                throw Status.messageTooLarge(limit: bytesMax)
            }
            message.append(bytes)
        }
    }

    private mutating func takeMessages(
        _ stream: EnvelopeStream, _ bytes: Span<UInt8>, _ methods: MethodTable,
        _ tools: CodecTools, _ room: Int, _ output: inout OutputBlock
    ) throws(Status) {
        var stream = stream
        var offset = 0
        let start = output.count
        while case .message(let isCompressed) =
            try stream.collect(bytes, from: &offset, into: &message)
        {
            try appendMessage(isCompressed: isCompressed, methods, tools, &output)
            message.removeAll()
            if output.count - start > room, offset < bytes.count {
                held.append(bytes.extracting(offset..<bytes.count))
                break
            }
        }
        form = .messages(stream)
    }

    private func checkEnd() throws(Status) {
        try text?.checkEnd()
        guard decoder?.isAtEnd ?? true else { throw .undecodable(plan) }
        switch form {
        case .passed(let stream), .messages(let stream): try stream.checkEnd()
        case .none, .whole, .values, .pieces: return
        }
    }

    // MARK: Messages

    /// Appends the collected message, in its envelope.
    private mutating func appendMessage(
        isCompressed: Bool, _ methods: MethodTable, _ tools: CodecTools,
        _ output: inout OutputBlock
    ) throws(Status) {
        let start = output.beginEnvelope()
        if isCompressed {
            // Text decoding has lent `formed` away; `plain` is free, and may hold what another call left there.
            tools.plain.removeAll()
            try inflate(message.bytes, tools, into: &tools.plain)
            tools.plain.seal()
            try append(tools.plain, methods, &output)
        } else {
            message.seal()
            try append(message, methods, &output)
        }
        output.endEnvelope(at: start)
    }

    private func append(
        _ message: borrowing OutputBlock, _ methods: MethodTable, _ output: inout OutputBlock
    ) throws(Status) {
        guard plan.clientProtocol.codec == .json else {
            output.append(message.bytes)
            return
        }
        let method = methods.methods[Int(plan.method)]
        do throws(JSONError) {
            try JSONToProto(methods.tables(of: plan.method), options: method.json).encode(
                message, in: 0..<message.count, as: method.descriptor.input, into: &output)
        } catch {
            throw Status(error)
        }
    }

    private func inflate(
        _ bytes: Span<UInt8>, _ tools: CodecTools, into output: inout OutputBlock
    ) throws(Status) {
        do throws(CompressionError) {
            try tools.compression.inflate(
                bytes, plan.requestCoding, into: &output, bytesMax: bytesMax)
        } catch {
            switch error {
            case .tooLarge: throw Status.messageTooLarge(limit: bytesMax)
            case .malformed: throw .undecodable(plan)
            }
        }
    }

    /// Encodes the collected body, or the query of a GET.
    private mutating func encodeWhole(
        _ head: borrowing RequestHead, _ match: RouteMatch, _ methods: MethodTable,
        _ tools: CodecTools, _ output: inout OutputBlock
    ) throws(Status) {
        if case .connectGet = plan.clientProtocol {
            tools.formed.removeAll()
            try ConnectGet(head.query).decodeMessage(
                head.query, scratch: &tools.formed, into: &message)
            guard message.count <= bytesMax else { throw Status.messageTooLarge(limit: bytesMax) }
        }
        if plan.requestCoding != .identity {
            tools.plain.removeAll()
            try inflate(message.bytes, tools, into: &tools.plain)
            swap(&message, &tools.plain)
        }
        message.seal()
        let start = output.beginEnvelope()
        if plan.clientProtocol == .rest {
            try bind(head, match, methods, tools, &output)
        } else {
            try append(message, methods, &output)
        }
        output.endEnvelope(at: start)
    }

    private func bind(
        _ head: borrowing RequestHead, _ match: RouteMatch, _ methods: MethodTable,
        _ tools: CodecTools, _ output: inout OutputBlock
    ) throws(Status) {
        let route = methods.bindings[Int(match.route)]
        var contentType = Span<UInt8>()
        if let index = head.fields.firstIndex(of: .contentType) {
            contentType = head.fields.value(at: index)
        }
        try route.request.bind(
            match, path: head.path, query: head.query, contentType: contentType, body: message,
            in: 0..<message.count, methods.tables(of: plan.method), json: route.json,
            scratch: &tools.binding,
            into: &output)
        if let path = route.stream?.lastEventID {
            try LastEventID(path: path).bind(
                head.fields, methods.tables(of: plan.method), into: &output)
        }
    }
}

extension CallPlan {
    var isConnectStreaming: Bool {
        if case .connectStreaming = clientProtocol { return true }
        return false
    }

    var isGRPCWeb: Bool {
        if case .grpcWeb = clientProtocol { return true }
        return false
    }

    /// gRPC or gRPC-Web.
    var isGRPC: Bool {
        switch clientProtocol {
        case .grpc, .grpcWeb: true
        default: false
        }
    }
}

extension Status {
    /// What a client sent is not of the coding that it named, or is cut off.
    static func undecodable(_ plan: CallPlan) -> Status {
        Status(
            plan.isGRPC ? .internal : .invalidArgument,
            "the message cannot be decompressed: it is not \(plan.requestCoding.name)",
            reason: "bad_compression")
    }
}
