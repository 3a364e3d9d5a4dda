import ProtoRuntime

/// The last envelope of a Connect stream, EndStreamResponse (SEMANTICS c.4).
enum ConnectEnd {
    /// Appends `{"error":{…},"metadata":{"name":["value",…]}}` in its envelope; `error` only for a status that is
    /// not OK, `metadata` only when there is some.
    /// - Parameter metadata: the upstream's trailers. The gateway's own errors add `gateway-error`.
    static func append(
        _ status: Status, metadata: borrowing Fields, pool: DescriptorPool,
        to output: inout OutputBlock
    ) {
        let start = output.beginEnvelope(flags: EnvelopePrefix.endStream)
        appendObject(status, metadata: metadata, pool: pool, to: &output)
        output.endEnvelope(at: start)
    }

    /// Appends the object alone.
    static func appendObject(
        _ status: Status, metadata: borrowing Fields, pool: DescriptorPool,
        to output: inout OutputBlock
    ) {
        output.append("{")
        if !status.isOK {
            output.append("\"error\":")
            StatusJSON.appendConnect(status, pool: pool, into: &output)
        }
        var count = 0
        if let reason = status.reason {
            beginEntry(&count, isFirst: status.isOK, to: &output)
            output.append("\"gateway-error\":[\"")
            output.append(text: reason)
            output.append("\"]")
        }
        for index in 0..<metadata.count
        where ResponseCodec.isForwarded(metadata, index) && !isRepeated(metadata, index) {
            beginEntry(&count, isFirst: status.isOK, to: &output)
            appendEntry(metadata, index, to: &output)
        }
        output.append(count > 0 ? "}}" : "}")
    }

    private static func beginEntry(_ count: inout Int, isFirst: Bool, to output: inout OutputBlock)
    {
        if count > 0 {
            output.append(",")
        } else {
            output.append(isFirst ? "\"metadata\":{" : ",\"metadata\":{")
        }
        count += 1
    }

    /// Appends the name of the field at `first` with all values of that name.
    private static func appendEntry(
        _ metadata: borrowing Fields, _ first: Int, to output: inout OutputBlock
    ) {
        StatusJSON.appendString(metadata.name(at: first), into: &output)
        output.append(":[")
        for index in first..<metadata.count where isSameName(metadata, first, index) {
            if index > first { output.append(",") }
            // A value may have any byte but control characters; JSON wants UTF-8.
            let value = String(copying: metadata.value(at: index))
            StatusJSON.appendString(value.utf8Span.span, into: &output)
        }
        output.append("]")
    }

    private static func isRepeated(_ metadata: borrowing Fields, _ index: Int) -> Bool {
        for earlier in 0..<index where isSameName(metadata, earlier, index) { return true }
        return false
    }

    private static func isSameName(_ fields: borrowing Fields, _ first: Int, _ second: Int) -> Bool
    {
        let one = fields.name(at: first)
        let other = fields.name(at: second)
        guard one.count == other.count else { return false }
        for index in one.indices where one[index] != other[index] { return false }
        return true
    }
}
