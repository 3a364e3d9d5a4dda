import Transcode

/// A section about further attempts of a call: `retry`, `hedging`.
protocol AttemptsSection {
    init()
    /// Takes the members that are the section's own.
    mutating func decode(_ mapping: MappingDecoder)
}

extension AttemptsSection {
    /// Decodes the section of methods.
    init(_ mapping: MappingDecoder) {
        self.init()
        decode(mapping)
        mapping.finish()
    }

    /// Decodes the section of an upstream, which says as well how many further attempts that one gets.
    init(_ mapping: MappingDecoder, throttle: inout ThrottleOptions) {
        self.init()
        decode(mapping)
        throttle.decode(mapping)
        mapping.finish()
    }
}

extension RetryOverrides: AttemptsSection {
    /// Where a section stands that does not say how many.
    static let usualAttempts = 3

    mutating func decode(_ mapping: MappingDecoder) {
        let times = 1_000_000...Configuration.hour
        attemptsMax = mapping.integer("max_attempts", in: 1...5)
        initialBackoff = mapping.duration("initial_backoff", in: times)
        maxBackoff = mapping.duration("max_backoff", in: times)
        multiplier = mapping.decimal("multiplier", in: 1...100)
        requestBytesMax = mapping.size("request", in: 1 << 10...64 << 20)
        codes = mapping.statusCodes("codes", atLeast: 1)
    }
}

extension ThrottleOptions {
    mutating func decode(_ mapping: MappingDecoder) {
        if let value = mapping.integer("tokens", in: 1...1000) { tokensMax = value }
        if let value = mapping.decimal("token_ratio", in: 0.001...1000) {
            ratioThousandths = Int(value * 1000)
        }
    }
}

extension MappingDecoder {
    /// A list of status codes by their names, of which OK is none.
    func statusCodes(_ key: String, atLeast least: Int) -> StatusCodeSet? {
        guard let texts = texts(key) else { return nil }
        var found: StatusCodeSet = []
        for text in texts {
            let name = text.value.uppercased()
            let known = StatusCode.allCases.first { $0 != .ok && $0.name == name }
            if let known {
                found.insert(StatusCodeSet(known))
            } else {
                let names = StatusCode.allCases.filter { $0 != .ok }.map(\.name)
                decoder.report(
                    text.position,
                    "\(path(key)): '\(YAMLNode.shortened(text.value))' is no status code"
                        + Spelling.hint(name, among: names))
            }
        }
        if texts.count < least { decoder.report(position, "\(path(key)): at least one is needed") }
        return found
    }

    /// Reports the member `key` where `other` stands as well.
    func exclude(_ key: String, beside other: String) {
        guard let member = all.first(where: { $0.key == key }),
            all.contains(where: { $0.key == other })
        else { return }
        decoder.report(member.position, "\(path(key)): '\(key)' and '\(other)' exclude each other")
    }
}
