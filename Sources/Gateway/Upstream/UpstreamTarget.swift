/// Where an upstream is: an address, or a name that stands for addresses.
public enum UpstreamTarget: Sendable, Equatable, CustomStringConvertible {
    case address(SocketAddress)
    /// A name to be resolved, by `server` where that is given, else as the system is configured.
    case name(host: String, port: UInt16, server: SocketAddress?)

    /// Reads `host:port`, `dns:///host:port`, `dns://SERVER[:PORT]/host:port` or `unix:/path`.
    public init(_ text: String) throws(SocketAddress.ParseError) {
        if text.hasPrefix("unix:") {
            self = .address(try SocketAddress(unix: text))
            return
        }
        for scheme in ["https://", "http://"] where text.hasPrefix(scheme) {
            throw .init(description: "'\(text)': \(scheme) is not supported here; write HOST:PORT")
        }
        guard text.hasPrefix("dns:") else {
            let name = try HostPort(text)
            self = try UpstreamTarget.target(name, text, server: nil)
            return
        }
        var rest = text.dropFirst("dns:".count)
        var server: SocketAddress?
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            guard let slash = rest.firstIndex(of: "/") else {
                throw .init(
                    description: "'\(text)': expected dns:///HOST:PORT or dns://SERVER/HOST:PORT")
            }
            if slash != rest.startIndex {
                server = try UpstreamTarget.server(rest[..<slash], of: text)
            }
            rest = rest[rest.index(after: slash)...]
        }
        let name = try HostPort(String(rest))
        self = try UpstreamTarget.target(name, text, server: server)
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

    /// `host:port` as HTTP/2's `:authority` says it.
    public var authority: String {
        switch self {
        case .address(let address): address.isUnix ? "localhost" : address.description
        case .name(let host, let port, _):
            "\(host.hasSuffix(".") ? String(host.dropLast()) : host):\(port)"
        }
    }

    /// The name or numeric address that a certificate may be for; nil for a Unix socket.
    var host: String? {
        if case .address(let address) = self, address.isUnix { return nil }
        return authority.lastIndex(of: ":").map { String(authority[..<$0]) }
    }

    public var description: String {
        switch self {
        case .address(let address): address.description
        case .name(let host, let port, nil): "dns:///\(host):\(port)"
        case .name(let host, let port, let server?): "dns://\(server)/\(host):\(port)"
        }
    }
}

/// What a reactor makes a channel of.
public struct UpstreamPlan: Sendable {
    /// As messages name it.
    public var name: String
    /// At least one.
    public var targets: [UpstreamTarget]
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
        shared = UpstreamShared(options)
    }

    /// The same for those who ask what the upstream has, whether it serves or not.
    var withoutHealth: UpstreamPlan {
        var plan = self
        plan.options.health = nil
        return plan
    }
}
