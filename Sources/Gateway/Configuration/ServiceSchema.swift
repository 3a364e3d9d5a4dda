import Transcode

extension ServiceConfiguration {
    /// Decodes one entry of `services`; nil when it lacks what it must have.
    init?(_ mapping: MappingDecoder, upstreamNames: [(name: String, index: Int?)]?) {
        let upstream = ServiceConfiguration.upstream(mapping, upstreamNames)
        let descriptors = ServiceConfiguration.descriptors(mapping)
        position = mapping.position
        expose = mapping.texts("expose") ?? []
        self.upstream = upstream ?? 0
        self.descriptors = descriptors ?? .reflection(mapping.position)
        for pattern in expose where !ServiceConfiguration.isPattern(pattern.value) {
            mapping.decoder.report(
                pattern.position,
                "\(mapping.path("expose")): '\(YAMLNode.shortened(pattern.value))' is no pattern: write "
                    + "pkg.Service.Method, pkg.Service.*, pkg.* or *")
        }
        if let options = mapping.mapping("json") { JSONOverrides(options).apply(to: &json) }
        if let options = mapping.mapping("rest") { RESTOverrides(options).apply(to: &rest) }
        StreamOverrides(stream: mapping.mapping("stream"), sse: mapping.mapping("sse"))
            .apply(to: &stream)
        streamPosition = mapping.value("sse")?.position ?? mapping.position
        methods = mapping.mappings("methods").compactMap { MethodConfiguration($0) }
        rules = mapping.mappings("rules").compactMap { rule in
            ConfiguredRule(rule).map { Located(value: $0, position: rule.position) }
        }
        metadata = mapping.mapping("metadata").map { MetadataConfiguration($0) }
        mapping.finish()
        if upstream == nil || descriptors == nil { return nil }
    }

    private static func upstream(
        _ mapping: MappingDecoder, _ names: [(name: String, index: Int?)]?
    ) -> Int? {
        guard let text = mapping.requiredText("upstream"), let names else { return nil }
        if let found = names.first(where: { $0.name == text.value }) { return found.index }
        let hint = Spelling.hint(text.value, among: names.map(\.name))
        mapping.decoder.report(
            text.position,
            "\(mapping.path("upstream")): there is no upstream '\(YAMLNode.shortened(text.value))'\(hint)"
        )
        return nil
    }

    private static func descriptors(_ mapping: MappingDecoder) -> DescriptorSource? {
        guard let node = mapping.required("descriptors"),
            let source = mapping.decoder.mapping(node, mapping.path("descriptors"))
        else { return nil }
        let file = source.text("file")
        let reflection = source.boolean("reflection")
        let hasReflection = source.value("reflection") != nil
        source.finish()
        if file != nil, reflection == true {
            source.decoder.report(
                node.position, "\(source.path): 'file' and 'reflection' exclude each other")
        }
        if let file { return .file(file) }
        if reflection == true { return .reflection(node.position) }
        if !hasReflection, source.all.allSatisfy({ $0.key != "file" }) || reflection == false {
            source.decoder.report(
                node.position,
                "\(source.path): 'file' is missing: a FileDescriptorSet with its imports; or write 'reflection: true'"
            )
        }
        return nil
    }

    /// Names between dots, the last of which may be a star.
    static func isPattern(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if part == "*", index == parts.count - 1 { continue }
            guard UpstreamConfiguration.isName(String(part)), !part.contains("-") else {
                return false
            }
        }
        return true
    }
}
