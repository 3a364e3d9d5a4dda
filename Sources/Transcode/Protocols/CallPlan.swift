import ProtoRuntime

/// What a request's head decides about a call: its protocol, its method, its time.
public struct CallPlan: Sendable {
    /// Index of the method in the method table; -1 until resolved.
    public private(set) var method: Int32 = -1
    /// Index of the REST route; -1 where the call came by none.
    public private(set) var route: Int32 = -1
    public private(set) var clientProtocol = ClientProtocol.rest
    /// What the client grants, in nanoseconds; nil when it says nothing.
    public private(set) var timeout: Int64?
    /// Whether the request declared a `grpc-encoding`.
    public private(set) var isCompressed = false

    public init() {}

    /// Whether exactly one message goes each way.
    public func isUnary(in methods: MethodTable) -> Bool {
        guard method >= 0 else { return true }
        return methods.methods[Int(method)].kind == .unary
    }

    public func isClientStreaming(in methods: MethodTable) -> Bool {
        method >= 0 && methods.methods[Int(method)].descriptor.isClientStreaming
    }

    public func isServerStreaming(in methods: MethodTable) -> Bool {
        method >= 0 && methods.methods[Int(method)].descriptor.isServerStreaming
    }

    /// The time of a call whose client names none: unary REST and Connect calls have a default; gRPC clients
    /// have deadlines of their own, and streams end when they end.
    public func defaultTimeout(in methods: MethodTable) -> Int64? {
        if case .grpc = clientProtocol { return nil }
        return method >= 0 ? methods.methods[Int(method)].timeoutDefault : nil
    }

    /// Nanoseconds that the call may take: what the client grants, at most what is configured (SEMANTICS a.9); nil
    /// when there is no limit.
    public func timeLimit(in methods: MethodTable) -> Int64? {
        guard let limit = timeout ?? defaultTimeout(in: methods) else { return nil }
        guard method >= 0, let maximum = methods.methods[Int(method)].options.timeoutMax else {
            return limit
        }
        return min(limit, maximum)
    }

    /// Reads the head. The protocol is known afterwards even when this throws, so that the error can take its shape.
    public mutating func resolve(
        _ head: borrowing RequestHead, methods: MethodTable, match: inout RouteMatch
    ) throws(Status) {
        let named = methods.index(ofPath: head.path)
        clientProtocol = CallPlan.detect(head, pathNamesMethod: named >= 0)
        timeout = try CallPlan.timeout(in: head.fields)
        if clientProtocol == .rest {
            try resolveRoute(head, methods: methods, match: &match)
            return
        }
        guard named >= 0 else {
            throw Status(
                .unimplemented, "this gateway knows no method \(String(copying: head.path))",
                httpStatus: 404,
                reason: "method_not_found")
        }
        method = named
        guard head.method.isEqual(to: "POST") else { throw .methodNotAllowed(allow: "POST") }
        switch clientProtocol {
        case .grpc(.proto): try resolveGRPC(head)
        case .connectUnary: try resolveConnect(head, methods: methods)
        default: throw CallPlan.unsupportedMediaType(head.fields)
        }
    }

    private static func detect(_ head: borrowing RequestHead, pathNamesMethod: Bool)
        -> ClientProtocol
    {
        guard let index = head.fields.firstIndex(of: .contentType) else {
            return pathNamesMethod ? .unsupportedContentType : .rest
        }
        return .detect(contentType: head.fields.value(at: index), pathNamesMethod: pathNamesMethod)
    }

    private mutating func resolveGRPC(_ head: borrowing RequestHead) throws(Status) {
        guard head.version == .http2 else {
            throw Status(.internal, "gRPC needs HTTP/2", httpStatus: 505, reason: "http2_required")
        }
        if let index = head.fields.firstIndex(of: .grpcEncoding) {
            isCompressed = !head.fields.value(at: index).isEqual(to: "identity")
        }
    }

    private func resolveConnect(_ head: borrowing RequestHead, methods: MethodTable) throws(Status)
    {
        guard isUnary(in: methods) else {
            throw CallPlan.unsupportedMediaType(head.fields)
        }
        if let index = head.fields.firstIndex(of: .connectProtocolVersion),
            !head.fields.value(at: index).isEqual(to: "1")
        {
            throw Status(
                .invalidArgument, "connect-protocol-version must be 1",
                reason: "bad_protocol_version")
        }
        try CallPlan.refuseContentEncoding(head.fields)
    }

