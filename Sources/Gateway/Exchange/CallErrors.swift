import Transcode

// What the gateway itself answers to a call, whatever the client's protocol.
extension Status {
    static var deadlineExceeded: Status {
        Status(.deadlineExceeded, "the deadline has passed", reason: "deadline_exceeded")
    }

    static func headTooLarge(limit: Int) -> Status {
        .rest(
            431, "the request's header fields are over \(limit) bytes", reason: "headers_too_large")
    }

    /// The upstream's fields were cut off at the limit, so that nothing can be said of what they meant.
    static func upstreamHeadTooLarge(limit: Int) -> Status {
        Status(
            .resourceExhausted, "the upstream's header fields are over \(limit) bytes",
            httpStatus: 502, reason: "upstream_headers_too_large")
    }
}
