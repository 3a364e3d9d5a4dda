/// Where an upstream is: an address, or a name that stands for addresses.
public enum UpstreamTarget: Sendable, Equatable, CustomStringConvertible {
    case address(SocketAddress)
    /// A name to be resolved, by `server` where that is given, else as the system is configured.
    case name(host: String, port: UInt16, server: SocketAddress?)
    /// A name whose SRV records say which hosts and ports there are (RFC 2782).
    case services(name: String, server: SocketAddress?)

    /// Reads `host:port`, `dns:///host:port`, `dns://SERVER[:PORT]/host:port`, the same with `srv:` and no port, or
    /// `unix:/path`.
    public init(_ text: String) throws(SocketAddress.ParseError) {
        if text.hasPrefix("unix:") {
            self = .address(try SocketAddress(unix: text))
            return
        }
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            throw .init(description: "'\(text)': \(scheme) is not supported here; write HOST:PORT")
        }
        if text.hasPrefix("srv:") {
            let (rest, server) = try UpstreamTarget.server(
                in: text.dropFirst("srv:".count), of: text, form: "NAME")
            guard HostPort.isName(rest) else {
                throw .init(
                    description: "'\(text)': expected srv:///NAME or srv://SERVER/NAME, no port")
            }
            self = .services(name: String(rest), server: server)
            return
        }
        guard text.hasPrefix("dns:") else {
            self = try UpstreamTarget.target(HostPort(text), text, server: nil)
            return
        }
        let (rest, server) = try UpstreamTarget.server(
            in: text.dropFirst("dns:".count), of: text, form: "HOST:PORT")
        self = try UpstreamTarget.target(HostPort(String(rest)), text, server: server)
    }

    /// Splits `//SERVER/REST`, where it has that form.
    private static func server(
        in rest: Substring, of text: String, form: String
    ) throws(SocketAddress.ParseError) -> (rest: Substring, server: SocketAddress?) {
        guard rest.hasPrefix("//") else { return (rest, nil) }
        let rest = rest.dropFirst(2)
        let scheme = text.prefix { $0 != ":" }
        guard let slash = rest.firstIndex(of: "/") else {
            throw .init(
                description:
                    "'\(text)': expected \(scheme):///\(form) or \(scheme)://SERVER/\(form)")
        }
        let server =
            slash == rest.startIndex ? nil : try UpstreamTarget.server(rest[..<slash], of: text)
        return (rest[rest.index(after: slash)...], server)
    }

    private static func target(
        _ name: HostPort, _ text: String, server: SocketAddress?
    ) throws(SocketAddress.ParseError) -> UpstreamTarget {
        guard name.port != 0 else {
            throw .init(description: "'\(text)': port 0 cannot be connected to")
        }
        if let address = SocketAddress(numericHost: name.host, port: name.port) {
            return .address(address)
        }
        return .name(host: name.host, port: name.port, server: server)
    }

    /// A DNS server is an address: a name would need another server.
    private static func server(
        _ text: Substring, of target: String
    ) throws(SocketAddress.ParseError) -> SocketAddress {
        if let address = SocketAddress(numericHost: String(text), port: 53) { return address }
        if let name = try? HostPort(String(text)),
            let address = SocketAddress(numericHost: name.host, port: name.port)
        {
            return address
        }
        throw .init(description: "'\(target)': the DNS server '\(text)' is no IP address")
    }

    /// `host:port` as HTTP/2's `:authority` says it; of SRV records the domain that has them.
    public var authority: String {
        switch self {
        case .address(let address): address.isUnix ? "localhost" : address.description
        case .name(let host, let port, _): "\(UpstreamTarget.withoutDot(host)):\(port)"
        case .services(let name, _): UpstreamTarget.domain(ofServices: name)
        }
    }

    /// The name or numeric address that a certificate may be for; nil for a Unix socket.
    var host: String? {
        switch self {
        case .address(let address) where address.isUnix: nil
        case .address, .name: authority.lastIndex(of: ":").map { String(authority[..<$0]) }
        case .services: authority
        }
    }

    /// "library.test" of "_grpc._tcp.library.test.".
    private static func domain(ofServices name: String) -> String {
        let labels = withoutDot(name).split(separator: ".", omittingEmptySubsequences: false)
        return labels.drop { $0.hasPrefix("_") }.joined(separator: ".")
    }

    private static func withoutDot(_ host: String) -> String {
        host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    public var description: String {
        switch self {
        case .address(let address): address.description
        case .name(let host, let port, nil): "dns:///\(host):\(port)"
        case .name(let host, let port, let server?): "dns://\(server)/\(host):\(port)"
        case .services(let name, nil): "srv:///\(name)"
        case .services(let name, let server?): "srv://\(server)/\(name)"
        }
    }
}

/// What a reactor makes a channel of.
public struct UpstreamPlan: Sendable {
    /// As messages name it.
    public var name: String
    /// At least one.
    public let targets: [UpstreamTarget]
    /// How its connections are secured; nil means plain.
    public var tls: TLSClientContext?
    public private(set) var options: UpstreamOptions
    let shared: UpstreamShared

    public init(
        name: String, targets: [UpstreamTarget], tls: TLSClientContext? = nil,
        options: UpstreamOptions = UpstreamOptions()
    ) {
        self.name = name
        self.targets = targets
        self.tls = tls
        self.options = options
        shared = UpstreamShared(options, targets: targets)
    }

    /// The same for those who ask what the upstream has, whether it serves or not.
    var withoutHealth: UpstreamPlan {
        var plan = self
        plan.options.health = nil
        return plan
    }
}
