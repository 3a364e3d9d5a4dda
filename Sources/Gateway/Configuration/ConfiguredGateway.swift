public import Transcode

/// What a configuration file makes of its descriptors: everything that a server needs, checked as a whole.
public struct ConfiguredGateway: Sendable {
    public let configuration: Configuration
    public let methods: MethodTable
    public let upstreams: [UpstreamPlan]
    /// By the index of the listener; nil for plain HTTP.
    public let listenerTLS: [TLSServerContext?]
    public let settings: ServerSettings

    /// Reads the descriptor sets, certificates and keys, and builds the method table.
    /// - Parameters:
    ///   - name: the configuration file, for messages.
    ///   - path: places a path of the file, which may be relative.
    ///   - readFile: reads a descriptor set from a path as it stands in the file.
    /// - Throws: everything that is wrong, at the places in the configuration that it comes from.
    public init(
        _ configuration: Configuration, file name: String, path: @escaping (String) -> String,
        readFile: (String) throws(ConfigurationFileError) -> [UInt8]
    ) throws(ConfigurationError) {
        var assembly = ConfigurationAssembly(configuration)
        var certificates = CertificateLoading(path: path)
        let methods = assembly.methodTable(readFile: readFile)
        listenerTLS = configuration.listeners.indices.map {
            certificates.listener(configuration, $0)
        }
        upstreams = configuration.upstreams.map { upstream in
            UpstreamPlan(
                name: upstream.name, targets: upstream.targets, tls: certificates.upstream(upstream)
            )
        }
        let problems = assembly.problems + certificates.problems
        guard let methods, problems.isEmpty else {
            throw ConfigurationError(
                file: name, problems: problems.stablySorted { $0.position < $1.position })
        }
        self.configuration = configuration
        self.methods = methods
        settings = ServerSettings(configuration)
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
        drainNanoseconds = configuration.drain.timeoutNanoseconds
        http1.headBytesMax = limits.headersBytesMax
        http1.targetBytesMax = min(http1.targetBytesMax, limits.headersBytesMax)
        http2.headerListBytesMax = limits.headersBytesMax
        http2.streamsMax = UInt32(clamping: limits.streamsPerConnectionMax)
        http2.resetsPerSecond = UInt64(clamping: limits.resetsPerSecondMax)
        upstreamHTTP2.headerListBytesMax = limits.headersBytesMax
    }
}
