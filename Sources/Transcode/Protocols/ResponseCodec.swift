public import ProtoRuntime

/// How the upstream's envelopes and status become the client's response; chosen once a call.
public enum ResponseCodec: Sendable {
    /// Errors only, as Connect and REST clients read them: the request's content type is not served.
    case none
    /// Native gRPC: checked piece by piece, passed as it is.
    case grpc(GRPCCodec)
    /// One message is one whole body.
    case connect(MessageCodec)
    case rest

    public init(_ plan: CallPlan) {
        switch plan.clientProtocol {
        case .grpc:
            self = .grpc(GRPCCodec(messageBytesMax: 0, allowsCompressed: false, isSingle: false))
        case .connectUnary(let codec): self = .connect(codec)
        case .rest: self = .rest
        case .grpcWeb, .connectStreaming, .unsupportedContentType: self = .none
        }
    }

    /// The content types that an RPC's own path is served with.
    static let acceptPost: StaticString =
        "application/grpc, application/grpc+proto, application/json, application/proto"

    /// Whether pieces of the body pass at once; otherwise they are collected for `appendAnswer`.
    public var isStreaming: Bool {
        if case .grpc = self { return true }
        return false
    }

    // MARK: Streaming

    /// The upstream's head is there.
    public mutating func begin(_ fields: borrowing Fields, isSingle: Bool, messageBytesMax: Int) {
        guard case .grpc = self else { return }
        var isCompressed = false
        if let index = fields.firstIndex(of: .grpcEncoding) {
            isCompressed = !fields.value(at: index).isEqual(to: "identity")
        }
        self = .grpc(
            GRPCCodec(
                messageBytesMax: messageBytesMax, allowsCompressed: isCompressed, isSingle: isSingle
            ))
    }

    /// Checks a piece of a streaming body.
    public mutating func check(_ bytes: Span<UInt8>) throws(Status) {
        guard case .grpc(var codec) = self else { return }
        defer { self = .grpc(codec) }
        try codec.check(bytes)
    }

    /// The upstream's body may end here with the status OK.
    public func checkEnd() throws(Status) {
        if case .grpc(let codec) = self { try codec.checkEnd() }
    }

    /// The head of a streamed response: content type, codings and leading metadata.
    public func appendHead(of upstream: borrowing Fields, to head: inout ResponseHead) {
        head.status = 200
        head.fields.append(.contentType, GRPC.contentType)
        for index in 0..<upstream.count {
            switch upstream.known(at: index) {
            case .grpcEncoding, .grpcAcceptEncoding:
                head.fields.append(upstream.known(at: index), upstream.value(at: index))
            default: ResponseCodec.forward(upstream, index, prefix: "", to: &head.fields)
            }
        }
    }

    /// The trailers of a streamed response: the status, then trailing metadata.
    public func appendTrailers(
        _ status: Status, metadata: borrowing Fields, to fields: inout Fields
    ) {
        GRPC.append(status, to: &fields)
        for index in 0..<metadata.count {
            ResponseCodec.forward(metadata, index, prefix: "", to: &fields)
        }
    }

    // MARK: Whole responses

    /// Formats the response of a call that succeeded: `answer` holds the upstream's one envelope, `leading` are its
    /// metadata.
    public func appendAnswer(
        _ answer: borrowing OutputBlock, leading: borrowing Fields, plan: CallPlan,
        methods: MethodTable, to head: inout ResponseHead, body: inout OutputBlock
    ) throws(Status) {
        let message = try ResponseCodec.onlyMessage(in: answer)
        let method = methods.methods[Int(plan.method)]
        head.status = 200
        switch self {
        case .connect(.proto):
            body.append(answer.bytes.extracting(message))
            head.fields.append(.contentType, "application/proto")
        case .connect(.json):
            do throws(JSONError) {
                try ProtoToJSON(methods.pool.tables, options: method.json).format(
                    answer, in: message, as: method.descriptor.output, into: &body)
            } catch {
                throw Status(error)
            }
            head.fields.append(.contentType, "application/json")
        case .rest:
            let route = methods.bindings[Int(plan.route)]
            head.status = route.response.status(for: leading)
            guard ResponseBinding.mayHaveBody(head.status) else { return }
            let contentType = try route.response.format(
                answer, in: message, methods.pool.tables, json: route.json, into: &body)
            if let contentType, !contentType.isEmpty,
                Metadata.isValidValue(answer.bytes.extracting(contentType))
            {
                head.fields.append(.contentType, answer.bytes.extracting(contentType))
            } else {
                head.fields.append(
                    .contentType,
                    contentType == nil ? "application/json" : "application/octet-stream")
            }
        case .grpc, .none: break
        }
    }

