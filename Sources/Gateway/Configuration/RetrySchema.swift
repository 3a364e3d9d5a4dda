import Transcode

extension RetryOverrides {
    /// Where a section stands that does not say how many.
    static let usualAttempts = 3

    /// Decodes the section `retry` of methods.
    init(_ mapping: MappingDecoder) {
        self.init()
        decode(mapping)
        mapping.finish()
    }

    /// Decodes the section `retry` of an upstream.
    init(_ mapping: MappingDecoder, throttle: inout ThrottleOptions) {
        self.init()
        decode(mapping)
        if let value = mapping.integer("tokens", in: 1...1000) { throttle.tokensMax = value }
        if let value = mapping.decimal("token_ratio", in: 0.001...1000) {
            throttle.ratioThousandths = Int(value * 1000)
        }
        mapping.finish()
    }

    private mutating func decode(_ mapping: MappingDecoder) {
        let times = 1_000_000...Configuration.hour
        attemptsMax = mapping.integer("max_attempts", in: 1...5)
        initialBackoff = mapping.duration("initial_backoff", in: times)
        maxBackoff = mapping.duration("max_backoff", in: times)
        multiplier = mapping.decimal("multiplier", in: 1...100)
        requestBytesMax = mapping.size("request", in: 1 << 10...64 << 20)
        guard let texts = mapping.texts("codes") else { return }
        let path = mapping.path("codes")
        var found: StatusCodeSet = []
        for text in texts {
            let name = text.value.uppercased()
            let known = StatusCode.allCases.first { $0 != .ok && $0.name == name }
            if let known {
                found.insert(StatusCodeSet(known))
            } else {
                let names = StatusCode.allCases.filter { $0 != .ok }.map(\.name)
                mapping.decoder.report(
                    text.position,
                    "\(path): '\(YAMLNode.shortened(text.value))' is no status code"
                        + Spelling.hint(name, among: names))
            }
        }
        if texts.isEmpty {
            mapping.decoder.report(mapping.position, "\(path): at least one is needed")
        }
        codes = found
    }
}