    private mutating func resolveRoute(
        _ head: borrowing RequestHead, methods: MethodTable, match: inout RouteMatch
    ) throws(Status) {
        switch methods.routes.match(method: head.method, path: head.path, into: &match) {
        case .route(let route):
            self.route = route
            method = methods.bindings[Int(route)].method
        case .notFound: throw .routeNotFound
        case .methodNotAllowed:
            throw .methodNotAllowed(allow: methods.routes.allowedMethods(path: head.path))
        case .malformedPath(let offset):
            throw Status(
                .invalidArgument, "the path has a malformed percent-encoding at offset \(offset)",
                reason: "malformed_path")
        }
        guard isUnary(in: methods) else {
            throw Status(
                .unimplemented, "streaming methods are not offered by REST yet; call them by gRPC",
                reason: "streaming_not_supported")
        }
        try CallPlan.refuseContentEncoding(head.fields)
    }

    private static func refuseContentEncoding(_ fields: borrowing Fields) throws(Status) {
        guard let index = fields.firstIndex(of: .contentEncoding),
            !fields.value(at: index).isEqual(to: "identity")
        else { return }
        throw Status(
            .unimplemented,
            "the content-encoding '\(String(copying: fields.value(at: index)))' is not supported",
            httpStatus: 415, reason: "unsupported_content_encoding")
    }

    private static func unsupportedMediaType(_ fields: borrowing Fields) -> Status {
        var named = "none"
        if let index = fields.firstIndex(of: .contentType) {
            named = String(copying: fields.value(at: index))
        }
        return .rest(
            415, "the content type '\(named)' is not served for this method",
            reason: "unsupported_content_type")
    }

    /// The smallest of the ways in which a client may limit the call (SEMANTICS a.9).
    private static func timeout(in fields: borrowing Fields) throws(Status) -> Int64? {
        var smallest: Int64?
        for index in 0..<fields.count {
            let parsed: Int64?
            switch fields.known(at: index) {
            case .grpcTimeout: parsed = Timeout.parse(grpc: fields.value(at: index))
            case .connectTimeoutMs:
                parsed = Timeout.parse(connectMilliseconds: fields.value(at: index))
            case .xServerTimeout: parsed = Timeout.parse(serverSeconds: fields.value(at: index))
            default: continue
            }
            guard let parsed else {
                throw Status(
                    .invalidArgument,
                    "\(String(copying: fields.name(at: index))): '\(String(copying: fields.value(at: index)))' is not a timeout",
                    reason: "bad_timeout")
            }
            smallest = min(smallest ?? parsed, parsed)
        }
        return smallest
    }

    // MARK: Towards the upstream

    /// Appends the head of the upstream request: pseudo-fields, the timeout, what gRPC needs, then metadata (SEMANTICS d.1).
    public func appendUpstreamHead(
        from head: borrowing RequestHead, methods: MethodTable, authority: String,
        scheme: StaticString,
        remainingNanoseconds: Int64?, to fields: inout Fields
    ) {
        let path = methods.methods[Int(method)].path
        fields.append(":method", "POST" as StaticString)
        fields.append(":scheme", scheme)
        fields.append(":path", path.span)
        fields.append(":authority", authority)
        if let remainingNanoseconds {
            fields.append(.grpcTimeout) {
                Timeout.formatGRPC(nanoseconds: remainingNanoseconds, into: &$0)
            }
        }
        fields.append(.te, "trailers")
        fields.append(.contentType, GRPC.contentType)
        let isGRPC = clientProtocol == .grpc(.proto)
        for index in 0..<head.fields.count {
            let known = head.fields.known(at: index)
            if isGRPC, known == .grpcEncoding || known == .grpcAcceptEncoding {
                fields.append(known, head.fields.value(at: index))
                continue
            }
            guard CallPlan.isForwarded(known) else { continue }
            let name = head.fields.name(at: index)
            guard known == .userAgent || Metadata.request(name) == .forward,
                Metadata.canCarry(name, head.fields.value(at: index)),
                !CallPlan.isHopByHop(name, in: head.fields)
            else { continue }
            fields.append(name: name, value: head.fields.value(at: index))
        }
    }

    /// Whether a `connection` field names it (RFC 9110 §7.6.1).
    private static func isHopByHop(_ name: Span<UInt8>, in fields: borrowing Fields) -> Bool {
        guard let first = fields.firstIndex(of: .connection) else { return false }
        for index in first..<fields.count where fields.known(at: index) == .connection {
            if fields.value(at: index).listContains(name) { return true }
        }
        return false
    }

    /// Whether a field that the gateway knows may be metadata; all but these few are never forwarded.
    private static func isForwarded(_ known: KnownField) -> Bool {
        switch known {
        case .other, .accept, .userAgent: true
        default: false
        }
    }
}
