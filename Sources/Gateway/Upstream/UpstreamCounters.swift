/// What was counted of an upstream since the start: by one reactor, or by all of them together.
struct UpstreamCounters: Sendable, Equatable {
    /// Calls of clients that were let in, whatever became of them.
    var calls = 0
    var callsSucceeded = 0
    /// With any status but OK, the upstream's or the gateway's own.
    var callsFailed = 0
    /// Their clients went away.
    var callsCancelled = 0
    /// Attempts that followed a failed one by the policy, those of which the upstream had seen nothing, and those that were
    /// made beside others.
    var retries = 0
    var transparentRetries = 0
    var hedges = 0
    /// Refused by `limits.calls`, `limits.waiting` and `limits.retries`.
    var callsRefused = 0
    var waitingRefused = 0
    var retriesRefused = 0
    var connectionsOpened = 0
    var connectionsClosed = 0
    /// Attempts to connect of which nothing came.
    var connectionsFailed = 0
    var goAways = 0
    var keepaliveTimeouts = 0
    var ejections = 0
    /// Times that an address became healthy, or ceased to be.
    var healthChanges = 0

    var callsInFlight: Int { calls - callsSucceeded - callsFailed - callsCancelled }

    /// Each counter by the name of its metric.
    static var metrics: [(name: String, counter: WritableKeyPath<UpstreamCounters, Int>)] {
        [
            ("gateway_upstream_calls_total", \.calls),
            ("gateway_upstream_calls_succeeded_total", \.callsSucceeded),
            ("gateway_upstream_calls_failed_total", \.callsFailed),
            ("gateway_upstream_calls_cancelled_total", \.callsCancelled),
            ("gateway_upstream_retries_total", \.retries),
            ("gateway_upstream_transparent_retries_total", \.transparentRetries),
            ("gateway_upstream_hedges_total", \.hedges),
            ("gateway_upstream_calls_refused_total", \.callsRefused),
            ("gateway_upstream_waiting_refused_total", \.waitingRefused),
            ("gateway_upstream_retries_refused_total", \.retriesRefused),
            ("gateway_upstream_connections_opened_total", \.connectionsOpened),
            ("gateway_upstream_connections_closed_total", \.connectionsClosed),
            ("gateway_upstream_connections_failed_total", \.connectionsFailed),
            ("gateway_upstream_goaways_total", \.goAways),
            ("gateway_upstream_keepalive_timeouts_total", \.keepaliveTimeouts),
            ("gateway_upstream_ejections_total", \.ejections),
            ("gateway_upstream_health_changes_total", \.healthChanges),
        ]
    }

    static func += (sum: inout UpstreamCounters, other: UpstreamCounters) {
        for (_, counter) in metrics { sum[keyPath: counter] += other[keyPath: counter] }
    }
}

/// How a call of a client ended.
enum CallOutcome {
    case succeeded, failed, cancelled
}
