/// What a listener needs to speak TLS: paths of PEM files.
public struct TLSServerSettings: Sendable, Equatable {
    /// The server's certificate, then the intermediate ones, up to but not necessarily with the root.
    public var certificate: String
    /// The private key of the first certificate, without passphrase.
    public var key: String
    /// Roots of client certificates. Where it is set, a client must have one.
    public var clientCA: String?

    public init(certificate: String, key: String, clientCA: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientCA = clientCA
    }
}

/// What a connection to an upstream needs to speak TLS: paths of PEM files and the name to verify.
public struct TLSClientSettings: Sendable, Equatable {
    /// The name or IP address that the upstream's certificate must be for; also sent as SNI, unless an address.
    public var serverName: String
    /// Roots of the upstream's certificate; the system's where nil.
    public var ca: String?
    /// Our own certificate, with the intermediate ones; goes with `key`.
    public var certificate: String?
    public var key: String?
    /// Nanoseconds between two looks at whether the files have changed; 0: they are read once.
    public var rereadInterval: Int64 = 10_000_000_000

    public init(
        serverName: String, ca: String? = nil, certificate: String? = nil, key: String? = nil
    ) {
        self.serverName = serverName
        self.ca = ca
        self.certificate = certificate
        self.key = key
    }

    /// What is read, as paths; the system's roots are none of them.
    var files: [String] { [ca, certificate, key].compactMap { $0 } }

    /// `serverName` as certificates have it: no brackets, no dot at the end.
    var verifiedName: String {
        var name = serverName[...]
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        if name.hasSuffix(".") { name = name.dropLast() }
        return String(name)
    }
}
