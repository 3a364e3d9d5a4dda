public import ProtoRuntime

// Heads, trailers and what ends a response, in each protocol's words.
extension ResponseCodec {
    // MARK: Streams

    /// The head of a streamed response: content type, codings and leading metadata.
    public mutating func appendHead(
        of upstream: borrowing Fields, methods: MethodTable, to head: inout ResponseHead
    ) {
        if let elements = plan.streamForm {
            // What raw data is was seen with its first message.
            if elements != .raw { beginEncoding() }
            appendElementsHead(elements, leading: upstream, methods: methods, to: &head)
            appendMetadata(upstream, Fields(), methods, to: &head)
            return
        }
        head.status = 200
        let contentType = plan.clientProtocol.contentType(asText: plan.answersAsText)
        head.fields.append(.contentType, contentType)
        let passes = plan.responsePasses && passesMessages
        if !passes, plan.responseCoding != .identity {
            head.fields.append(
                plan.isGRPC ? .grpcEncoding : .connectContentEncoding, plan.responseCoding.name)
        }
        for index in 0..<upstream.count {
            let known = upstream.known(at: index)
            if passes, known == .grpcEncoding || known == .grpcAcceptEncoding {
                head.fields.append(known, upstream.value(at: index))
            } else {
                ResponseCodec.forward(upstream, index, prefix: "", to: &head.fields)
            }
        }
    }

    /// Ends a streamed response: gRPC's status goes into `trailers`, the others' into `body`.
    /// - Parameter metadata: the upstream's trailers.
    public func appendEnd(
        _ status: Status, metadata: borrowing Fields, methods: MethodTable,
        tools: CodecTools, trailers: inout Fields, body: inout OutputBlock
    ) -> End {
        switch plan.clientProtocol {
        case .rest:
            guard let elements = plan.streamForm else { return .complete }
            for index in 0..<metadata.count {
                ResponseCodec.forward(metadata, index, prefix: "grpc-trailer-", to: &trailers)
            }
            let start = body.count
            let end = appendElementsEnd(
                elements, status, metadata: metadata, methods: methods, to: &body)
            compressElements(from: start, isLast: end == .complete, tools, &body)
            return end
        case .connectStreaming:
            ConnectEnd.append(
                status, metadata: metadata, pool: methods.pool(of: plan.method), to: &body)
        case .grpcWeb:
            // There are no trailers to send: their block only lends its memory.
            ResponseCodec.appendStatus(status, metadata, to: &trailers)
            tools.formed.removeAll()
            GRPCWeb.appendTrailers(trailers, to: &tools.formed)
            append(block: tools.formed, &body)
            trailers.removeAll()
            tools.removeAll()
        default: ResponseCodec.appendStatus(status, metadata, to: &trailers)
        }
        return .complete
    }

    private static func appendStatus(
        _ status: Status, _ metadata: borrowing Fields, to fields: inout Fields
    ) {
        GRPC.append(status, to: &fields)
        for index in 0..<metadata.count { forward(metadata, index, prefix: "", to: &fields) }
    }

    // MARK: Responses that nothing was sent of

