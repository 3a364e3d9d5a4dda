public import ProtoRuntime

/// The response's way: an upstream's envelopes and its status become what the client's protocol has for them.
/// Chosen once a call; pure of I/O.
///
///     passed     gRPC with protobuf                checked piece by piece, passes as it is
///     framed     gRPC-Web and Connect, protobuf    the same, but whole messages only: their end stands in the body
///     messages   the other streams                 one message after the other: transcoded, compressed, in an envelope
///                                                  or in what a REST stream has instead (ResponseElements.swift)
///     whole      Connect and REST, unary           the one message is kept until the status is there
///
/// As in `RequestCodec`, an output that grows too long stops the work until `resume`.
public struct ResponseCodec: ~Copyable {
    private enum Form {
        /// The upstream has not answered, or only an error can be told.
        case none
        case passed(EnvelopeStream), framed(EnvelopeStream)
        case messages(EnvelopeStream), whole(EnvelopeStream)
    }

    /// Memory that is kept for the next call.
    static let keptBytesMax = 64 << 10

    private(set) var plan = CallPlan()
    private var form = Form.none
    /// What the upstream's messages are compressed with.
    private var upstreamCoding = ContentCoding.identity
    private var bytesMax = 0
    /// The answer, or the message that is being collected.
    private(set) var message = OutputBlock()
    /// Input that waits for room in the output.
    private var held = OutputBlock()
    /// A REST stream has sent a message.
    var hasElement = false
    /// What the first HttpBody of a stream says that it is.
    var rawContentType = OutputBlock()
    /// What compresses the body of a REST stream; nil where it goes as it is.
    var encoder: (any StreamEncoder)?

    public init() {}

    /// Takes up a call, of which errors can be told from now on.
    public mutating func start(_ plan: CallPlan) { self.plan = plan }

    /// Whether messages leave before the upstream's status is there.
    public var isStreaming: Bool {
        switch plan.clientProtocol {
        case .grpc, .grpcWeb, .connectStreaming: true
        case .rest: plan.streamForm != nil
        case .connectUnary, .connectGet, .unsupportedContentType: false
        }
    }

    /// Whether input waits for the output to drain: the upstream shall send no more, and `resume` is due.
    public var isHolding: Bool { !held.isEmpty }

    /// The upstream's head is there: its messages follow.
    /// - Throws: INTERNAL when they are compressed in a way that the gateway does not know (SEMANTICS d.7).
    public mutating func begin(
        _ fields: borrowing Fields, methods: MethodTable, messageBytesMax: Int
    ) throws(Status) {
        bytesMax = messageBytesMax
        let named = ContentCoding.named(by: .grpcEncoding, in: fields)
        upstreamCoding = named ?? .gzip
        let stream = EnvelopeStream(
            from: .upstream, messageBytesMax: messageBytesMax,
            allowsCompressed: upstreamCoding != .identity,
            isSingle: !plan.isServerStreaming(in: methods))
        if plan.responsePasses {
            guard plan.isGRPCWeb else {
                form = .passed(stream)
                return
            }
            // A browser cannot inflate messages, so what it has not accepted is taken off (SEMANTICS e).
            if named == .identity || named == plan.responseCoding {
                form = .framed(stream)
                return
            }
        }
        guard named != nil else {
            throw Status(
                .internal, "the upstream compresses in a way that was not offered",
                reason: "bad_answer")
        }
        if isStreaming {
            let isSame =
                plan.clientProtocol.codec == .proto && plan.responseCoding == .identity
                && upstreamCoding == .identity
            form = isSame ? .framed(stream) : .messages(stream)
        } else {
            form = .whole(stream)
        }
    }

    /// Whether the upstream's messages are the client's, compressed as they are.
    var passesMessages: Bool {
        switch form {
        case .passed, .framed: true
        case .none, .messages, .whole: false
        }
    }

