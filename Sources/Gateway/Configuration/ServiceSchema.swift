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
        if let options = mapping.mapping("json") { json = JSONOptions(options) }
        if let options = mapping.mapping("rest") { decodeREST(options) }
        if let node = mapping.value("rules") {
            let path = mapping.path("rules")
            for (index, item) in mapping.decoder.items(node, path).enumerated() {
                guard let rule = mapping.decoder.mapping(item, "\(path)[\(index)]") else {
                    continue
                }
                if let decoded = HTTPRule(rule, depth: 0) {
                    rules.append(Located(value: decoded, position: item.position))
                }
            }
        }
        mapping.unsupported("stream", "sse", "metadata")
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

    private mutating func decodeREST(_ mapping: MappingDecoder) {
        let queries: [(String, RESTOptions.UnknownQuery)] = [
            ("reject", .reject), ("ignore", .ignore),
        ]
        if let value = mapping.choice("unknown_query", queries) { rest.unknownQuery = value }
        if let names = mapping.texts("ignore_query") { rest.ignoredQuery = names.map(\.value) }
        if let value = mapping.choice("trailing_slash", [("strict", false), ("ignore", true)]) {
            ignoresTrailingSlash = value
        }
        let unescapes: [(String, PercentEncoding.Unescape)] = [
            ("except_slash", .exceptSlash), ("except_reserved", .exceptReserved), ("all", .all),
        ]
        if let value = mapping.choice("unescape", unescapes) { rest.unescape = value }
        mapping.unsupported("stream", "patch_mask", "empty_status")
        mapping.finish()
    }
}

extension JSONOptions {
    init(_ mapping: MappingDecoder) {
        self.init()
        if let value = mapping.choice(
            "unknown_fields", [("ignore", UnknownFields.ignore), ("reject", .reject)])
        {
            unknownFields = value
        }
        if let value = mapping.choice("defaults", [("omit", Defaults.omit), ("emit", .emit)]) {
            defaults = value
        }
        if let value = mapping.choice(
            "enums", [("name", Enums.name), ("number", .number), ("stripped", .stripped)])
        {
            enums = value
        }
        if let value = mapping.choice("int64", [("string", Int64.string), ("number", .number)]) {
            int64 = value
        }
        if let value = mapping.choice("names", [("json", Names.json), ("proto", .proto)]) {
            names = value
        }
        if let value = mapping.integer("indent", in: 0...16) { indent = value }
        mapping.finish()
    }
}

extension HTTPRule {
    /// google.api.HttpRule by its proto names; nil when it has no pattern.
    init?(_ mapping: MappingDecoder, depth: Int) {
        let selector = depth == 0 ? mapping.requiredText("selector")?.value : ""
        let pattern = HTTPRule.pattern(mapping)
        self.init(
            selector: selector ?? "", httpMethod: pattern?.method, path: pattern?.path ?? "",
            body: mapping.text("body")?.value ?? "",
            responseBody: mapping.text("response_body")?.value ?? "")
        if depth == 0, let node = mapping.value("additional_bindings") {
            let path = mapping.path("additional_bindings")
            for (index, item) in mapping.decoder.items(node, path).enumerated() {
                guard let binding = mapping.decoder.mapping(item, "\(path)[\(index)]"),
                    let rule = HTTPRule(binding, depth: 1)
                else { continue }
                additionalBindings.append(rule)
            }
        }
        mapping.finish()
        if selector == nil || pattern == nil { return nil }
    }

    /// Exactly one of the HTTP methods, or `custom`.
    private static func pattern(_ mapping: MappingDecoder) -> (method: String, path: String)? {
        var found: [(method: String, path: String)] = []
        var isBroken = false
        for key in ["get", "put", "post", "delete", "patch"] {
            guard mapping.value(key) != nil else { continue }
            if let text = mapping.text(key) {
                found.append((key.uppercased(), text.value))
            } else {
                isBroken = true
            }
        }
        if let custom = mapping.mapping("custom") {
            let kind = custom.requiredText("kind")
            let path = custom.requiredText("path")
            custom.finish()
            if let kind, let path {
                found.append((kind.value, path.value))
            } else {
                isBroken = true
            }
        }
        guard found.count != 1 else { return found[0] }
        if !isBroken || found.count > 1 {
            mapping.decoder.report(
                mapping.position,
                "\(mapping.path): exactly one of get, put, post, delete, patch and custom is needed"
            )
        }
        return nil
    }
}
