import Transcode

extension JSONOverrides {
    /// Decodes the section `json` of a service, of methods or of a rule.
    init(_ mapping: MappingDecoder) {
        self.init()
        unknownFields = mapping.choice(
            "unknown_fields", [("ignore", .ignore), ("reject", .reject)])
        defaults = mapping.choice("defaults", [("omit", .omit), ("emit", .emit)])
        enums = mapping.choice(
            "enums", [("name", .name), ("number", .number), ("stripped", .stripped)])
        int64 = mapping.choice("int64", [("string", .string), ("number", .number)])
        names = mapping.choice("names", [("json", .json), ("proto", .proto)])
        indent = mapping.integer("indent", in: 0...16)
        mapping.finish()
    }
}

extension RESTOverrides {
    /// Decodes the section `rest` of a service, of methods or of a rule.
    init(_ mapping: MappingDecoder) {
        self.init()
        unknownQuery = mapping.choice("unknown_query", [("reject", .reject), ("ignore", .ignore)])
        ignoredQuery = mapping.texts("ignore_query")?.map(\.value)
        unescape = mapping.choice(
            "unescape",
            [
                ("except_slash", .exceptSlash), ("except_reserved", .exceptReserved), ("all", .all),
            ])
        checksContentType = mapping.choice("content_type", [("check", true), ("ignore", false)])
        ignoresTrailingSlash = mapping.choice(
            "trailing_slash", [("strict", false), ("ignore", true)])
        fillsPatchMask = mapping.boolean("patch_mask")
        successStatus = mapping.integer("success_status", in: 200...399)
        emptyStatus = mapping.choice("empty_status", [("200", 200), ("204", 204)])
        if let name = mapping.text("status_metadata") {
            statusMetadata = name.value
            if !RESTOverrides.isMetadataName(name.value) {
                mapping.decoder.report(
                    name.position,
                    "\(mapping.path("status_metadata")): '\(YAMLNode.shortened(name.value))' is no name of metadata: "
                        + "lower-case letters, digits, '-', '_' and '.', not grpc-… or …-bin")
            }
        }
        errorFormat = mapping.choice("error_format", [("status", .status), ("aip193", .aip193)])
        if let text = mapping.text("challenge") {
            challenge = text.value
            if text.value.isEmpty || !Metadata.isValidValue(text.value.utf8Span.span) {
                mapping.decoder.report(
                    text.position, "\(mapping.path("challenge")): expected printable ASCII")
            }
        }
        stream = mapping.choice(
            "stream", [("array", .array), ("ndjson", .ndjson), ("sse", .sse)])
        streamEnvelope = mapping.boolean("stream_envelope")
        compresses = mapping.boolean("compression")
        mapping.finish()
    }

    private static func isMetadataName(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("grpc-") && !text.hasSuffix("-bin")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

extension StreamOverrides {
    /// Longest times that make sense: proxies give up long before.
    private static let times = 0...Configuration.hour

    /// Decodes the sections `stream` and `sse` of a service or of methods.
    init(stream: MappingDecoder?, sse: MappingDecoder?) {
        self.init()
        openAfter = stream?.duration("open_after", in: StreamOverrides.times)
        stream?.finish()
        heartbeat = sse?.duration("heartbeat", in: StreamOverrides.times)
        retryMilliseconds = sse?.duration("retry", in: StreamOverrides.times)
            .map { Int($0 / 1_000_000) }
        idField = sse?.text("id_field")?.value
        lastEventIDField = sse?.text("last_event_id_field")?.value
        sse?.finish()
    }
}

extension MethodConfiguration {
    /// Decodes one entry of `methods`; nil when it lacks what it must have.
    init?(_ mapping: MappingDecoder) {
        self.init(selector: Located(value: "", position: mapping.position))
        let selector = mapping.requiredText("selector")
        if let selector, !ServiceConfiguration.isPattern(selector.value) {
            mapping.decoder.report(
                selector.position,
                "\(mapping.path("selector")): '\(YAMLNode.shortened(selector.value))' is no pattern: write "
                    + "pkg.Service.Method, pkg.Service.*, pkg.* or *")
        }
        if let options = mapping.mapping("json") { json = JSONOverrides(options) }
        if let options = mapping.mapping("rest") { rest = RESTOverrides(options) }
        stream = StreamOverrides(stream: mapping.mapping("stream"), sse: mapping.mapping("sse"))
        streamPosition = mapping.value("sse")?.position ?? mapping.position
        if let options = mapping.mapping("timeout") { timeout = TimeoutOverrides(options) }
        if let options = mapping.mapping("retry") { retry = RetryOverrides(options) }
        hedging = mapping.mapping("hedging").map { HedgingOverrides($0) }
        mapping.exclude("hedging", beside: "retry")
        mapping.finish()
        guard let selector else { return nil }
        self.selector = selector
    }
}
