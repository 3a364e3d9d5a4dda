import Transcode

extension ConfiguredRule {
    /// Decodes one entry of `rules`; nil when it lacks what it must have.
    init?(_ mapping: MappingDecoder) {
        let appends = mapping.boolean("append")
        let json = mapping.mapping("json").map { JSONOverrides($0) }
        let rest = mapping.mapping("rest").map { RESTOverrides($0) }
        guard let rule = HTTPRule(mapping, depth: 0) else { return nil }
        self.init(rule, appends: appends ?? false)
        if let json { self.json = json }
        if let rest { self.rest = rest }
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
        if depth == 0 {
            additionalBindings = mapping.mappings("additional_bindings").compactMap {
                HTTPRule($0, depth: 1)
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
