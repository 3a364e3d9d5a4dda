/// When an attempt of a call that failed is followed by another one (gRFC A6; SEMANTICS g.6). Pure.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts of one call, the first one included; 1 is none but the first.
    public var attemptsMax = 1
    /// Nanoseconds before the second attempt.
    public var initialBackoff: Int64 = 100_000_000
    /// Nanoseconds that no wait exceeds, its spread aside.
    public var maxBackoff: Int64 = 1_000_000_000
    /// By which each wait is longer than the one before.
    public var multiplier = 2.0
    /// After which statuses.
    public var codes: StatusCodeSet = [.unavailable]
    /// As `requestBytesMax`, where it is configured.
    public var requestBytes: Int?

    public init() {}

    /// Bytes of the request that are kept for another attempt; a call that has sent more is not made again. Without
    /// retries they are for what a connection's end leaves unprocessed.
    public var requestBytesMax: Int { requestBytes ?? (attemptsMax > 1 ? 256 << 10 : 64 << 10) }

    /// Nanoseconds before the `number`th retry, from 1 on. `random` lies in 0..<1 and spreads it by a fifth.
    public func wait(beforeRetry number: Int, random: Double) -> Int64 {
        var wait = Double(initialBackoff)
        for _ in 1..<max(number, 1) where wait < Double(maxBackoff) { wait *= multiplier }
        return Int64(min(wait, Double(maxBackoff)) * (0.8 + 0.4 * random))
    }
}

/// Some of the seventeen codes.
public struct StatusCodeSet: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public init(_ code: StatusCode) { rawValue = 1 << UInt32(code.rawValue) }

    public static var unavailable: StatusCodeSet { StatusCodeSet(.unavailable) }

    public func contains(_ code: StatusCode) -> Bool { contains(StatusCodeSet(code)) }
}

/// What a section `retry` names; nil where it names nothing.
public struct RetryOverrides: Sendable, Equatable {
    public var attemptsMax: Int?
    public var initialBackoff: Int64?
    public var maxBackoff: Int64?
    public var multiplier: Double?
    public var codes: StatusCodeSet?
    public var requestBytesMax: Int?

    public init() {}

    public func apply(to policy: inout RetryPolicy) {
        if let attemptsMax { policy.attemptsMax = attemptsMax }
        if let initialBackoff { policy.initialBackoff = initialBackoff }
        if let maxBackoff { policy.maxBackoff = maxBackoff }
        if let multiplier { policy.multiplier = multiplier }
        if let codes { policy.codes = codes }
        if let requestBytesMax { policy.requestBytes = requestBytesMax }
    }
}
