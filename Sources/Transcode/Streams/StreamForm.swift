import ProtoRuntime

/// How the messages of a REST server stream stand in the body of its response (SEMANTICS f.2).
public enum StreamForm: UInt8, Sendable, BitwiseCopyable {
    /// `[m1,m2]`
    case array
    /// A message a line.
    case ndjson
    /// Server-Sent Events, an event a message.
    case sse
    /// The data of google.api.HttpBody messages, one behind the other.
    case raw

    var contentType: StaticString {
        switch self {
        case .array: "application/json"
        case .ndjson: "application/x-ndjson"
        case .sse: "text/event-stream"
        case .raw: "application/octet-stream"
        }
    }

    /// The form that `accept` prefers: what has the highest weight, the first of equals. Nothing that is known counts
    /// as `*/*`: a stream in a form that was not asked for is of more use than 406.
    static func accepted(by fields: borrowing Fields, configured: StreamForm) -> StreamForm {
        var best: StreamForm?
        var bestQuality = 0
        guard let first = fields.firstIndex(of: .accept) else { return configured }
        for index in first..<fields.count where fields.known(at: index) == .accept {
            var list = AcceptList(fields.value(at: index))
            while let item = list.next() {
                guard item.quality > bestQuality,
                    let form = named(list.text.extracting(item.name), configured: configured)
                else { continue }
                best = form
                bestQuality = item.quality
            }
        }
        return best ?? configured
    }

    private static func named(_ type: Span<UInt8>, configured: StreamForm) -> StreamForm? {
        if MediaType.isEqual(type, "text/event-stream") { return .sse }
        if MediaType.isLines(type) { return .ndjson }
        // Events are no JSON, whatever is configured.
        if MediaType.isEqual(type, "application/json") {
            return configured == .sse ? .array : configured
        }
        if MediaType.isEqual(type, "*/*") || MediaType.isEqual(type, "application/*") {
            return configured
        }
        return nil
    }
}
