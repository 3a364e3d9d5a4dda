extension Configuration {
    /// Seconds, as nanoseconds.
    static let second: Int64 = 1_000_000_000
    static let hour = 3_600 * second

    /// Decodes a file's bytes.
    /// - Parameters:
    ///   - environment: looks up `${NAME}`.
    ///   - file: reads `${file:/path}`.
    /// - Throws: everything that is wrong, at once.
    public init(
        decoding bytes: [UInt8], file name: String,
        environment: @escaping (String) -> String?,
        file: @escaping (String) throws(ConfigurationFileError) -> String
    ) throws(ConfigurationError) {
        self.init()
        let (root, problems) = YAMLDocument.read(bytes)
        let decoder = ConfigurationDecoder(
            expansion: Expansion(environment: environment, file: file))
        if let root, let top = decoder.mapping(root, "") { decode(top) }
        let all = problems + decoder.problems
        guard all.isEmpty else {
            throw ConfigurationError(
                file: name, problems: all.stablySorted { $0.position < $1.position })
        }
    }

    private mutating func decode(_ top: MappingDecoder) {
        decodeListeners(top)
        let names = decodeUpstreams(top)
        decodeServices(top, upstreamNames: names)
        if let mapping = top.mapping("limits") { limits = LimitsConfiguration(mapping) }
        if let mapping = top.mapping("http1") {
            if let value = mapping.boolean("allow_half_close") { http1.allowsHalfClose = value }
            mapping.finish()
        }
        if let mapping = top.mapping("http2") {
            if let keepalive = mapping.mapping("keepalive") {
                http2 = HTTP2Configuration(keepalive)
            }
            mapping.finish()
        }
        if let mapping = top.mapping("drain") {
            if let timeout = mapping.duration("timeout", in: 0...24 * Configuration.hour) {
                drain.timeoutNanoseconds = timeout
            }
            mapping.unsupported("delay")
            mapping.finish()
        }
        if let mapping = top.mapping("log") {
            let levels = LogConfiguration.Level.allCases.map { ($0.rawValue, $0) }
            if let level = mapping.choice("level", levels) { log.level = level }
            mapping.unsupported("access")
            mapping.finish()
        }
        decodeTrustedProxies(top)
        if let mapping = top.mapping("cors") { cors = CORSPolicy(mapping) }
        top.unsupported("admin")
        top.finish()
    }

    private mutating func decodeTrustedProxies(_ top: MappingDecoder) {
        for text in top.texts("trusted_proxies") ?? [] {
            if text.value == "unix" {
                trustedProxies.trustsUnix = true
                continue
            }
            do throws(ProxyNetwork.ParseError) {
                trustedProxies.networks.append(try ProxyNetwork(text.value))
            } catch {
                top.decoder.report(text.position, "trusted_proxies: \(error.message)")
            }
        }
    }

    // MARK: Listeners

    private mutating func decodeListeners(_ top: MappingDecoder) {
        guard let node = top.required("listeners") else { return }
        let items = top.decoder.items(node, "listeners")
        if items.isEmpty, node.isListOrNull {
            top.decoder.report(node.position, "listeners: at least one is needed")
        }
        for (index, item) in items.enumerated() {
            let path = "listeners[\(index)]"
            guard let mapping = top.decoder.mapping(item, path) else { continue }
            decodeListener(mapping)
        }
    }

    private mutating func decodeListener(_ mapping: MappingDecoder) {
        let address = mapping.requiredText("address")
        let tls = mapping.mapping("tls").flatMap { ListenerTLSConfiguration($0) }
        mapping.finish()
        guard let address else { return }
        let decoder = mapping.decoder
        do throws(SocketAddress.ParseError) {
            let name = try HostPort(address.value, allowsUnix: true)
            let first = listeners.first { $0.address.value == address.value }
            if let first, name.port != 0 {
                decoder.report(
                    address.position,
                    "\(mapping.path("address")): '\(address.value)' stands twice, first in line "
                        + "\(first.address.position.line)")
            }
        } catch {
            decoder.report(address.position, "\(mapping.path("address")): \(error)")
        }
        listeners.append(ListenerConfiguration(address: address, tls: tls))
    }

    // MARK: Upstreams

    /// - Returns: every name, also of upstreams that could not be decoded, with its index or nil; nil when there are no
    ///   names to compare with.
    private mutating func decodeUpstreams(_ top: MappingDecoder) -> [(name: String, index: Int?)]? {
        guard let node = top.required("upstreams"),
            let mapping = top.decoder.mapping(node, "upstreams")
        else { return nil }
        if mapping.all.isEmpty {
            top.decoder.report(node.position, "upstreams: at least one is needed")
            return nil
        }
        var names: [(name: String, index: Int?)] = []
        for member in mapping.all {
            let path = "upstreams.\(YAMLNode.shortened(member.key))"
            var index: Int?
            if let upstream = top.decoder.mapping(member.value, path),
                let decoded = UpstreamConfiguration(upstream, name: member.key, at: member.position)
            {
                index = upstreams.count
                upstreams.append(decoded)
            }
            names.append((member.key, index))
        }
        return names
    }

    // MARK: Services

    private mutating func decodeServices(
        _ top: MappingDecoder, upstreamNames: [(name: String, index: Int?)]?
    ) {
        guard let node = top.required("services") else { return }
        let items = top.decoder.items(node, "services")
        if items.isEmpty, node.isListOrNull {
            top.decoder.report(node.position, "services: at least one is needed")
        }
        for (index, item) in items.enumerated() {
            guard let mapping = top.decoder.mapping(item, "services[\(index)]") else { continue }
            if let service = ServiceConfiguration(mapping, upstreamNames: upstreamNames) {
                services.append(service)
            }
        }
    }
}

