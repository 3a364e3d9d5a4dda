import ProtoRuntime

extension GRPC {
    /// Appends what the head of any request begins with: pseudo-fields and what gRPC needs.
    public static func appendRequestStart(
        path: Span<UInt8>, authority: String, scheme: StaticString, to fields: inout Fields
    ) {
        fields.append(":method", "POST")
        fields.append(":scheme", scheme)
        fields.append(":path", path)
        fields.append(":authority", text: authority)
        fields.append(.te, "trailers")
        fields.append(.contentType, contentType)
    }
}

extension CallPlan {
    /// Appends the head of the upstream request: what all of the method's have in common, `start`, then the timeout
    /// and the client's metadata (SEMANTICS d.1).
    public func appendUpstreamHead(
        _ start: borrowing Fields, from head: borrowing RequestHead, remainingNanoseconds: Int64?,
        to fields: inout Fields
    ) {
        fields.append(contentsOf: start)
        if let remainingNanoseconds {
            fields.append(.grpcTimeout) {
                Timeout.formatGRPC(nanoseconds: remainingNanoseconds, into: &$0)
            }
        }
        for index in 0..<head.fields.count {
            let known = head.fields.known(at: index)
            if known == .grpcEncoding && requestPasses
                || known == .grpcAcceptEncoding && responsePasses
            {
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
        case .other, .accept, .lastEventID, .origin, .userAgent: true
        default: false
        }
    }
}
