public import Transcode

/// A configuration file as typed values, defaults filled in. What each key means: docs/configuration.md.
public struct Configuration: Sendable, Equatable {
    public var listeners: [ListenerConfiguration] = []
    /// In the order of the file.
    public var upstreams: [UpstreamConfiguration] = []
    public var services: [ServiceConfiguration] = []
    public var limits = LimitsConfiguration()
    public var http1 = HTTP1Configuration()
    public var http2 = HTTP2Configuration()
    public var trustedProxies = TrustedProxies()
    public var cors: CORSPolicy?
    public var drain = DrainConfiguration()
    public var log = LogConfiguration()
}

/// What clients of HTTP/1.1 may do.
public struct HTTP1Configuration: Sendable, Equatable {
    /// A client that has sent FIN behind its request is answered; otherwise it is gone.
    public var allowsHalfClose = false
}

/// How clients of HTTP/2 with calls in flight are asked whether they live.
public struct HTTP2Configuration: Sendable, Equatable {
    /// Nanoseconds without a byte of theirs before a PING; 0: never.
    public var keepaliveTime: Int64 = 30_000_000_000
    /// Nanoseconds that they have to answer.
    public var keepaliveTimeout: Int64 = 20_000_000_000
}

/// One address that is listened on.
public struct ListenerConfiguration: Sendable, Equatable {
    /// HOST:PORT or unix:/PATH.
    public var address: Located<String>
    public var tls: ListenerTLSConfiguration?
}

/// PEM files of a listener.
public struct ListenerTLSConfiguration: Sendable, Equatable {
    public var certificate: Located<String>
    public var key: Located<String>
    /// Clients must show a certificate of one of these authorities.
    public var clientCA: Located<String>?
}

/// One upstream by its name.
public struct UpstreamConfiguration: Sendable, Equatable {
    public var name: String
    public var position: SourcePosition
    /// At least one.
    public var targets: [UpstreamTarget]
    public var tls: UpstreamTLSConfiguration?
    /// Nanoseconds of a unary call whose client names no timeout; nil is no limit.
    public var timeoutDefault: Int64? = 15_000_000_000
    /// Nanoseconds that no client's timeout exceeds; nil is no limit.
    public var timeoutMax: Int64?
    /// A gRPC service config, as a file of JSON.
    public var serviceConfig: Located<String>?
    /// The keys of the section, nested ones as "key.key": what the service config says counts where they are not among them.
    public var keys: Set<String> = []
    /// Nanoseconds in which its reflection must tell its services at the start, where an entry wants that.
    public var reflectionTimeout: Int64 = 10_000_000_000
    /// Nanoseconds after which it is asked again; 0: only when its connections come back.
    public var reflectionInterval: Int64 = 300_000_000_000
    public var options = UpstreamOptions()
    public var retry = RetryPolicy()
    public var hedging: HedgingPolicy?
}

/// PEM files towards an upstream; the system's roots where `ca` is nil.
public struct UpstreamTLSConfiguration: Sendable, Equatable {
    public var position: SourcePosition
    public var ca: Located<String>?
    public var certificate: Located<String>?
    public var key: Located<String>?
    /// What the certificate must be for; the target's host where it is nil.
    public var serverName: Located<String>?
    /// Nanoseconds between two looks at whether the files have changed; 0: they are read once.
    public var rereadInterval: Int64 = 10_000_000_000
}

/// Services that one upstream serves.
public struct ServiceConfiguration: Sendable, Equatable {
    public var position: SourcePosition
    /// Index in `Configuration.upstreams`.
    public var upstream: Int
    public var descriptors: DescriptorSource
    /// Which methods are served: `pkg.Service.Method`, `pkg.Service.*`, `pkg.*` or `*`; all when there are none.
    public var expose: [Located<String>]
    public var json = JSONOptions()
    public var rest = RESTOptions()
    public var stream = StreamOptions()
    /// Where `sse` stands.
    public var streamPosition = SourcePosition(line: 0, column: 0)
    public var metadata: MetadataConfiguration?
    /// In the order in which they apply.
    public var methods: [MethodConfiguration] = []
    public var rules: [Located<ConfiguredRule>] = []
}

/// What differs for some methods of an entry of `services`.
public struct MethodConfiguration: Sendable, Equatable {
    /// `pkg.Service.Method`, `pkg.Service`, `pkg.Service.*`, `pkg.*` or `*`.
    public var selector: Located<String>
    public var json = JSONOverrides()
    public var rest = RESTOverrides()
    public var stream = StreamOverrides()
    /// Where `sse` stands.
    public var streamPosition = SourcePosition(line: 0, column: 0)
    public var timeout = TimeoutOverrides()
    public var retry = RetryOverrides()
    public var hedging: HedgingOverrides?
}

/// Time limits that a section names, in nanoseconds; nil where it names none.
public struct TimeoutOverrides: Sendable, Equatable {
    public var chosen: Int64?
    public var maximum: Int64?

    init() {}
}

/// Where descriptors come from.
public enum DescriptorSource: Sendable, Equatable {
    /// A FileDescriptorSet.
    case file(Located<String>)
    /// The upstream itself, when the gateway starts.
    case reflection(SourcePosition)
}

public struct LimitsConfiguration: Sendable, Equatable {
    public var messageBytesMax = 4 << 20
    public var headersBytesMax = 32 << 10
    public var streamsPerConnectionMax = 128
    public var connectionsMax = 10_000
    public var resetsPerSecondMax = 200
    public var idleNanoseconds: Int64 = 60_000_000_000
    public var requestHeadersNanoseconds: Int64 = 10_000_000_000
    public var stalledNanoseconds: Int64 = 60_000_000_000
}

public struct DrainConfiguration: Sendable, Equatable {
    public var timeoutNanoseconds: Int64 = 30_000_000_000
}

public struct LogConfiguration: Sendable, Equatable {
    /// From the most to the least talkative.
    public enum Level: String, Sendable, Equatable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    public var level = Level.info
}

/// Everything that is wrong with a configuration file, in the order of its lines.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    public var problems: [ConfigurationProblem]

    /// `file:line:column: message`, a line each.
    public var description: String {
        problems.map { "\(file):\($0.position.line):\($0.position.column): \($0.message)" }
            .joined(separator: "\n")
    }
}

/// Why a file that a configuration names cannot be read.
public struct ConfigurationFileError: Error, Sendable, Equatable {
    public var reason: String

    public init(reason: String) { self.reason = reason }
}
