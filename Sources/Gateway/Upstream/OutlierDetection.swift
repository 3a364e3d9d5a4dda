/// When an address is left out for a while since its calls fail (gRFC A50; SEMANTICS g.5). Pure: samples and the time in,
/// ejections out.
public struct OutlierOptions: Sendable, Equatable {
    /// An address is ejected when so many of its calls fail.
    public struct FailurePercentage: Sendable, Equatable {
        public var threshold = 85
        /// Addresses with enough calls that there must be.
        public var hostsMin = 5
        /// Calls in an interval that an address must have had.
        public var volumeMin = 50

        public init() {}
    }

    /// An address is ejected when fewer of its calls succeed than of the others'.
    public struct SuccessRate: Sendable, Equatable {
        /// Standard deviations below the mean.
        public var factor = 1.9
        public var hostsMin = 5
        public var volumeMin = 100

        public init() {}
    }

    /// Nanoseconds between two looks, each at the calls since the last one.
    public var interval: Int64 = 10_000_000_000
    /// Nanoseconds of an ejection, times the ejections before it that good intervals have not made up for.
    public var baseEjection: Int64 = 30_000_000_000
    public var maxEjection: Int64 = 300_000_000_000
    /// While so many are ejected no further one is; one always may be.
    public var ejectedPercentMax = 10
    public var failurePercentage: FailurePercentage?
    public var successRate: SuccessRate?

    public init() {}
}

/// One address as the detection sees it.
struct OutlierHost: Equatable {
    /// Calls since the last look.
    var successes = 0
    var failures = 0
    /// Ejections that count for the length of the next one.
    fileprivate(set) var ejections = 0
    fileprivate(set) var ejectedAt: Int64?

    var isEjected: Bool { ejectedAt != nil }
    fileprivate var volume: Int { successes + failures }
    fileprivate var successRate: Double { volume > 0 ? Double(successes) / Double(volume) : 1 }
}

extension OutlierOptions {
    /// Looks at the calls of an interval, which begins anew: ejects, and takes back whose time is over.
    func sweep(_ hosts: inout [OutlierHost], now: Int64) {
        let before = hosts.map(\.isEjected)
        ejectBySuccessRate(&hosts, now)
        ejectByFailures(&hosts, now)
        for index in hosts.indices {
            if before[index] {
                takeBack(&hosts[index], now)
            } else if !hosts[index].isEjected, hosts[index].ejections > 0 {
                hosts[index].ejections -= 1
            }
            hosts[index].successes = 0
            hosts[index].failures = 0
        }
    }

    private func takeBack(_ host: inout OutlierHost, _ now: Int64) {
        guard let since = host.ejectedAt else { return }
        let limit = max(baseEjection, maxEjection)
        let product = baseEjection.multipliedReportingOverflow(by: Int64(host.ejections))
        let length = product.overflow ? limit : min(product.partialValue, limit)
        if now - since >= length { host.ejectedAt = nil }
    }

    private func ejectBySuccessRate(_ hosts: inout [OutlierHost], _ now: Int64) {
        guard let rule = successRate else { return }
        let rates = hosts.filter { $0.volume >= rule.volumeMin }.map(\.successRate)
        guard rates.count >= max(rule.hostsMin, 1) else { return }
        let mean = rates.reduce(0, +) / Double(rates.count)
        let variance = rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)
        let least = mean - variance.squareRoot() * rule.factor
        eject(&hosts, now) { $0.volume >= rule.volumeMin && $0.successRate < least }
    }

    private func ejectByFailures(_ hosts: inout [OutlierHost], _ now: Int64) {
        guard let rule = failurePercentage else { return }
        let count = hosts.count { $0.volume >= rule.volumeMin }
        guard count >= rule.hostsMin else { return }
        eject(&hosts, now) {
            $0.volume >= max(rule.volumeMin, 1)
                && Double($0.failures) * 100 / Double($0.volume) > Double(rule.threshold)
        }
    }

    private func eject(
        _ hosts: inout [OutlierHost], _ now: Int64, where fails: (OutlierHost) -> Bool
    ) {
        for index in hosts.indices where !hosts[index].isEjected && fails(hosts[index]) {
            let ejected = hosts.count { $0.isEjected }
            guard ejected == 0 || ejected * 100 < ejectedPercentMax * hosts.count else { return }
            hosts[index].ejectedAt = now
            hosts[index].ejections += 1
        }
    }
}
