import Logging

/// A name to be resolved, and the DNS server to ask where that is not the system's.
struct DNSName: Equatable {
    enum Records: Equatable {
        /// A and AAAA, which say nothing of the port.
        case addresses(UInt16)
        /// SRV, then A and AAAA of what they name.
        case services
    }

    var host: String
    var records: Records
    var server: SocketAddress?
}

/// When a name is looked up again. Pure.
struct ResolverSchedule: Equatable {
    static let second: Int64 = 1_000_000_000
    /// Where the answer tells no time to live, as /etc/hosts does.
    static let usualNanoseconds = 30 * second
    /// No time to live is taken for longer.
    static let maximumNanoseconds = 300 * second
    /// Waits after failures: doubled each time.
    static let failureRange = second...30 * second

    /// Nanoseconds from an answer to the next look-up, whatever its time to live and whichever connections fail.
    let intervalMin: Int64
    private var nextFailureWait = failureRange.lowerBound

    init(intervalMin: Int64) { self.intervalMin = intervalMin }

    /// Nanoseconds from an answer to the next look-up.
    mutating func waitAfterAnswer(timeToLive: Int64?) -> Int64 {
        nextFailureWait = ResolverSchedule.failureRange.lowerBound
        let wait = timeToLive ?? ResolverSchedule.usualNanoseconds
        return max(min(wait, ResolverSchedule.maximumNanoseconds), intervalMin)
    }

    mutating func waitAfterFailure() -> Int64 {
        defer {
            nextFailureWait = min(nextFailureWait * 2, ResolverSchedule.failureRange.upperBound)
        }
        return nextFailureWait
    }
}

/// Keeps one endpoint of a channel resolved: looks its name up at start, when the answer has lived its time, and when a
/// connection failed. On failure the last addresses stay.
final class Resolver: TimerTarget {
    private let name: DNSName
    private let endpoint: Int
    private unowned let channel: Channel
    private let reactor: Reactor
    private var schedule: ResolverSchedule
    private var query: DNSQuery?
    private var timer: EventLoop.TimerID?
    private var addresses: [SocketAddress] = []
    private var answeredAt: Int64 = 0
    private var isStopped = false
    /// Why the last look-up failed; nil after an answer, and before the first outcome.
    private(set) var failure: String?

    init(name: DNSName, endpoint: Int, channel: Channel, reactor: Reactor) {
        self.name = name
        self.endpoint = endpoint
        self.channel = channel
        self.reactor = reactor
        schedule = ResolverSchedule(intervalMin: channel.options.resolveIntervalMin)
    }

    deinit { query?.cancel() }

    func start() { lookUp() }

    func stop() {
        isStopped = true
        cancelTimer()
        query?.cancel()
        query = nil
    }

    /// A connection failed: look again, unless that was done just now.
    func refresh() {
        guard query == nil, !isStopped, failure == nil,
            reactor.loop.now - answeredAt >= schedule.intervalMin
        else { return }
        cancelTimer()
        lookUp()
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        lookUp()
    }

    private func lookUp() {
        guard query == nil, !isStopped else { return }
        let started = DNSQuery(name, loop: reactor.loop) { [weak self] in self?.finished($0) }
        query = started
        started.start()
    }

    private func finished(_ outcome: DNSQuery.Outcome) {
        query = nil
        guard !isStopped else { return }
        answeredAt = reactor.loop.now
        switch outcome {
        case .answer(let found, let timeToLive):
            again(after: schedule.waitAfterAnswer(timeToLive: timeToLive))
            if failure != nil {
                reactor.log.info("upstream \(channel.name): \(name.host) is resolved again")
            }
            failure = nil
            guard found != addresses else { return }
            addresses = found
            let list = found.map(\.description).joined(separator: ", ")
            reactor.log.debug("upstream \(channel.name): \(name.host) is \(list)")
            channel.resolved(endpoint, to: found)
        case .failure(let reason):
            again(after: schedule.waitAfterFailure())
            let text = "\(name.host) cannot be resolved: \(reason)"
            if failure == nil { reactor.log.warning("upstream \(channel.name): \(text)") }
            failure = text
            if addresses.isEmpty { channel.failWaiting() }
        }
    }

    private func again(after nanoseconds: Int64) {
        timer = reactor.loop.schedule(after: nanoseconds, self)
    }

    private func cancelTimer() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
    }
}