    /// Formats the response of a call that failed, or a trailers-only gRPC answer.
    public func appendError(
        _ status: Status, plan: CallPlan, methods: MethodTable, to head: inout ResponseHead,
        body: inout OutputBlock
    ) {
        if case .grpc = self {
            head.status = 200
            head.fields.append(.contentType, GRPC.contentType)
            GRPC.append(status, to: &head.fields)
            return
        }
        head.status = httpStatus(of: status)
        head.fields.append(.contentType, "application/json")
        if let reason = status.reason { head.fields.append("gateway-error", reason) }
        if let accepted = status.accepted {
            head.fields.append(accepted.fieldName, accepted.value)
        }
        if head.status == 429 || head.status == 503, let seconds = status.retryAfterSeconds {
            head.fields.append("retry-after", String(seconds))
        }
        if head.status == 401, plan.route >= 0 {
            let challenge = methods.bindings[Int(plan.route)].challenge
            if !challenge.isEmpty { head.fields.append("www-authenticate", challenge) }
        }
        if case .none = self, status.httpStatus == 415, status.accepted == nil {
            head.fields.append("accept-post", ResponseCodec.acceptPost)
        }
        switch self {
        case .connect: StatusJSON.appendConnect(status, pool: methods.pool, into: &body)
        default: ResponseCodec.appendREST(status, plan, methods, into: &body)
        }
    }

    private static func appendREST(
        _ status: Status, _ plan: CallPlan, _ methods: MethodTable, into body: inout OutputBlock
    ) {
        let format =
            plan.route >= 0 ? methods.bindings[Int(plan.route)].errorFormat : methods.errorFormat
        switch format {
        case .status: StatusJSON.appendREST(status, pool: methods.pool, into: &body)
        case .aip193: StatusJSON.appendAIP193(status, pool: methods.pool, into: &body)
        }
    }

    /// Connect's statuses follow from its codes, but for what HTTP itself refuses (SEMANTICS c.1, c.6).
    private func httpStatus(of status: Status) -> Int {
        guard case .connect = self, ![404, 405, 415, 505].contains(status.httpStatus) else {
            return status.httpStatus
        }
        return status.code.httpStatus
    }

    /// Appends leading and trailing metadata of the upstream to a whole response's head.
    public func appendMetadata(
        leading: borrowing Fields, trailing: borrowing Fields, isTrailersOnly: Bool,
        plan: CallPlan, methods: MethodTable, to head: inout ResponseHead
    ) {
        let prefix: StaticString =
            switch self {
            case .connect, .none: "trailer-"
            case .rest: "grpc-trailer-"
            case .grpc: ""
            }
        let route = plan.route >= 0 ? methods.bindings[Int(plan.route)].response : nil
        for index in 0..<leading.count {
            if let route, route.isStatusMetadata(leading.name(at: index)) { continue }
            ResponseCodec.forward(
                leading, index, prefix: isTrailersOnly ? prefix : "", to: &head.fields)
        }
        for index in 0..<trailing.count {
            ResponseCodec.forward(trailing, index, prefix: prefix, to: &head.fields)
        }
    }

    private static func forward(
        _ from: borrowing Fields, _ index: Int, prefix: StaticString, to fields: inout Fields
    ) {
        guard from.known(at: index) == .other else { return }
        let name = from.name(at: index)
        guard Metadata.response(name) == .forward else { return }
        fields.append(prefix: prefix, name: name, value: from.value(at: index))
    }

    /// Checks a unary answer while it grows, so that an absurd length or an endless stream is not waited for.
    public func checkGrowing(_ answer: borrowing OutputBlock, messageBytesMax: Int) throws(Status) {
        guard let prefix = EnvelopePrefix(answer.bytes) else { return }
        guard Int(prefix.length) <= messageBytesMax else {
            throw Status(
                .resourceExhausted,
                "the upstream's message of \(prefix.length) bytes is over the limit of \(messageBytesMax)",
                httpStatus: 502, reason: "message_too_large")
        }
        guard answer.count <= EnvelopePrefix.byteCount + Int(prefix.length) else {
            throw ResponseCodec.badAnswer(.unimplemented, "has more than one message")
        }
    }

    /// The payload of the one envelope that a unary answer must be.
    private static func onlyMessage(in answer: borrowing OutputBlock) throws(Status) -> Range<Int> {
        guard let prefix = EnvelopePrefix(answer.bytes) else {
            throw badAnswer(.unimplemented, "has no message")
        }
        guard prefix.flags == 0 else {
            throw badAnswer(
                .internal, "is compressed, or has unknown flags, though nothing was offered")
        }
        let end = EnvelopePrefix.byteCount + Int(prefix.length)
        guard answer.count >= end else { throw badAnswer(.internal, "ends inside a message") }
        return EnvelopePrefix.byteCount..<end
    }

    private static func badAnswer(_ code: StatusCode, _ what: String) -> Status {
        Status(code, "the upstream's answer to a unary call \(what)", reason: "bad_answer")
    }
}
