import ProtoRuntime

// REST client streams: JSON values, or the pieces of an HttpBody, one message each. The first one also takes what path
// and query say; the others are what the body says alone (SEMANTICS a.7).
extension RequestCodec {
    /// Bytes of one HttpBody message of an upload.
    static let pieceBytesMax = 64 << 10

    /// Keeps what the head of a client stream says.
    /// - Throws: 415 when its content type is none that the route takes.
    public mutating func begin(
        _ head: borrowing RequestHead, _ match: RouteMatch, methods: MethodTable
    ) throws(Status) {
        origin.keep(head, match)
        let request = methods.bindings[Int(plan.route)].request
        guard !request.isRaw else { return }
        try request.checkContentType(origin.contentType)
        let allowsArray =
            !MediaType.isLines(origin.contentType)
            && !request.bodyMayBeArray(methods.tables(of: plan.method))
        form = .values(JSONSequence(allowsArray: allowsArray, messageBytesMax: bytesMax))
    }

    /// Inflates a piece, no more than a step at a time: what it expands to takes no memory beyond that and the room.
    mutating func inflateElements(
        _ decoder: any StreamDecoder, _ bytes: Span<UInt8>, _ methods: MethodTable,
        _ tools: CodecTools, _ room: Int, _ output: inout OutputBlock
    ) throws(Status) {
        let start = output.count
        var offset = 0
        var plain = OutputBlock()
        swap(&plain, &tools.plain)
        defer { swap(&plain, &tools.plain) }
        while true {
            plain.removeAll()
            do throws(CompressionError) {
                try decoder.decode(
                    bytes, from: &offset, into: &plain, room: RequestCodec.pieceBytesMax)
            } catch {
                throw .undecodable(plan)
            }
            try takeForm(plain.bytes, methods, tools, .max, &output)
            let hasMore = plain.count == RequestCodec.pieceBytesMax
            if !hasMore, offset == bytes.count { return }
            guard output.count - start > room else { continue }
            held.append(bytes.extracting(offset...))
            decoderHasMore = hasMore
            return
        }
    }

    mutating func takeValues(
        _ sequence: JSONSequence, _ bytes: Span<UInt8>, _ methods: MethodTable,
        _ tools: CodecTools, _ room: Int, _ output: inout OutputBlock
    ) throws(Status) {
        var sequence = sequence
        var offset = 0
        let start = output.count
        while case .message = try sequence.collect(bytes, from: &offset, into: &message) {
            try appendElement(methods, tools, &output)
            if output.count - start > room, offset < bytes.count {
                held.append(bytes.extracting(offset..<bytes.count))
                break
            }
        }
        sequence.advance(by: offset)
        form = .values(sequence)
    }

    /// The body of a REST stream is complete: what is a message only now.
    mutating func finishElements(
        _ methods: MethodTable, _ tools: CodecTools, _ output: inout OutputBlock
    ) throws(Status) {
        switch form {
        case .none, .passed, .messages, .whole: return
        case .values(var sequence):
            if try sequence.finish() || needsFirstElement(methods) {
                try appendElement(methods, tools, &output)
            }
            form = .values(sequence)
        case .pieces:
            if elementCount == 0 { try appendElement(methods, tools, &output) }
        }
    }

    /// Appends the collected bytes as the stream's next message.
    mutating func appendElement(
        _ methods: MethodTable, _ tools: CodecTools, _ output: inout OutputBlock
    ) throws(Status) {
        let route = methods.bindings[Int(plan.route)]
        message.seal()
        let body = 0..<message.count
        let start = output.beginEnvelope()
        do throws(Status) {
            if elementCount == 0 {
                try route.request.bind(
                    origin.match ?? RouteMatch(), path: origin.path, query: origin.query,
                    contentType: origin.contentType, body: message, in: body,
                    methods.tables(of: plan.method),
                    json: route.json, scratch: &tools.binding, into: &output)
            } else {
                try route.request.bindBody(
                    contentType: Span(), message, in: body, methods.tables(of: plan.method),
                    json: route.json,
                    into: &output)
            }
        } catch {
            output.truncate(to: start)
            guard elementCount > 0 else { throw error }
            var error = error
            error.message = "message \(elementCount + 1): \(error.message)"
            throw error
        }
        output.endEnvelope(at: start)
        elementCount += 1
        message.removeAll()
    }

    /// Cuts what came of an upload into messages.
    mutating func appendPieces(
        _ bytes: Span<UInt8>, _ methods: MethodTable, _ tools: CodecTools,
        _ output: inout OutputBlock
    ) throws(Status) {
        let size = min(RequestCodec.pieceBytesMax, bytesMax)
        var offset = 0
        while offset < bytes.count {
            let end = min(offset + size, bytes.count)
            message.append(bytes.extracting(offset..<end))
            try appendElement(methods, tools, &output)
            offset = end
        }
    }

    /// Whether a body without a message makes one all the same: path or query say something.
    func needsFirstElement(_ methods: MethodTable) -> Bool {
        elementCount == 0
            && ((origin.match?.captureCount ?? 0) > 0 || origin.query.count > 0)
    }
}

extension RequestBinding {
    /// The entity is an HttpBody's data, not JSON.
    var isRaw: Bool {
        switch body {
        case .raw, .rawField: true
        case .none, .message, .field: false
        }
    }

    /// Whether the JSON form of what the body gives may itself be an array.
    func bodyMayBeArray(_ tables: DescriptorTables) -> Bool {
        let type: Int32
        switch body {
        case .none, .raw, .rawField: return false
        case .message: type = input
        case .field(let index):
            let field = tables.field(index)
            if field.flags.contains(.repeated) { return !field.flags.contains(.map) }
            guard field.kind == .message else { return false }
            type = field.typeIndex
        }
        let wellKnown = tables.message(type).wellKnown
        return wellKnown == .listValue || wellKnown == .value
    }
}