    /// Takes a piece of the upstream's body; appends what the client is sent for it to `output`, until that has
    /// grown by `room`.
    public mutating func receive(
        _ bytes: Span<UInt8>, methods: MethodTable, tools: CodecTools, room: Int,
        into output: inout OutputBlock
    ) throws(Status) {
        guard held.isEmpty else {
            held.append(bytes)
            return
        }
        switch form {
        case .none: return
        case .passed(var stream):
            try stream.check(bytes)
            form = .passed(stream)
            output.append(bytes)
        case .framed(var stream):
            let boundary = try stream.check(bytes)
            form = .framed(stream)
            message.append(bytes.extracting(0..<boundary))
            if boundary > 0 {
                append(block: message, &output)
                message.removeAll()
            }
            message.append(bytes.extracting(boundary..<bytes.count))
        case .messages(let stream): try takeMessages(stream, bytes, methods, tools, room, &output)
        case .whole(var stream):
            var offset = 0
            while case .message(let isCompressed) =
                try stream.collect(bytes, from: &offset, into: &message)
            {
                try complete(isCompressed: isCompressed, tools)
            }
            form = .whole(stream)
        }
    }

    /// There is room in the output again: goes on with the input that was held.
    public mutating func resume(
        methods: MethodTable, tools: CodecTools, room: Int, into output: inout OutputBlock
    ) throws(Status) {
        var waiting = OutputBlock()
        swap(&waiting, &held)
        try receive(waiting.bytes, methods: methods, tools: tools, room: room, into: &output)
        if !isHolding {
            waiting.removeAll()
            swap(&waiting, &held)
        }
    }

    /// Whether the upstream's body may end here with the status OK.
    public func checkEnd() throws(Status) {
        switch form {
        case .passed(let stream), .framed(let stream), .messages(let stream), .whole(let stream):
            try stream.checkEnd()
        case .none: return
        }
    }

    /// A call that ended well without a head of the upstream's had no message.
    func checkEnd(_ methods: MethodTable) throws(Status) {
        if case .none = form, !plan.isServerStreaming(in: methods) {
            throw .wrongMessageCount("the upstream's answer: no message")
        }
        try checkEnd()
    }

    /// How many bytes it has room for.
    public var capacity: Int { message.capacity + held.capacity }

    /// Makes the codec ready for another call.
    public mutating func reset() {
        plan = CallPlan()
        form = .none
        hasElement = false
        rawContentType.removeAll()
        encoder = nil
        message.removeAll()
        message.shrink(toAtMost: ResponseCodec.keptBytesMax)
        held.removeAll()
        held.shrink(toAtMost: ResponseCodec.keptBytesMax)
    }

    // MARK: Messages

    private mutating func takeMessages(
        _ stream: EnvelopeStream, _ bytes: Span<UInt8>, _ methods: MethodTable,
        _ tools: CodecTools, _ room: Int, _ output: inout OutputBlock
    ) throws(Status) {
        var stream = stream
        let start = output.count
        defer { tools.removeAll() }
        do throws(Status) {
            try appendMessages(&stream, bytes, methods, tools, room, &output)
        } catch {
            // What came before the error is the client's.
            compressElements(from: start, tools, &output)
            throw error
        }
        form = .messages(stream)
        compressElements(from: start, tools, &output)
    }

    private mutating func appendMessages(
        _ stream: inout EnvelopeStream, _ bytes: Span<UInt8>, _ methods: MethodTable,
        _ tools: CodecTools, _ room: Int, _ output: inout OutputBlock
    ) throws(Status) {
        var offset = 0
        let start = output.count
        while case .message(let isCompressed) =
            try stream.collect(bytes, from: &offset, into: &message)
        {
            try complete(isCompressed: isCompressed, tools)
            if let elements = plan.streamForm {
                try appendElement(elements, methods, &output)
            } else {
                try appendEnvelope(methods, tools, &output)
            }
            message.removeAll()
            if output.count - start > room, offset < bytes.count {
                held.append(bytes.extracting(offset..<bytes.count))
                break
            }
        }
    }

    /// Makes the collected message ready to be read. Sealed, so that where a broken one is told to end does not
    /// depend on what stood in the block before.
    private mutating func complete(isCompressed: Bool, _ tools: CodecTools) throws(Status) {
        if isCompressed { try inflateWhole(tools) }
        message.seal()
    }

