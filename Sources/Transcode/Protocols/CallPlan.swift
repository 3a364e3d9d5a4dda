import ProtoRuntime

/// What a request's head decides about a call: its protocol, its method, its time, its codings.
public struct CallPlan: Sendable {
    /// Index of the method in the method table; -1 until resolved.
    public private(set) var method: Int32 = -1
    /// Index of the REST route; -1 where the call came by none.
    public private(set) var route: Int32 = -1
    public private(set) var clientProtocol = ClientProtocol.rest
    /// What the client grants, in nanoseconds; nil when it says nothing.
    public private(set) var timeout: Int64?
    /// What the client's messages, or its whole body, may be compressed with.
    public private(set) var requestCoding = ContentCoding.identity
    /// Whether the client's messages are the upstream's: envelopes around protobuf, and no coding that upstreams
    /// may not know.
    public private(set) var requestPasses = false
    /// What messages to the client may be compressed with.
    public private(set) var responseCoding = ContentCoding.identity
    /// Whether the upstream's messages are the client's, and it is told which codings the client takes.
    public private(set) var responsePasses = false
    /// A client of gRPC-Web wants base64.
    public private(set) var answersAsText = false
    /// How a REST server stream's messages follow each other; nil for other calls.
    public private(set) var streamForm: StreamForm?

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
        switch clientProtocol {
        case .grpc, .grpcWeb: nil
        default: method >= 0 ? methods.methods[Int(method)].timeoutDefault : nil
        }
    }

    /// Nanoseconds that the call may take: what the client grants, at most what is configured (SEMANTICS a.9); nil
    /// when there is no limit.
    public func timeLimit(in methods: MethodTable) -> Int64? {
        let wanted = timeout ?? defaultTimeout(in: methods)
        guard method >= 0 else { return wanted }
        let always = methods.methods[Int(method)].options.timeoutAlways
        guard let limit = wanted ?? always else { return nil }
        let maximum = methods.methods[Int(method)].options.timeoutMax ?? .max
        return min(limit, maximum, always ?? .max)
    }

    /// Bytes of one message of the request where the method has a limit of its own.
    public func requestBytesMax(in methods: MethodTable) -> Int {
        method >= 0 ? methods.methods[Int(method)].options.requestBytesMax : .max
    }

    /// The same of the answer.
    public func responseBytesMax(in methods: MethodTable) -> Int {
        method >= 0 ? methods.methods[Int(method)].options.responseBytesMax : .max
    }

    /// Reads the head. The protocol is known afterwards even when this throws, so that the error can take its shape.
    public mutating func resolve(
        _ head: borrowing RequestHead, methods: MethodTable, match: RouteMatch
    ) throws(Status) {
        let named = methods.index(ofPath: head.path)
        clientProtocol = CallPlan.detect(head, methods: methods, named: named)
        answersAsText = CallPlan.wantsText(head.fields, clientProtocol)
        timeout = try CallPlan.timeout(in: head.fields)
        if clientProtocol == .rest {
            try resolveRoute(head, methods: methods, match: match)
            return
        }
        guard named >= 0 else {
            throw Status(
                .unimplemented, "this gateway knows no method \(String(copying: head.path))",
                httpStatus: 404,
                reason: "method_not_found")
        }
        method = named
        if case .connectGet = clientProtocol { return try resolveConnectGet(head) }
        guard head.method.isEqual(to: "POST") else {
            let allowsGet = CallPlan.allowsGet(methods.methods[Int(named)])
            throw .methodNotAllowed(allow: allowsGet ? "GET, POST" : "POST")
        }
        switch clientProtocol {
        case .grpc, .grpcWeb: try resolveGRPC(head)
        case .connectUnary: try resolveConnectUnary(head, methods: methods)
        case .connectStreaming: try resolveConnectStreaming(head, methods: methods)
        case .connectGet, .rest, .unsupportedContentType: throw .unsupportedMediaType(head.fields)
        }
    }

    private static func detect(
        _ head: borrowing RequestHead, methods: MethodTable, named: Int32
    ) -> ClientProtocol {
        if named >= 0, CallPlan.allowsGet(methods.methods[Int(named)]),
            head.method.isEqual(to: "GET") || head.method.isEqual(to: "HEAD")
        {
            return .connectGet(.json)
        }
        guard let index = head.fields.firstIndex(of: .contentType) else {
            return named >= 0 ? .unsupportedContentType : .rest
        }
        return .detect(contentType: head.fields.value(at: index), pathNamesMethod: named >= 0)
    }

    /// Only unary methods without side effects (SEMANTICS c.5).
    private static func allowsGet(_ method: Method) -> Bool {
        method.kind == .unary && method.descriptor.hasNoSideEffects
    }

    /// Base64 where `accept` names gRPC-Web as text, or names no gRPC-Web at all and the request is text (SEMANTICS e).
    private static func wantsText(
        _ fields: borrowing Fields, _ clientProtocol: ClientProtocol
    ) -> Bool {
        guard case .grpcWeb(_, let isText) = clientProtocol else { return false }
        guard let first = fields.firstIndex(of: .accept) else { return isText }
        for index in first..<fields.count where fields.known(at: index) == .accept {
            var list = AcceptList(fields.value(at: index))
            while let item = list.next() {
                let type = list.text.extracting(item.name)
                if MediaType.hasPrefix(type, "application/grpc-web-text") { return true }
                if MediaType.hasPrefix(type, "application/grpc-web") { return false }
            }
        }
        return isText
    }

    // MARK: The protocols

    private mutating func resolveGRPC(_ head: borrowing RequestHead) throws(Status) {
        if case .grpc = clientProtocol, head.version != .http2 {
            throw Status(.internal, "gRPC needs HTTP/2", httpStatus: 505, reason: "http2_required")
        }
        requestCoding = try known(
            ContentCoding.named(by: .grpcEncoding, in: head.fields), .grpcEncoding, head.fields)
        responseCoding = .accepted(by: .grpcAcceptEncoding, in: head.fields)
        guard clientProtocol.codec == .proto else { return }
        requestPasses = CallPlan.isUpstreamCoding(requestCoding)
        responsePasses = CallPlan.isUpstreamCoding(responseCoding)
    }

    /// What every gRPC server knows. To send another is not only refused: servers on gRPC's C core keep an unknown
    /// `grpc-encoding` in their connection's header table, and then refuse other clients' calls too.
    private static func isUpstreamCoding(_ coding: ContentCoding) -> Bool {
        coding == .identity || coding == .gzip || coding == .deflate
    }

    private mutating func resolveConnectUnary(
        _ head: borrowing RequestHead, methods: MethodTable
    ) throws(Status) {
        guard isUnary(in: methods) else { throw .unsupportedMediaType(head.fields) }
        try CallPlan.checkConnectVersion(head.fields)
        requestCoding = try known(
            ContentCoding.named(by: .contentEncoding, in: head.fields), .contentEncoding,
            head.fields)
        responseCoding = .accepted(by: .acceptEncoding, in: head.fields)
    }

    private mutating func resolveConnectGet(_ head: borrowing RequestHead) throws(Status) {
        try CallPlan.checkConnectVersion(head.fields)
        let query = try ConnectGet(head.query)
        if let codec = query.codec { clientProtocol = .connectGet(codec) }
        requestCoding = query.coding
        responseCoding = .accepted(by: .acceptEncoding, in: head.fields)
    }

    private mutating func resolveConnectStreaming(
        _ head: borrowing RequestHead, methods: MethodTable
    ) throws(Status) {
        guard !isUnary(in: methods) else { throw .unsupportedMediaType(head.fields) }
        try CallPlan.checkConnectVersion(head.fields)
        requestCoding = try known(
            ContentCoding.named(by: .connectContentEncoding, in: head.fields),
            .connectContentEncoding, head.fields)
        responseCoding = .accepted(by: .connectAcceptEncoding, in: head.fields)
        requestPasses = clientProtocol.codec == .proto && requestCoding == .identity
    }

    private mutating func resolveRoute(
        _ head: borrowing RequestHead, methods: MethodTable, match: RouteMatch
    ) throws(Status) {
        switch methods.routes.match(method: head.method, path: head.path, into: match) {
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
        streamForm = methods.bindings[Int(route)].stream?.form(for: head.fields)
        let coding = ContentCoding.named(by: .contentEncoding, in: head.fields)
        requestCoding = try known(coding, .contentEncoding, head.fields)
        if methods.bindings[Int(route)].compresses {
            responseCoding = .accepted(by: .acceptEncoding, in: head.fields)
        }
    }

    private static func checkConnectVersion(_ fields: borrowing Fields) throws(Status) {
        if let index = fields.firstIndex(of: .connectProtocolVersion),
            !fields.value(at: index).isEqual(to: "1")
        {
            throw Status(
                .invalidArgument, "connect-protocol-version must be 1",
                reason: "bad_protocol_version")
        }
    }

    /// The coding, if it is one that can be taken off; 415 on REST (RFC 9110 §15.5.16), UNIMPLEMENTED elsewhere.
    private func known(
        _ coding: ContentCoding?, _ field: KnownField, _ fields: borrowing Fields
    ) throws(Status) -> ContentCoding {
        // "deflate" means two things in HTTP, and one in gRPC.
        if let coding, coding != .deflate || isGRPC { return coding }
        var named = ""
        if let index = fields.firstIndex(of: field) {
            named = String(copying: fields.value(at: index))
        }
        throw clientProtocol == .rest
            ? .unsupportedContentEncoding(named) : .unsupportedCoding(named)
    }

    /// The smallest of the ways in which a client may limit the call (SEMANTICS a.9).
    private static func timeout(in fields: borrowing Fields) throws(Status) -> Int64? {
        if fields.hasNone(of: .grpcTimeout, .connectTimeoutMs, .xServerTimeout) { return nil }
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
}

extension Status {
    static func unsupportedMediaType(_ fields: borrowing Fields) -> Status {
        var named = "none"
        if let index = fields.firstIndex(of: .contentType) {
            named = String(copying: fields.value(at: index))
        }
        return .rest(
            415, "the content type '\(named)' is not served for this method",
            reason: "unsupported_content_type")
    }

    /// The response says by `accept-encoding` or its kin which codings are supported.
    static func unsupportedCoding(_ name: String) -> Status {
        Status(.unimplemented, text(unsupportedCoding: name), reason: unsupportedCodingReason)
    }

    /// The same on REST (RFC 9110 §15.5.16).
    static func unsupportedContentEncoding(_ name: String) -> Status {
        .rest(415, text(unsupportedCoding: name), reason: unsupportedCodingReason)
    }

    private static func text(unsupportedCoding name: String) -> String {
        "the compression '\(name)' is not supported; supported are \(ContentCoding.supported)"
    }

    static let unsupportedCodingReason = "unsupported_content_encoding"
}
