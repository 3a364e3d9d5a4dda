import ProtoRuntime

/// The lines of Server-Sent Events (WHATWG HTML §9.2; SEMANTICS f.3).
///
///     id: 7
///     data: {"name":"shelves/1"}
///     (an empty line dispatches the event)
enum ServerSentEvents {
    /// The event that ends a stream well. Without it a browser would take the end for a loss, and call again.
    static let end: StaticString = "end"
    /// Not `error`: that is what EventSource calls its own.
    static let error: StaticString = "rpc-error"

    /// Appends a comment, which readers drop: a sign of life.
    static func appendHeartbeat(to output: inout OutputBlock) { output.append(": ping\n\n") }

    /// Appends how long a browser shall wait before it reconnects.
    static func appendRetry(milliseconds: Int, to output: inout OutputBlock) {
        output.append("retry: ")
        output.append(text: String(milliseconds))
        output.append("\n\n")
    }

    static func appendType(_ name: StaticString, to output: inout OutputBlock) {
        output.append("event: ")
        output.append(name)
        output.append("\n")
    }
}