    /// Replaces the collected message by what it inflates to.
    private mutating func inflateWhole(_ tools: CodecTools) throws(Status) {
        do throws(CompressionError) {
            tools.plain.removeAll()
            try tools.compression.inflate(
                message.bytes, upstreamCoding, into: &tools.plain, bytesMax: bytesMax)
            swap(&message, &tools.plain)
        } catch {
            switch error {
            case .tooLarge: throw Status.upstreamMessageTooLarge(limit: bytesMax)
            case .malformed:
                throw Status(
                    .internal,
                    "the upstream's message cannot be decompressed: it is not \(upstreamCoding.name)",
                    reason: "bad_answer")
            }
        }
    }

    /// Appends the collected message to a stream: in the client's codec and coding, in its envelope.
    private mutating func appendEnvelope(
        _ methods: MethodTable, _ tools: CodecTools, _ output: inout OutputBlock
    ) throws(Status) {
        tools.formed.removeAll()
        _ = tools.formed.beginEnvelope()
        if plan.clientProtocol.codec == .json {
            try appendJSON(methods, &tools.formed)
        } else {
            tools.formed.append(message.bytes)
        }
        tools.formed.endEnvelope(at: 0)
        let payload = EnvelopePrefix.byteCount..<tools.formed.count
        tools.plain.removeAll()
        if plan.responseCoding != .identity, payload.count >= Compression.bytesMin {
            _ = tools.plain.beginEnvelope(flags: EnvelopePrefix.compressed)
            if tools.compression.deflate(
                tools.formed.bytes.extracting(payload), plan.responseCoding, into: &tools.plain)
            {
                tools.plain.endEnvelope(at: 0)
                append(block: tools.plain, &output)
                return
            }
        }
        append(block: tools.formed, &output)
    }

    /// Appends the collected message as JSON.
    func appendJSON(_ methods: MethodTable, _ output: inout OutputBlock) throws(Status) {
        let method = methods.methods[Int(plan.method)]
        do throws(JSONError) {
            try ProtoToJSON(methods.tables(of: plan.method), options: method.json).format(
                message, in: 0..<message.count, as: method.descriptor.output, into: &output)
        } catch {
            throw Status(error)
        }
    }

    func append(block: borrowing OutputBlock, _ output: inout OutputBlock) {
        append(block.bytes, &output)
    }

    /// Appends bytes of the body as they are sent: each piece by itself as base64 where the client wants text.
    func append(_ bytes: Span<UInt8>, _ output: inout OutputBlock) {
        if plan.answersAsText {
            BinaryMetadata.encode(bytes, padded: true, into: &output)
        } else {
            output.append(bytes)
        }
    }

    // MARK: Whole answers

    /// Formats the entity of a call that succeeded, and the fields that tell what it is.
    /// - Parameter leading: the upstream's metadata, which may name the HTTP status.
    func appendAnswer(
        leading: borrowing Fields, methods: MethodTable, to head: inout ResponseHead,
        body: inout OutputBlock
    ) throws(Status) {
        head.status = 200
        switch plan.clientProtocol {
        case .rest:
            let route = methods.bindings[Int(plan.route)]
            head.status = route.response.status(for: leading)
            guard ResponseBinding.mayHaveBody(head.status) else { return }
            let contentType = try route.response.format(
                message, in: 0..<message.count, methods.tables(of: plan.method), json: route.json,
                into: &body)
            ResponseCodec.appendContentType(message.bytes, at: contentType, to: &head)
            return
        case .connectUnary(.json), .connectGet(.json): try appendJSON(methods, &body)
        default: body.append(message.bytes)
        }
        head.fields.append(.contentType, plan.clientProtocol.contentType(asText: false))
    }

    /// JSON, or what an HttpBody says that it is, unless that is no field value.
    static func appendContentType(
        _ message: Span<UInt8>, at range: Range<Int>?, to head: inout ResponseHead
    ) {
        guard let range else {
            head.fields.append(.contentType, "application/json")
            return
        }
        let named = message.extracting(range)
        if named.count > 0, Metadata.isValidValue(named) {
            head.fields.append(.contentType, named)
        } else {
            head.fields.append(.contentType, "application/octet-stream")
        }
    }
}
