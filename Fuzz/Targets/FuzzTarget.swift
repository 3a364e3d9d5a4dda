/// What a fuzzer feeds with bytes: one room of the gateway that must stand whatever a peer sends.
///
/// A target takes any bytes and checks what holds for all of them. It reports by `BrokenRule`; a trap is a finding too.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// JSON → wire → JSON → wire → JSON.
    case json
    /// Wire → JSON → wire → JSON.
    case wire
    /// The wire reader alone, without descriptors.
    case reader
    /// A FileDescriptorSet → linked tables → routes.
    case linker
    /// Path templates, a table of them, and a path.
    case template
    /// Query, path and body bound to a message.
    case query
    /// Requests of HTTP/1.1, whole and in pieces.
    case http1
    /// Envelopes, whole and in pieces.
    case envelope
    /// A client's request by any protocol → envelopes.
    case request
    /// An upstream's envelopes → the response of any protocol.
    case response
    /// A configuration file.
    case yaml

    func run(_ input: [UInt8]) throws(BrokenRule) {
        switch self {
        case .json: try CodecTargets.json(input)
        case .wire: try CodecTargets.wire(input)
        case .reader: try ReaderTarget.run(input)
        case .linker: try LinkerTarget.run(input)
        case .template: try TemplateTarget.run(input)
        case .query: try QueryTarget.run(input)
        case .http1: try HTTP1Target.run(input)
        case .envelope: try EnvelopeTarget.run(input)
        case .request: try RequestTarget.run(input)
        case .response: try ResponseTarget.run(input)
        case .yaml: try YAMLTarget.run(input)
        }
    }
}

/// A rule that does not hold for some input.
struct BrokenRule: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Throws unless `rule` holds.
func check(_ rule: Bool, _ text: @autoclosure () -> String) throws(BrokenRule) {
    if !rule { throw BrokenRule(text()) }
}

/// Bytes as text, for messages.
func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: Array(bytes), as: UTF8.self)
}
