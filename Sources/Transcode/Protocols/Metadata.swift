/// What becomes of one request or response field on its way through the gateway.
public enum FieldDisposition: Equatable, Sendable {
    case forward
    /// Belongs to one connection, to the client's protocol or to the gateway itself.
    case drop
    /// `user-agent`: an upstream gets the gateway's own, before it the client's where both sides speak gRPC.
    case userAgent
}

/// gRPC metadata and the fields that may pass between the two sides.
///
/// Names are compared without regard to ASCII case. Fields that a `connection` field names are
/// hop-by-hop too; the HTTP/1.1 side removes those, since only it sees that field.
public enum Metadata {
    /// Whether gRPC can carry the name: `[0-9a-z_.-]+`.
    public static func isValidName(_ name: Span<UInt8>) -> Bool {
        guard name.count > 0 else { return false }
        for index in name.indices {
            switch name[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                continue
            default: return false
            }
        }
        return true
    }

    /// Whether gRPC can carry the value as it is: 0x20...0x7E. Space around it is the caller's to trim.
    public static func isValidValue(_ value: Span<UInt8>) -> Bool {
        for index in value.indices where value[index] < 0x20 || value[index] > 0x7E {
            return false
        }
        return true
    }

    /// Whether gRPC can carry the field: upstreams answer another name, or a `-bin` value that is not base64, with
    /// INTERNAL, so it is left out (SEMANTICS a.9). Values beyond ASCII are HTTP's and accepted by them; they pass.
    public static func canCarry(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
        isValidName(name) && (!isBinary(name) || BinaryMetadata.isValidList(value))
    }

    /// Whether the value is base64: the name ends in `-bin`.
    public static func isBinary(_ name: Span<UInt8>) -> Bool {
        hasSuffix(name, "-bin")
    }

    /// For a field of the client's request on its way upstream.
    public static func request(_ name: Span<UInt8>) -> FieldDisposition {
        guard name.count > 0, name[0] != UInt8(ascii: ":") else { return .drop }
        if passingGRPC.contains(name) { return .forward }
        if hasReservedPrefix(name) || hasPrefix(name, "content-") { return .drop }
        if requestOnly.contains(name) || hopByHop.contains(name) { return .drop }
        return NameTable.lowercased(name[0]) == UInt8(ascii: "u") && userAgent.contains(name)
            ? .userAgent : .forward
    }

    /// For a field of the upstream's response or trailers on its way to the client.
    ///
    /// `content-disposition` and `content-language` pass: they describe a raw body (HttpBody) that the
    /// gateway itself does not know more of.
    public static func response(_ name: Span<UInt8>) -> FieldDisposition {
        guard name.count > 0, name[0] != UInt8(ascii: ":") else { return .drop }
        if passingGRPC.contains(name) { return .forward }
        if hasReservedPrefix(name) { return .drop }
        if responseOnly.contains(name) || hopByHop.contains(name) { return .drop }
        return .forward
    }

    /// Of `grpc-*` only what applications and interceptors exchange.
    private static let passingGRPC = NameTable(
        [
            "grpc-previous-rpc-attempts", "grpc-retry-pushback-ms", "grpc-trace-bin",
            "grpc-tags-bin",
        ], foldsCase: true)

    /// RFC 9110 §7.6.1, with what stands in old lists.
    private static let hopByHop = NameTable(
        [
            "connection", "proxy-connection", "keep-alive", "te", "trailer", "trailers",
            "transfer-encoding", "upgrade", "http2-settings", "proxy-authenticate",
            "proxy-authorization", "proxy-authentication-info", "date",
        ], foldsCase: true)

    /// Consumed by the gateway, or marks of the client's protocol.
    private static let requestOnly = NameTable(
        ["host", "expect", "accept-encoding", "x-grpc-web", "x-server-timeout"], foldsCase: true)

    /// Set by the gateway itself. `gateway-error` tells its errors from the upstream's.
    private static let responseOnly = NameTable(
        [
            "content-type", "content-length", "content-encoding", "content-range",
            "accept-encoding", "accept-post", "gateway-error", "alt-svc", "server",
        ], foldsCase: true)

    private static let userAgent = NameTable(["user-agent"], foldsCase: true)

    private static func hasReservedPrefix(_ name: Span<UInt8>) -> Bool {
        switch NameTable.lowercased(name[0]) {
        case UInt8(ascii: "g"): hasPrefix(name, "grpc-")
        case UInt8(ascii: "c"): hasPrefix(name, "connect-")
        case UInt8(ascii: "t"): hasPrefix(name, "trailer-connect-")
        default: false
        }
    }

    private static func hasPrefix(_ name: Span<UInt8>, _ prefix: String) -> Bool {
        let prefix = prefix.utf8Span.span
        return name.count >= prefix.count
            && isEqual(name.extracting(0..<prefix.count), prefix)
    }

    private static func hasSuffix(_ name: Span<UInt8>, _ suffix: String) -> Bool {
        let suffix = suffix.utf8Span.span
        return name.count >= suffix.count
            && isEqual(name.extracting(name.count - suffix.count..<name.count), suffix)
    }

    private static func isEqual(_ name: Span<UInt8>, _ expected: Span<UInt8>) -> Bool {
        for index in expected.indices where NameTable.lowercased(name[index]) != expected[index] {
            return false
        }
        return true
    }
}