    /// Formats the whole response of a call of which nothing was sent yet: its answer, or its error.
    ///
    /// - Parameters:
    ///   - leading: the upstream's head, empty when there is none.
    ///   - trailing: its trailers. A trailers-only answer has all its fields in `leading`.
    public func appendResponse(
        _ status: Status, leading: borrowing Fields, trailing: borrowing Fields,
        methods: MethodTable, tools: CodecTools, to head: inout ResponseHead,
        body: inout OutputBlock
    ) {
        var status = status
        do throws(Status) {
            if status.isOK { try checkEnd(methods) }
            if status.isOK, let elements = plan.streamForm {
                appendElementsHead(elements, leading: leading, methods: methods, to: &head)
                appendMetadata(leading, trailing, methods, to: &head)
                appendPreface(methods: methods, tools: tools, to: &body)
                let isTrailersOnly = ResponseCodec.isTrailersOnly(leading, trailing)
                _ =
                    isTrailersOnly
                    ? appendElementsEnd(
                        elements, status, metadata: leading, methods: methods, to: &body)
                    : appendElementsEnd(
                        elements, status, metadata: trailing, methods: methods, to: &body)
                return
            }
            if status.isOK, !isStreaming {
                try appendAnswer(leading: leading, methods: methods, to: &head, body: &body)
                appendMetadata(leading, trailing, methods, to: &head)
                compress(&body, tools, &head)
                return
            }
        } catch {
            status = error
            head.removeAll()
            body.removeAll()
        }
        if plan.isConnectStreaming, !ResponseCodec.isRefusedByHTTP(status) {
            head.fields.append(.contentType, plan.clientProtocol.contentType(asText: false))
            appendAcceptedCodings(status, &head)
            if ResponseCodec.isTrailersOnly(leading, trailing) {
                ConnectEnd.append(
                    status, metadata: leading, pool: methods.pool(of: plan.method), to: &body)
            } else {
                for index in 0..<leading.count {
                    ResponseCodec.forward(leading, index, prefix: "", to: &head.fields)
                }
                ConnectEnd.append(
                    status, metadata: trailing, pool: methods.pool(of: plan.method), to: &body)
            }
            return
        }
        appendError(status, methods: methods, to: &head, body: &body)
        appendMetadata(leading, trailing, methods, to: &head)
    }

    /// Formats the response of a call that failed, or a trailers-only gRPC answer, without metadata.
    public func appendError(
        _ status: Status, methods: MethodTable, to head: inout ResponseHead, body: inout OutputBlock
    ) {
        appendAcceptedCodings(status, &head)
        if plan.isGRPC, status.httpStatus != 405, status.httpStatus != 505 {
            head.status = 200
            head.fields.append(
                .contentType, plan.clientProtocol.contentType(asText: plan.answersAsText))
            GRPC.append(status, to: &head.fields)
            return
        }
        head.status = httpStatus(of: status)
        head.fields.append(.contentType, "application/json")
        if let reason = status.reason { head.fields.append("gateway-error", text: reason) }
        appendAdvice(status, methods, to: &head)
        switch plan.clientProtocol {
        case .connectUnary, .connectGet, .connectStreaming:
            StatusJSON.appendConnect(status, pool: methods.pool(of: plan.method), into: &body)
        default: appendREST(status, methods, into: &body)
        }
    }

    /// Fields that tell how to do better.
    private func appendAdvice(
        _ status: Status, _ methods: MethodTable, to head: inout ResponseHead
    ) {
        if let accepted = status.accepted {
            head.fields.append(accepted.fieldName, text: accepted.value)
        }
        if head.status == 429 || head.status == 503, let seconds = status.retryAfterSeconds {
            head.fields.append("retry-after", text: String(seconds))
        }
        if head.status == 401, plan.route >= 0 {
            let challenge = methods.bindings[Int(plan.route)].challenge
            if !challenge.isEmpty { head.fields.append("www-authenticate", text: challenge) }
        }
        if head.status == 415, plan.clientProtocol != .rest, status.accepted == nil,
            status.reason != Status.unsupportedCodingReason
        {
            head.fields.append("accept-post", acceptPost(methods))
        }
    }

    func appendREST(
        _ status: Status, _ methods: MethodTable, into body: inout OutputBlock
    ) {
        let format =
            plan.route >= 0 ? methods.bindings[Int(plan.route)].errorFormat : methods.errorFormat
        switch format {
        case .status:
            StatusJSON.appendREST(status, pool: methods.pool(of: plan.method), into: &body)
        case .aip193:
            StatusJSON.appendAIP193(status, pool: methods.pool(of: plan.method), into: &body)
        }
    }

    /// The content types that an RPC's own path is served with.
    private func acceptPost(_ methods: MethodTable) -> StaticString {
        plan.isUnary(in: methods)
            ? """
            application/json, application/proto, application/grpc, application/grpc+proto, \
            application/grpc+json, application/grpc-web, application/grpc-web+proto, \
            application/grpc-web+json, application/grpc-web-text, application/grpc-web-text+proto
            """
            : """
            application/connect+json, application/connect+proto, application/grpc, \
            application/grpc+proto, application/grpc+json, application/grpc-web, \
            application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, \
            application/grpc-web-text+proto
            """
    }

