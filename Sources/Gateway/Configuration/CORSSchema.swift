extension CORSPolicy {
    /// Decodes the section `cors`.
    convenience init(_ mapping: MappingDecoder) {
        var origins: [Origin] = []
        _ = mapping.required("origins")
        let texts = mapping.texts("origins") ?? []
        for text in texts {
            do throws(Origin.ParseError) {
                origins.append(try Origin(text.value))
            } catch {
                mapping.decoder.report(
                    text.position,
                    "\(mapping.path("origins")): '\(YAMLNode.shortened(text.value))': \(error.message)"
                )
            }
        }
        let allowsCredentials = mapping.boolean("credentials") ?? false
        let age = mapping.duration("max_age", in: 0...24 * Configuration.hour)
        mapping.finish()
        if allowsCredentials, let any = texts.first(where: { $0.value == "*" }) {
            mapping.decoder.report(
                any.position,
                "\(mapping.path("origins")): with credentials, * would let any page act as its user; "
                    + "name the origins")
        }
        self.init(
            origins: origins, allowsCredentials: allowsCredentials,
            maxAgeSeconds: age.map { Int($0 / Configuration.second) } ?? CORSPolicy.maxAgeSeconds)
    }
}
