import ProtoRuntime

/// The query of a Connect GET: which codec and coding its message has, and where it stands (SEMANTICS c.5).
struct ConnectGet {
    private(set) var codec: MessageCodec?
    private(set) var coding = ContentCoding.identity
    private var message: Range<Int>?
    private var isBase64 = false

    /// Reads the parameters that the protocol has; others are nobody's business here.
    ///
    /// A parameter that comes twice counts once, the first time: as in Go's clients and servers.
    /// - Throws: INVALID_ARGUMENT when one is missing or wrong, UNIMPLEMENTED for an unknown compression.
    init(_ query: Span<UInt8>) throws(Status) {
        var parameters = QueryString(query)
        var isEncodingSeen = false
        var isCompressionSeen = false
        while let parameter = parameters.next() {
            let name = query.extracting(parameter.name)
            let value = query.extracting(parameter.value)
            if name.isEqual(to: "message"), message == nil {
                message = parameter.value
            } else if name.isEqual(to: "base64") {
                isBase64 = value.isEqual(to: "1")
            } else if name.isEqual(to: "encoding"), !isEncodingSeen {
                isEncodingSeen = true
                guard let codec = ClientProtocol.codec(value) else {
                    throw .rest(
                        415,
                        "the encoding '\(String(copying: value))' is not served: it is json or proto",
                        reason: "unsupported_content_type")
                }
                self.codec = codec
            } else if name.isEqual(to: "compression"), !isCompressionSeen {
                isCompressionSeen = true
                guard let coding = ContentCoding(name: value) else {
                    throw .unsupportedCoding(String(copying: value))
                }
                self.coding = coding
            } else if name.isEqual(to: "connect"), !value.isEqual(to: "v1") {
                throw .invalidQuery("'connect' must be v1")
            }
        }
        guard isEncodingSeen else { throw .invalidQuery("'encoding' is missing: json or proto") }
        guard message != nil else { throw .invalidQuery("'message' is missing") }
    }

    /// Appends the message's bytes, still compressed where `coding` says so.
    func decodeMessage(
        _ query: Span<UInt8>, scratch: inout OutputBlock, into output: inout OutputBlock
    ) throws(Status) {
        guard let message else { return }
        let text = query.extracting(message)
        let start = scratch.count
        do throws(PercentEncoding.Problem) {
            try PercentEncoding.decode(text, plusIsSpace: true, into: &scratch)
        } catch {
            throw .invalidQuery("'message' has a malformed percent-encoding")
        }
        let decoded = start..<scratch.count
        guard isBase64 else {
            output.append(scratch.bytes.extracting(decoded))
            return
        }
        do throws(BinaryMetadata.Malformed) {
            try BinaryMetadata.decode(scratch.bytes.extracting(decoded), into: &output)
        } catch {
            throw .invalidQuery("'message' is not base64")
        }
    }
}

extension Status {
    fileprivate static func invalidQuery(_ what: String) -> Status {
        Status(.invalidArgument, "Connect GET: the parameter \(what)", reason: "bad_query")
    }
}