    /// A refused compression is answered with those that are not (SEMANTICS c.3, d.7; RFC 9110 §12.5.3).
    private func appendAcceptedCodings(_ status: Status, _ head: inout ResponseHead) {
        guard status.reason == Status.unsupportedCodingReason else { return }
        let field: KnownField =
            switch plan.clientProtocol {
            case .grpc, .grpcWeb: .grpcAcceptEncoding
            case .connectStreaming: .connectAcceptEncoding
            default: .acceptEncoding
            }
        head.fields.append(field, ContentCoding.supported)
    }

    /// Connect's statuses follow from its codes, but for what HTTP itself refuses (SEMANTICS c.1, c.6).
    private func httpStatus(of status: Status) -> Int {
        switch plan.clientProtocol {
        case .connectUnary, .connectGet, .connectStreaming:
            ResponseCodec.isRefusedByHTTP(status) ? status.httpStatus : status.code.httpStatus
        default: status.httpStatus
        }
    }

    private static func isRefusedByHTTP(_ status: Status) -> Bool {
        [404, 405, 415, 505].contains(status.httpStatus) && status.reason != nil
    }

    /// Compresses a whole body where the client takes that and there is something to gain.
    private func compress(
        _ body: inout OutputBlock, _ tools: CodecTools, _ head: inout ResponseHead
    ) {
        if case .connectGet = plan.clientProtocol { head.fields.append("vary", "Accept-Encoding") }
        guard plan.responseCoding != .identity, body.count >= Compression.bytesMin,
            let type = head.fields.firstIndex(of: .contentType),
            plan.clientProtocol != .rest || MediaType.isCompressible(head.fields.value(at: type))
        else { return }
        defer { tools.removeAll() }
        tools.formed.removeAll()
        guard
            tools.compression.deflate(body.bytes, plan.responseCoding, into: &tools.formed)
        else { return }
        swap(&body, &tools.formed)
        head.fields.append(.contentEncoding, plan.responseCoding.name)
        if plan.clientProtocol == .rest { head.fields.append("vary", "Accept-Encoding") }
    }

    // MARK: Metadata

    /// Appends the upstream's metadata to a whole response's head: trailing metadata under the protocol's prefix.
    private func appendMetadata(
        _ leading: borrowing Fields, _ trailing: borrowing Fields, _ methods: MethodTable,
        to head: inout ResponseHead
    ) {
        let prefix: StaticString =
            switch plan.clientProtocol {
            case .connectUnary, .connectGet, .connectStreaming, .unsupportedContentType: "trailer-"
            case .rest: "grpc-trailer-"
            case .grpc, .grpcWeb: ""
            }
        let leadingPrefix = ResponseCodec.isTrailersOnly(leading, trailing) ? prefix : ""
        let route = plan.route >= 0 ? methods.bindings[Int(plan.route)].response : nil
        for index in 0..<leading.count {
            if let route, route.isStatusMetadata(leading.name(at: index)) { continue }
            ResponseCodec.forward(leading, index, prefix: leadingPrefix, to: &head.fields)
        }
        for index in 0..<trailing.count {
            ResponseCodec.forward(trailing, index, prefix: prefix, to: &head.fields)
        }
    }

    /// Whether the upstream's one head is its trailers.
    public static func isTrailersOnly(_ leading: borrowing Fields, _ trailing: borrowing Fields)
        -> Bool
    {
        trailing.isEmpty && leading.firstIndex(of: .grpcStatus) != nil
    }

    /// Appends one field of the upstream's if it is metadata.
    private static func forward(
        _ from: borrowing Fields, _ index: Int, prefix: StaticString, to fields: inout Fields
    ) {
        guard isForwarded(from, index) else { return }
        fields.append(
            prefix: prefix, name: from.name(at: index), value: from.value(at: index))
    }

    /// Whether a field of the upstream's is metadata that clients are told.
    static func isForwarded(_ from: borrowing Fields, _ index: Int) -> Bool {
        from.known(at: index) == .other && Metadata.response(from.name(at: index)) == .forward
    }
}
