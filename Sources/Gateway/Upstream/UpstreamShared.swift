import Synchronization

/// What all reactors share of one upstream.
public final class UpstreamShared: Sendable {
    /// Where an upstream is: an address, or a name that is resolved for all.
    enum Target {
        case address(SocketAddress)
        case name(SharedName)
    }

    let targets: [Target]
    let throttle: RetryThrottle
    let calls: UsageLimit
    let waiting: UsageLimit
    let retries: UsageLimit
    let endpoints: SharedEndpoints
    let outliers: OutlierDetector?

    init(_ options: UpstreamOptions, targets: [UpstreamTarget] = []) {
        self.targets = targets.map { target in
            switch target {
            case .address(let address): .address(address)
            case .name(let host, let port, let server):
                .name(
                    SharedName(
                        DNSName(host: host, records: .addresses(port), server: server),
                        intervalMin: options.resolveIntervalMin))
            case .services(let name, let server):
                .name(
                    SharedName(
                        DNSName(host: name, records: .services, server: server),
                        intervalMin: options.resolveIntervalMin))
            }
        }
        throttle = RetryThrottle(
            tokensMax: options.throttle.tokensMax,
            ratioThousandths: options.throttle.ratioThousandths)
        calls = UsageLimit(options.circuit.callsMax)
        waiting = UsageLimit(options.circuit.waitingMax)
        retries = UsageLimit(options.circuit.retriesMax)
        endpoints = SharedEndpoints(checksHealth: options.healthService != nil)
        outliers = options.balance == .pickFirst ? nil : options.outliers.map(OutlierDetector.init)
    }
}

/// How many of something there may be at a time, over all reactors. Without a limit nothing is counted.
final class UsageLimit: Sendable {
    /// Nil is no limit.
    let limit: Int?
    private let used = Atomic(0)

    init(_ limit: Int?) { self.limit = limit }

    /// How many there are; 0 without a limit.
    var count: Int { used.load(ordering: .relaxed) }

    /// Takes one, which must be given back, unless there are as many as there may be.
    func take() -> Bool {
        guard let limit else { return true }
        if used.add(1, ordering: .relaxed).newValue <= limit { return true }
        giveBack()
        return false
    }

    func giveBack() {
        if limit != nil { used.subtract(1, ordering: .relaxed) }
    }
}
