import Transcode

extension UpstreamConfiguration {
    /// Decodes one upstream; nil when it has no target that can be read.
    init?(_ mapping: MappingDecoder, name: String, at position: SourcePosition) {
        let decoder = mapping.decoder
        if !UpstreamConfiguration.isName(name) {
            decoder.report(
                position,
                "upstreams: '\(YAMLNode.shortened(name))' is no name: letters, digits, '_', '-' and '.' are"
            )
        }
        self.name = name
        self.position = position
        targets = UpstreamConfiguration.targets(mapping)
        tls = mapping.mapping("tls").map { UpstreamTLSConfiguration($0) }
        if let timeout = mapping.mapping("timeout") {
            TimeoutOverrides(timeout).apply(default: &timeoutDefault, max: &timeoutMax)
        }
        if let reflection = mapping.mapping("reflection") {
            let range = Configuration.second...Configuration.hour
            if let value = reflection.duration("timeout", in: range) { reflectionTimeout = value }
            if let value = reflection.duration("interval", in: 0...24 * Configuration.hour) {
                reflectionInterval = value
            }
            reflection.finish()
        }
        serviceConfig = mapping.text("service_config")
        keys = mapping.keys
        options = UpstreamOptions(mapping)
        if let section = mapping.mapping("retry") {
            retry.attemptsMax = RetryOverrides.usualAttempts
            RetryOverrides(section, throttle: &options.throttle).apply(to: &retry)
        }
        if let section = mapping.mapping("hedging") {
            HedgingOverrides(section, throttle: &options.throttle).apply(to: &hedging)
        }
        mapping.exclude("hedging", beside: "retry")
        mapping.finish()
        if targets.isEmpty { return nil }
    }

    /// A text with commas between addresses, or a list.
    private static func targets(_ mapping: MappingDecoder) -> [UpstreamTarget] {
        guard mapping.required("target") != nil, let texts = mapping.texts("target") else {
            return []
        }
        let path = mapping.path("target")
        var found: [UpstreamTarget] = []
        for text in texts {
            for piece in text.value.split(separator: ",", omittingEmptySubsequences: false) {
                let name = piece.drop { $0 == " " }
                do throws(SocketAddress.ParseError) {
                    let target = try UpstreamTarget(String(name))
                    if found.contains(target) {
                        mapping.decoder.report(text.position, "\(path): '\(name)' stands twice")
                    }
                    found.append(target)
                } catch {
                    mapping.decoder.report(text.position, "\(path): \(error)")
                }
            }
        }
        if texts.isEmpty, let node = mapping.value("target"), node.isListOrNull,
            mapping.decoder.items(node, path).isEmpty
        {
            mapping.decoder.report(node.position, "\(path): at least one address is needed")
        }
        return found
    }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "_-.".utf8.contains(byte)
                }
            }
    }
}

extension UpstreamTLSConfiguration {
    init(_ mapping: MappingDecoder) {
        ca = mapping.text("ca")
        certificate = mapping.text("certificate")
        key = mapping.text("key")
        serverName = mapping.text("server_name")
        if let value = mapping.duration("reread", in: 0...Configuration.hour) {
            rereadInterval = value
        }
        mapping.finish()
        position = mapping.position
        if (certificate == nil) != (key == nil) {
            mapping.decoder.report(
                mapping.position, "\(mapping.path): 'certificate' and 'key' belong together")
        }
    }
}

extension TimeoutOverrides {
    /// Decodes the section `timeout` of an upstream or of methods.
    init(_ mapping: MappingDecoder) {
        let range = 1_000_000...24 * Configuration.hour
        chosen = mapping.duration("default", in: range)
        maximum = mapping.duration("max", in: range)
        mapping.finish()
        if let chosen, let maximum, chosen > maximum {
            let text = ConfigurationUnits.format(nanoseconds: maximum)
            mapping.decoder.report(
                mapping.position, "\(mapping.path): 'default' is longer than 'max', \(text)")
        }
    }

    /// A maximum without a default also shortens the default that is longer.
    func apply(default timeoutDefault: inout Int64?, max timeoutMax: inout Int64?) {
        if let maximum { timeoutMax = maximum }
        if let chosen {
            timeoutDefault = chosen
        } else if let maximum, let usual = timeoutDefault {
            timeoutDefault = min(usual, maximum)
        }
    }
}
