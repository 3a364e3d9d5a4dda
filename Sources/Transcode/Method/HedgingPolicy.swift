/// When a call is made several times side by side, of which the first answer counts (gRFC A6; SEMANTICS g.6).
public struct HedgingPolicy: Sendable, Equatable {
    /// Attempts of one call, the first one included; 1 is none but the first.
    public var attemptsMax = 2
    /// Nanoseconds from one attempt to the next; 0 is all at once.
    public var delay: Int64 = 100_000_000
    /// Statuses of an attempt that do not end the call: another one is made at once, and the others are waited for.
    public var nonFatalCodes: StatusCodeSet = [.unavailable]
    /// Bytes of a request above which there is one attempt.
    public var requestBytesMax = 256 << 10

    public init() {}
}

/// What a section `hedging` names; nil where it names nothing.
public struct HedgingOverrides: Sendable, Equatable {
    public var attemptsMax: Int?
    public var delay: Int64?
    public var nonFatalCodes: StatusCodeSet?
    public var requestBytesMax: Int?

    public init() {}

    /// `policy` may be none before: what the section does not name is as usual then.
    public func apply(to policy: inout HedgingPolicy?) {
        var changed = policy ?? HedgingPolicy()
        if let attemptsMax { changed.attemptsMax = attemptsMax }
        if let delay { changed.delay = delay }
        if let nonFatalCodes { changed.nonFatalCodes = nonFatalCodes }
        if let requestBytesMax { changed.requestBytesMax = requestBytesMax }
        policy = changed.attemptsMax > 1 ? changed : nil
    }
}
