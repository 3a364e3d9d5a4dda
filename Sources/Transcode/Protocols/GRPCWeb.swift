import ProtoRuntime

/// What gRPC-Web has instead of HTTP's trailers (SEMANTICS e).
enum GRPCWeb {
    /// Appends the last frame of a body: `name: value` lines, names lower-case.
    static func appendTrailers(_ fields: borrowing Fields, to output: inout OutputBlock) {
        let start = output.beginEnvelope(flags: EnvelopePrefix.trailers)
        for index in 0..<fields.count {
            output.append(fields.name(at: index))
            output.append(": ")
            output.append(fields.value(at: index))
            output.append("\r\n")
        }
        output.endEnvelope(at: start)
    }
}