extension ListenerTLSConfiguration {
    init?(_ mapping: MappingDecoder) {
        let certificate = mapping.requiredText("certificate")
        let key = mapping.requiredText("key")
        clientCA = mapping.text("client_ca")
        mapping.finish()
        guard let certificate, let key else { return nil }
        self.certificate = certificate
        self.key = key
    }
}

extension HTTP2Configuration {
    /// Decodes `http2.keepalive`.
    init(_ mapping: MappingDecoder) {
        self.init()
        let times = 0...24 * Configuration.hour
        if let time = mapping.duration("time", in: times) { keepaliveTime = time }
        if let timeout = mapping.duration(
            "timeout", in: Configuration.second / 10...Configuration.hour)
        {
            keepaliveTimeout = timeout
        }
        mapping.finish()
    }
}

extension LimitsConfiguration {
    init(_ mapping: MappingDecoder) {
        self.init()
        if let value = mapping.size("message", in: 1 << 10...1 << 30) { messageBytesMax = value }
        if let value = mapping.size("headers", in: 1 << 10...1 << 20) { headersBytesMax = value }
        if let value = mapping.integer("streams_per_connection", in: 1...100_000) {
            streamsPerConnectionMax = value
        }
        if let value = mapping.integer("connections", in: 1...10_000_000) { connectionsMax = value }
        if let value = mapping.integer("resets_per_second", in: 1...1_000_000) {
            resetsPerSecondMax = value
        }
        let times = Configuration.second...24 * Configuration.hour
        if let value = mapping.duration("idle", in: times) { idleNanoseconds = value }
        if let value = mapping.duration("request_headers", in: times) {
            requestHeadersNanoseconds = value
        }
        if let value = mapping.duration("stalled", in: times) { stalledNanoseconds = value }
        mapping.unsupported("memory")
        mapping.finish()
    }
}

extension YAMLNode {
    /// Whether an empty list of items has not been reported as the wrong kind.
    var isListOrNull: Bool {
        if case .sequence = content { return true }
        return isNull
    }
}

extension Array {
    /// Sorts; equals keep their order.
    func stablySorted(by isBefore: (Element, Element) -> Bool) -> [Element] {
        enumerated().sorted { left, right in
            if isBefore(left.element, right.element) { return true }
            if isBefore(right.element, left.element) { return false }
            return left.offset < right.offset
        }.map(\.element)
    }
}
