import ProtoRuntime

/// What gRPC-Web has instead of HTTP's trailers (SEMANTICS e).
enum GRPCWeb {
    /// Appends the last frame of a body: `name: value` lines, names lower-case.
    static func appendTrailers(_ fields: borrowing Fields, to output: inout OutputBlock) {
        let start = output.count
        EnvelopePrefix(flags: EnvelopePrefix.trailers, length: 0).append(to: &output)
        for index in 0..<fields.count {
            output.append(fields.name(at: index))
            output.append(": ")
            output.append(fields.value(at: index))
            output.append("\r\n")
        }
        let length = output.count - start - EnvelopePrefix.byteCount
        EnvelopePrefix(flags: EnvelopePrefix.trailers, length: UInt32(clamping: length))
            .overwrite(at: start, in: &output)
    }
}
