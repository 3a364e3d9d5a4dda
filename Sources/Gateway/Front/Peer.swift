import Transcode

/// The client at the other end of a connection, as upstreams are told of it. Made once a connection; immutable.
final class Peer {
    /// "192.0.2.1" or "2001:db8::1"; empty for a Unix socket.
    let address: [UInt8]
    /// "http" or "https".
    let scheme: StaticString
    /// Whether what it says of a client before it is taken (`trusted_proxies`).
    let isTrusted: Bool
    /// Its certificate, as an element of `x-forwarded-client-cert`; empty when it showed none.
    let certificate: [UInt8]

    /// `x-forwarded-for` and `-proto` as upstreams are told them, unless a trusted proxy has said more.
    let forwarded: Fields

    init(address: String, scheme: StaticString, isTrusted: Bool, certificate: [UInt8] = []) {
        self.address = Array(address.utf8)
        self.scheme = scheme
        self.isTrusted = isTrusted
        self.certificate = certificate
        var forwarded = Fields()
        if !address.isEmpty { forwarded.append(.xForwardedFor, address.utf8Span.span) }
        forwarded.append(.xForwardedProto, scheme)
        self.forwarded = forwarded
    }

    convenience init(_ address: SocketAddress?, tls: TLSStream?, _ trusted: TrustedProxies) {
        self.init(
            address: address?.host ?? "", scheme: tls == nil ? "http" : "https",
            isTrusted: trusted.contains(address),
            certificate: tls.flatMap { ForwardedCertificate.element($0) } ?? [])
    }
}
