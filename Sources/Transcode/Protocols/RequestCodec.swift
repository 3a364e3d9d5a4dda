public import ProtoRuntime

/// How a client's body becomes gRPC envelopes; chosen once a call.
public enum RequestCodec: Sendable {
    case none
    /// Native gRPC: checked piece by piece, passed as it is.
    case grpc(GRPCCodec)
    /// One whole body is one message.
    case connect(MessageCodec)
    case rest

    public init(_ plan: CallPlan, methods: MethodTable, messageBytesMax: Int) {
        switch plan.clientProtocol {
        case .grpc:
            self = .grpc(
                GRPCCodec(
                    messageBytesMax: messageBytesMax, allowsCompressed: plan.isCompressed,
                    isSingle: !plan.isClientStreaming(in: methods)))
        case .connectUnary(let codec): self = .connect(codec)
        case .rest: self = .rest
        case .grpcWeb, .connectStreaming, .unsupportedContentType: self = .none
        }
    }

    /// Whether pieces of the body pass at once; otherwise the body is collected for `encode`.
    public var isStreaming: Bool {
        if case .grpc = self { return true }
        return false
    }

    /// Checks a piece of a streaming body.
    public mutating func check(_ bytes: Span<UInt8>) throws(Status) {
        guard case .grpc(var codec) = self else { return }
        defer { self = .grpc(codec) }
        try codec.check(bytes)
    }

    /// A streaming body may end here.
    public func checkEnd() throws(Status) {
        if case .grpc(let codec) = self { try codec.checkEnd() }
    }

    /// Appends the one message of a collected body, in its envelope.
    /// - Parameter body: sealed.
    public func encode(
        _ head: borrowing RequestHead, body: borrowing OutputBlock, plan: CallPlan,
        match: RouteMatch,
        methods: MethodTable, scratch: inout BindingScratch, into output: inout OutputBlock
    ) throws(Status) {
        let start = output.count
        EnvelopePrefix(flags: 0, length: 0).append(to: &output)
        switch self {
        case .connect(.proto): output.append(body.bytes)
        case .connect(.json):
            let method = methods.methods[Int(plan.method)]
            do throws(JSONError) {
                try JSONToProto(methods.pool.tables, options: method.json).encode(
                    body, in: 0..<body.count, as: method.descriptor.input, into: &output)
            } catch {
                throw Status(error)
            }
        case .rest:
            let route = methods.bindings[Int(match.route)]
            var contentType = Span<UInt8>()
            if let index = head.fields.firstIndex(of: .contentType) {
                contentType = head.fields.value(at: index)
            }
            try route.request.bind(
                match, path: head.path, query: head.query, contentType: contentType, body: body,
                in: 0..<body.count, methods.pool.tables, json: route.json, scratch: &scratch,
                into: &output)
        case .grpc, .none: return
        }
        let length = output.count - start - EnvelopePrefix.byteCount
        EnvelopePrefix(flags: 0, length: UInt32(clamping: length)).overwrite(at: start, in: &output)
    }
}
