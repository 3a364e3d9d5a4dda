public import Transcode

/// `services[].metadata`: which metadata passes, each way.
public struct MetadataConfiguration: Sendable, Equatable {
    public var request = MetadataRuleSet()
    public var response = MetadataRuleSet()
}

extension MetadataConfiguration {
    private enum Direction { case request, response }

    /// The keys as they are written; what is left out is nil.
    private struct Keys {
        var allow: [String]?
        var deny: [String]?
        var rename: [MetadataRuleSet.Rename]?

        init(_ mapping: MappingDecoder, for directions: [Direction]) {
            allow = MetadataConfiguration.patterns("allow", mapping, directions)
            deny = MetadataConfiguration.patterns("deny", mapping, directions)
            rename = MetadataConfiguration.renames(mapping, directions)
        }
    }

    init(_ mapping: MappingDecoder) {
        let both = Keys(mapping, for: [.request, .response])
        request = MetadataConfiguration.rules(mapping, "request", .request, both)
        response = MetadataConfiguration.rules(mapping, "response", .response, both)
        mapping.finish()
    }

    /// What is written for one direction replaces what is written for both.
    private static func rules(
        _ mapping: MappingDecoder, _ key: String, _ direction: Direction, _ both: Keys
    ) -> MetadataRuleSet {
        let own = mapping.mapping(key).map { inner in
            let keys = Keys(inner, for: [direction])
            inner.finish()
            return keys
        }
        var rules = MetadataRuleSet()
        rules.allow = own?.allow ?? both.allow ?? []
        rules.deny = own?.deny ?? both.deny ?? []
        rules.rename = own?.rename ?? both.rename ?? []
        return rules
    }

    private static func patterns(
        _ key: String, _ mapping: MappingDecoder, _ directions: [Direction]
    ) -> [String]? {
        guard let texts = mapping.texts(key) else { return nil }
        var patterns: [String] = []
        for text in texts {
            let pattern = text.value.lowercased()
            let name = pattern.hasSuffix("*") ? String(pattern.dropLast()) : pattern
            let isPattern = pattern.hasSuffix("*")
            let shown = "\(mapping.path(key)): '\(YAMLNode.shortened(text.value))'"
            if !isName(name), !(isPattern && name.isEmpty) {
                mapping.decoder.report(
                    text.position,
                    "\(shown) is no name of metadata: letters, digits, '_', '-' and '.', and a last '*'"
                )
            } else if !isPattern, neverPasses(name, directions) {
                mapping.decoder.report(text.position, "\(shown) never passes")
            } else {
                patterns.append(pattern)
            }
        }
        return patterns
    }

    private static func renames(
        _ mapping: MappingDecoder, _ directions: [Direction]
    ) -> [MetadataRuleSet.Rename]? {
        guard let inner = mapping.mapping("rename") else { return nil }
        var renames: [MetadataRuleSet.Rename] = []
        for member in inner.all {
            let path = inner.path(YAMLNode.shortened(member.key))
            guard let value = inner.decoder.text(member.value, path) else { continue }
            let (from, to) = (member.key.lowercased(), value.lowercased())
            if let problem = problem(from, to, renames, directions) {
                inner.decoder.report(member.position, "\(path): \(problem)")
            } else {
                renames.append(MetadataRuleSet.Rename(from: from, to: to))
            }
        }
        return renames
    }

    private static func problem(
        _ from: String, _ to: String, _ others: [MetadataRuleSet.Rename], _ directions: [Direction]
    ) -> String? {
        for name in [from, to] {
            let shown = "'\(YAMLNode.shortened(name))'"
            if !isName(name) { return "\(shown) is no name of metadata" }
            if neverPasses(name, directions) { return "\(shown) never passes" }
        }
        if KnownField(name: to.utf8Span.span).isForwarding { return "'\(to)' is the gateway's own" }
        if from.hasSuffix("-bin") != to.hasSuffix("-bin") {
            return "only both names, or none, may end in '-bin'"
        }
        if from == to { return "both names are the same" }
        if others.contains(where: { $0.to == to }) { return "another name becomes '\(to)' too" }
        return nil
    }

    private static func isName(_ name: String) -> Bool { Metadata.isValidName(name.utf8Span.span) }

    private static func neverPasses(_ name: String, _ directions: [Direction]) -> Bool {
        directions.allSatisfy { direction in
            switch direction {
            case .request: Metadata.request(name.utf8Span.span) == .drop
            case .response: Metadata.response(name.utf8Span.span) == .drop
            }
        }
    }
}
