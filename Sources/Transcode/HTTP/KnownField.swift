import Glibc
import ProtoRuntime

/// The field names that the gateway itself reads, recognised once when a field is received.
public enum KnownField: UInt8, Sendable, BitwiseCopyable {
    case other
    case accept, acceptEncoding, connectAcceptEncoding, connectContentEncoding
    case connectProtocolVersion, connectTimeoutMs, connection
    case contentEncoding, contentLength, contentType, date, expect, grpcAcceptEncoding, grpcEncoding
    case grpcMessage, grpcStatus, grpcStatusDetailsBin, grpcTimeout, host, keepAlive, lastEventID,
        origin
    case proxyConnection, te, trailer, transferEncoding, upgrade, userAgent, xServerTimeout
    /// What is said of the client; `xForwardedOther` is any other name that begins like these.
    case forwarded, xForwardedClientCert, xForwardedFor, xForwardedHost, xForwardedProto
    case xForwardedOther, xRequestID

    /// Which known field a lower-case name is; `other` for all the rest.
    public init(name: Span<UInt8>) {
        self = .other
        for candidate in KnownField.candidates(ofLength: name.count)
        where name.isEqual(to: candidate.text) {
            self = candidate
            return
        }
        if name.hasPrefix(KnownField.forwardingPrefix) { self = .xForwardedOther }
    }

    private static let forwardingPrefix: StaticString = "x-forwarded-"

    /// Whether it tells of the client, or of the request as a whole, and only the gateway and proxies that it trusts may
    /// say it.
    public var isForwarding: Bool {
        switch self {
        case .forwarded, .xForwardedClientCert, .xForwardedFor, .xForwardedHost, .xForwardedProto,
            .xForwardedOther, .xRequestID:
            true
        default: false
        }
    }

    /// The name as it is sent, lower-case.
    public var text: StaticString {
        switch self {
        case .other, .xForwardedOther: ""
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .connectAcceptEncoding: "connect-accept-encoding"
        case .connectContentEncoding: "connect-content-encoding"
        case .connectProtocolVersion: "connect-protocol-version"
        case .connectTimeoutMs: "connect-timeout-ms"
        case .connection: "connection"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .date: "date"
        case .expect: "expect"
        case .grpcAcceptEncoding: "grpc-accept-encoding"
        case .grpcEncoding: "grpc-encoding"
        case .grpcMessage: "grpc-message"
        case .grpcStatus: "grpc-status"
        case .grpcStatusDetailsBin: "grpc-status-details-bin"
        case .grpcTimeout: "grpc-timeout"
        case .host: "host"
        case .keepAlive: "keep-alive"
        case .lastEventID: "last-event-id"
        case .origin: "origin"
        case .proxyConnection: "proxy-connection"
        case .te: "te"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        case .xServerTimeout: "x-server-timeout"
        case .forwarded: "forwarded"
        case .xForwardedClientCert: "x-forwarded-client-cert"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedHost: "x-forwarded-host"
        case .xForwardedProto: "x-forwarded-proto"
        case .xRequestID: "x-request-id"
        }
    }

    private static func candidates(ofLength length: Int) -> InlineCandidates {
        switch length {
        case 2: InlineCandidates(.te)
        case 4: InlineCandidates(.host, .date)
        case 6: InlineCandidates(.accept, .expect, .origin)
        case 7: InlineCandidates(.upgrade, .trailer)
        case 9: InlineCandidates(.forwarded)
        case 10: InlineCandidates(.connection, .userAgent, .keepAlive)
        case 11: InlineCandidates(.grpcStatus)
        case 12: InlineCandidates(.contentType, .grpcTimeout, .grpcMessage, .xRequestID)
        case 13: InlineCandidates(.grpcEncoding, .lastEventID)
        case 14: InlineCandidates(.contentLength)
        case 15: InlineCandidates(.acceptEncoding, .xForwardedFor)
        case 16:
            InlineCandidates(.contentEncoding, .proxyConnection, .xServerTimeout, .xForwardedHost)
        case 17: InlineCandidates(.transferEncoding, .xForwardedProto)
        case 18: InlineCandidates(.connectTimeoutMs)
        case 20: InlineCandidates(.grpcAcceptEncoding)
        case 23:
            InlineCandidates(.grpcStatusDetailsBin, .connectAcceptEncoding, .xForwardedClientCert)
        case 24: InlineCandidates(.connectProtocolVersion, .connectContentEncoding)
        default: InlineCandidates()
        }
    }
}

/// Up to four candidates, without an array.
private struct InlineCandidates: Sequence, IteratorProtocol {
    var first: KnownField?
    var second: KnownField?
    var third: KnownField?
    var fourth: KnownField?

    init(
        _ first: KnownField? = nil, _ second: KnownField? = nil, _ third: KnownField? = nil,
        _ fourth: KnownField? = nil
    ) {
        self.first = first
        self.second = second
        self.third = third
        self.fourth = fourth
    }

    mutating func next() -> KnownField? {
        defer {
            first = second
            second = third
            third = fourth
            fourth = nil
        }
        return first
    }
}

extension Span<UInt8> {
    /// Whether the bytes are exactly those of `text`.
    public func isEqual(to text: StaticString) -> Bool {
        let count = count
        guard count == text.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(start, text.utf8Start, count) == 0
        }
    }

    public func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        return unsafe withUnsafeBufferPointer { bytes in
            unsafe other.withUnsafeBufferPointer { others in
                guard let start = bytes.baseAddress, let other = others.baseAddress else {
                    return true
                }
                return unsafe memcmp(start, other, bytes.count) == 0
            }
        }
    }

    /// Compares with lower-case `text`, ignoring the case of ASCII letters: as a whole first, since nearly all is sent in
    /// lower case, then from the end, where names that are alike differ.
    public func isEqualIgnoringCase(to text: StaticString) -> Bool {
        if isEqual(to: text) { return true }
        guard count == text.utf8CodeUnitCount else { return false }
        for index in indices.reversed()
        where unsafe NameTable.lowercased(self[index]) != text.utf8Start[index] {
            return false
        }
        return true
    }

    /// Index of the first `byte` in `from..<to`, or nil.
    public func firstIndex(of byte: UInt8, from: Int, to: Int) -> Int? {
        guard from < to else { return nil }
        return unsafe extracting(from..<to).withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress,
                let found = unsafe memchr(start, Int32(byte), bytes.count)
            else { return nil }
            return unsafe from + (UnsafeRawPointer(found) - UnsafeRawPointer(start))
        }
    }

    /// Whether the bytes begin with those of `text`.
    public func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        return extracting(0..<text.utf8CodeUnitCount).isEqual(to: text)
    }

    /// Whether a comma-separated list names `item`, which is lower-case, in any case (RFC 9110 §5.6.1).
    public func listContains(_ item: Span<UInt8>) -> Bool {
        var start = 0
        while start <= count {
            var end = start
            while end < count, self[end] != UInt8(ascii: ",") { end += 1 }
            var from = start
            var to = end
            while from < to, self[from] == 32 || self[from] == 9 { from += 1 }
            while to > from, self[to - 1] == 32 || self[to - 1] == 9 { to -= 1 }
            if extracting(from..<to).isEqualIgnoringCase(to: item) { return true }
            start = end + 1
        }
        return false
    }

    private func isEqualIgnoringCase(to lower: Span<UInt8>) -> Bool {
        guard count == lower.count else { return false }
        for index in 0..<count {
            guard NameTable.lowercased(self[index]) == lower[index] else { return false }
        }
        return true
    }
}
