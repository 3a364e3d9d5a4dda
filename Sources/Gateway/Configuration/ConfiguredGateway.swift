public import Transcode

/// What a configuration file makes of its descriptors: everything that a server needs, checked as a whole.
public struct ConfiguredGateway: Sendable {
    public let configuration: Configuration
    /// Without the services that are yet to be learned by reflection.
    public private(set) var methods: MethodTable
    public let upstreams: [UpstreamPlan]
    /// By the index of the listener; nil for plain HTTP.
    public let listenerTLS: [TLSServerContext?]
    public let settings: ServerSettings
    private let file: String
    private var assembly: ConfigurationAssembly

    /// Reads the descriptor sets, certificates and keys, and builds the method table. Connects nothing.
    /// - Parameters:
    ///   - name: the configuration file, for messages.
    ///   - path: places a path of the file, which may be relative.
    ///   - readFile: reads a descriptor set from a path as it stands in the file.
    /// - Throws: everything that is wrong, at the places in the configuration that it comes from.
    public init(
        _ configuration: Configuration, file name: String, path: @escaping (String) -> String,
        readFile: (String) throws(ConfigurationFileError) -> [UInt8]
    ) throws(ConfigurationError) {
        assembly = ConfigurationAssembly(configuration, readFile: readFile)
        var certificates = CertificateLoading(path: path)
        var built = assembly
        let methods = built.methodTable()
        listenerTLS = configuration.listeners.indices.map {
            certificates.listener(configuration, $0)
        }
        upstreams = configuration.upstreams.enumerated().map { index, upstream in
            UpstreamPlan(
                name: upstream.name, targets: upstream.targets,
                tls: certificates.upstream(upstream), options: built.options(ofUpstream: index))
        }
        self.methods = try ConfiguredGateway.checked(
            methods, built.problems + certificates.problems, file: name)
        self.configuration = configuration
        file = name
        settings = ServerSettings(configuration)
    }

    /// Upstreams whose services are yet to be learned by reflection, as indices in `upstreams`.
    public var upstreamsToLearn: [Int] { assembly.upstreamsToLearn }

    /// The same with the services of these upstreams, by their indices.
    /// - Throws: what the configuration says that does not fit them.
    public func learning(_ reflected: [Int: ReflectedServices]) throws(ConfigurationError)
        -> ConfiguredGateway
    {
        var learned = self
        for (upstream, services) in reflected { learned.assembly.learn(services, from: upstream) }
        var built = learned.assembly
        let methods = built.methodTable()
        learned.methods = try ConfiguredGateway.checked(methods, built.problems, file: file)
        return learned
    }

    private static func checked(
        _ methods: MethodTable?, _ problems: [ConfigurationProblem], file: String
    ) throws(ConfigurationError) -> MethodTable {
        guard let methods, problems.isEmpty else {
            throw ConfigurationError(
                file: file, problems: problems.stablySorted { $0.position < $1.position })
        }
        return methods
    }
}

extension ServerSettings {
    init(_ configuration: Configuration) {
        self.init()
        let limits = configuration.limits
        messageBytesMax = limits.messageBytesMax
        idleNanoseconds = limits.idleNanoseconds
        headNanoseconds = limits.requestHeadersNanoseconds
        stalledNanoseconds = limits.stalledNanoseconds
        connectionsMax = limits.connectionsMax
        clientKeepalive = Keepalive(
            time: configuration.http2.keepaliveTime > 0 ? configuration.http2.keepaliveTime : nil,
            timeout: configuration.http2.keepaliveTimeout)
        http1AllowsHalfClose = configuration.http1.allowsHalfClose
        trustedProxies = configuration.trustedProxies
        cors = configuration.cors
        drainNanoseconds = configuration.drain.timeoutNanoseconds
        http1.headBytesMax = limits.headersBytesMax
        http1.targetBytesMax = min(http1.targetBytesMax, limits.headersBytesMax)
        http2.headerListBytesMax = limits.headersBytesMax
        http2.streamsMax = UInt32(clamping: limits.streamsPerConnectionMax)
        http2.resetsPerSecond = UInt64(clamping: limits.resetsPerSecondMax)
        upstreamHTTP2.headerListBytesMax = limits.headersBytesMax
    }
}
