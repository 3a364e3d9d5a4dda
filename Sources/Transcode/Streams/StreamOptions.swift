/// How REST streams of one method are kept open and told apart; the defaults serve without configuration.
public struct StreamOptions: Equatable, Sendable {
    /// Nanoseconds of an upstream's silence after which the response's head leaves all the same: at once would cost an
    /// early error its status, never would look dead to proxies and EventSource.
    public var openAfter: Int64 = 1_000_000_000
    /// Nanoseconds of silence after which Server-Sent Events get a comment; 0: never.
    public var heartbeat: Int64 = 15_000_000_000
    /// Milliseconds that an EventSource shall wait before it reconnects; 0: nothing is said.
    public var retryMilliseconds = 0
    /// The field of the response whose value is the `id` of its event; empty for none.
    public var idField = ""
    /// The field of the request that takes `Last-Event-ID`; empty for none.
    public var lastEventIDField = ""

    public init() {}
}

/// What a part of the configuration says of them; nil where it says nothing.
public struct StreamOverrides: Equatable, Sendable {
    public var openAfter: Int64?
    public var heartbeat: Int64?
    public var retryMilliseconds: Int?
    public var idField: String?
    public var lastEventIDField: String?

    public init() {}

    public func apply(to options: inout StreamOptions) {
        if let openAfter { options.openAfter = openAfter }
        if let heartbeat { options.heartbeat = heartbeat }
        if let retryMilliseconds { options.retryMilliseconds = retryMilliseconds }
        if let idField { options.idField = idField }
        if let lastEventIDField { options.lastEventIDField = lastEventIDField }
    }
}
