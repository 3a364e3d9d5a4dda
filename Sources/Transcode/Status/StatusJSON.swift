public import ProtoRuntime

/// The JSON bodies of errors: google.rpc.Status for REST, Connect's error object. Cold: it may allocate.
public enum StatusJSON {
    /// Appends `{"code":5,"message":"…","details":[{"@type":"…",…}]}`; `details` only when there are any.
    public static func appendREST(
        _ status: Status, pool: DescriptorPool?, json: JSONOptions = JSONOptions(),
        into output: inout OutputBlock
    ) {
        output.append("{\"code\":")
        output.append(text: String(status.code.rawValue))
        output.append(",\"message\":")
        appendString(status.message.utf8Span.span, into: &output)
        appendRESTDetails(of: status, pool: pool, json: json, into: &output)
        output.append("}")
    }

    /// Appends the envelope of AIP-193, in which `code` is the HTTP status:
    /// `{"error":{"code":404,"message":"…","status":"NOT_FOUND","details":[…]}}`.
    public static func appendAIP193(
        _ status: Status, pool: DescriptorPool?, json: JSONOptions = JSONOptions(),
        into output: inout OutputBlock
    ) {
        output.append("{\"error\":{\"code\":")
        output.append(text: String(status.httpStatus))
        output.append(",\"message\":")
        appendString(status.message.utf8Span.span, into: &output)
        output.append(",\"status\":\"")
        output.append(text: status.code.name)
        output.append("\"")
        appendRESTDetails(of: status, pool: pool, json: json, into: &output)
        output.append("}}")
    }

    private static func appendRESTDetails(
        of status: Status, pool: DescriptorPool?, json: JSONOptions,
        into output: inout OutputBlock
    ) {
        appendDetails(of: status, into: &output) { detail, output in
            appendAny(detail, pool: pool, json: json, into: &output)
        }
    }

    /// Appends `{"code":"not_found","message":"…","details":[{"type":"…","value":"…","debug":{…}}]}`; message
    /// and details only when there are any, `debug` where the type is known.
    public static func appendConnect(
        _ status: Status, pool: DescriptorPool?, json: JSONOptions = JSONOptions(),
        into output: inout OutputBlock
    ) {
        output.append("{\"code\":\"")
        output.append(text: status.code.connectName)
        output.append("\"")
        if !status.message.isEmpty {
            output.append(",\"message\":")
            appendString(status.message.utf8Span.span, into: &output)
        }
        appendDetails(of: status, into: &output) { detail, output in
            output.append("{\"type\":")
            appendString(detail.typeName.utf8Span.span, into: &output)
            output.append(",\"value\":\"")
            BinaryMetadata.encode(detail.value.span, into: &output)
            output.append("\"")
            let end = output.count
            output.append(",\"debug\":")
            if !appendMessage(detail, pool: pool, json: json, into: &output) {
                output.truncate(to: end)
            }
            output.append("}")
        }
        output.append("}")
    }

    // MARK: - Details

    private static func appendDetails(
        of status: Status, into output: inout OutputBlock,
        _ append: (StatusDetail, inout OutputBlock) -> Void
    ) {
        let details = status.decodedDetails
        guard !details.isEmpty else { return }
        output.append(",\"details\":[")
        for (index, detail) in details.enumerated() {
            if index > 0 { output.append(",") }
            append(detail, &output)
        }
        output.append("]")
    }

    /// The one place that knows which types can be printed.
    private static func type(
        named name: String, _ pool: DescriptorPool?
    ) -> (tables: DescriptorTables, message: Int32)? {
        guard let pool, let message = pool.messageIndex(named: name) else { return nil }
        return (pool.tables, message)
    }

    /// Appends the ProtoJSON of an Any; where its type is unknown or its value broken,
    /// `{"@type":"…","@value":"<base64>"}`.
    private static func appendAny(
        _ detail: StatusDetail, pool: DescriptorPool?, json: JSONOptions,
        into output: inout OutputBlock
    ) {
        output.append("{\"@type\":")
        appendString(detail.typeURL.utf8Span.span, into: &output)
        let start = output.count
        if let known = type(named: detail.typeName, pool) {
            switch known.tables.message(known.message).wellKnown {
            case .none, .empty:
                if appendMessage(detail, pool: pool, json: json, into: &output) {
                    // `{"@type":…` and `{"a":1}` become one object.
                    if output[start + 1] == UInt8(ascii: "}") {
                        output.truncate(to: start)
                        output.append("}")
                    } else {
                        output.overwrite(at: start, with: UInt8(ascii: ","))
                    }
                    return
                }
            default:
                output.append(",\"value\":")
                if appendMessage(detail, pool: pool, json: json, into: &output) {
                    output.append("}")
                    return
                }
            }
        }
        output.truncate(to: start)
        output.append(",\"@value\":\"")
        BinaryMetadata.encode(detail.value.span, padded: true, into: &output)
        output.append("\"}")
    }

    /// Appends the JSON of the value alone; false when it cannot be printed (the output may then have grown).
    private static func appendMessage(
        _ detail: StatusDetail, pool: DescriptorPool?, json: JSONOptions,
        into output: inout OutputBlock
    ) -> Bool {
        guard let known = type(named: detail.typeName, pool) else { return false }
        var wire = OutputBlock()
        wire.append(detail.value.span)
        wire.seal()
        var options = json
        options.indent = 0
        do throws(JSONError) {
            try ProtoToJSON(known.tables, options: options).format(
                wire, in: 0..<wire.count, as: known.message, into: &output)
            return true
        } catch {
            return false
        }
    }

    // MARK: - Strings

    /// Appends a JSON string of valid UTF-8.
    static func appendString(_ text: Span<UInt8>, into output: inout OutputBlock) {
        output.append(UInt8(ascii: "\""))
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""): output.append("\\\"")
            case UInt8(ascii: "\\"): output.append("\\\\")
            case UInt8(ascii: "\n"): output.append("\\n")
            case UInt8(ascii: "\r"): output.append("\\r")
            case UInt8(ascii: "\t"): output.append("\\t")
            case 0..<0x20, 0x7f:
                output.append("\\u00")
                output.append(PercentEncoding.hexadecimalDigit(byte >> 4))
                output.append(PercentEncoding.hexadecimalDigit(byte & 15))
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
