import Transcode

/// One upstream as one reactor sees it: its addresses, and the calls that wait for a connection.
///
/// Calls are spread over the ready addresses in turn. While none is ready but one may become so, calls wait,
/// their deadlines running; once all have failed, calls are refused with the reason until one recovers. Names are
/// resolved again and again: addresses come and go, and calls in flight stay where they are.
final class Channel {
    /// Calls that may wait for a connection or a free stream.
    static let waitingMax = 10_000
    /// Ended calls that may stand in the queue beside as many as still wait.
    static let staleMax = 64

    let name: String
    /// `:authority` of every call.
    let authority: String
    /// How connections are secured; nil means plain.
    let tls: TLSClientContext?
    private let reactor: Reactor
    private var endpoints: [Endpoint] = []
    private var subchannels: [Subchannel] = []
    /// Subchannels of addresses that are gone, until their last call is done.
    private var retired: [Subchannel] = []
    private var next = 0
    private var waiting: [Waiting] = []
    private var firstWaiting = 0
    /// Calls in the queue that still wait; the others have ended meanwhile and are passed over.
    private var waitingCount = 0

    private struct Waiting {
        let caller: any UpstreamCall
        /// Tells whether the caller still serves the same call.
        let call: UInt64

        var isCurrent: Bool { caller.call == call && caller.isQueued }
    }

    /// One target: an address that stays, or a name with the addresses it stood for last.
    private struct Endpoint {
        var addresses: [SocketAddress]
        var resolver: Resolver?
    }

    init(_ plan: UpstreamPlan, reactor: Reactor) {
        name = plan.name
        tls = plan.tls
        authority = plan.targets.first?.authority ?? plan.name
        self.reactor = reactor
        for target in plan.targets {
            switch target {
            case .address(let address): endpoints.append(Endpoint(addresses: [address]))
            case .name(let host, let port, let server):
                let resolver = Resolver(
                    name: DNSName(host: host, port: port, server: server),
                    endpoint: endpoints.count,
                    channel: self, reactor: reactor)
                endpoints.append(Endpoint(addresses: [], resolver: resolver))
            }
        }
    }

    /// The `:scheme` of its requests.
    var scheme: StaticString { tls == nil ? "http" : "https" }
    var hasWaiting: Bool { waitingCount > 0 }

    /// Resolves every name and connects every address, without waiting for a first call.
    func connect() {
        updateSubchannels()
        for endpoint in endpoints { endpoint.resolver?.start() }
    }

    func shutDown() {
        for endpoint in endpoints { endpoint.resolver?.stop() }
        for subchannel in subchannels + retired { subchannel.shutDown() }
    }

    // MARK: Addresses

    /// What the name of an endpoint stands for now; never empty.
    func resolved(_ endpoint: Int, to addresses: [SocketAddress]) {
        endpoints[endpoint].addresses = addresses
        updateSubchannels()
    }

    /// Connects new addresses, and lets those that are gone finish their calls.
    private func updateSubchannels() {
        var kept: [Subchannel] = []
        for address in endpoints.flatMap(\.addresses)
        where !kept.contains(where: { $0.address == address }) {
            let known = subchannels.first { $0.address == address }
            kept.append(known ?? Subchannel(address: address, channel: self, reactor: reactor))
        }
        let gone = subchannels.filter { old in !kept.contains { $0 === old } }
        subchannels = kept
        next = 0
        retired += gone
        for subchannel in gone { subchannel.retire() }
        for subchannel in kept { subchannel.connect() }
    }

    /// The last call of a subchannel that is gone has ended.
    func subchannelRetired(_ subchannel: Subchannel) { retired.removeAll { $0 === subchannel } }

    // MARK: Calls

    /// Opens the call's upstream stream now, or when a connection can take it.
    /// - Throws: UNAVAILABLE when no address can be reached, RESOURCE_EXHAUSTED when too many calls wait.
    func start(_ caller: any UpstreamCall) throws(Status) {
        if !hasWaiting, let connection = pick() {
            caller.openUpstream(on: connection)
            return
        }
        if let failure = commonFailure() { throw failure }
        guard waitingCount < Channel.waitingMax else {
            throw Status(
                .resourceExhausted,
                "more than \(Channel.waitingMax) calls wait for upstream \(name)",
                reason: "upstream_queue_full")
        }
        waiting.append(Waiting(caller: caller, call: caller.call))
        waitingCount += 1
        caller.isQueued = true
        for subchannel in subchannels { subchannel.connect() }
    }

    /// A call that waited has ended: by its deadline, or with its client.
    func leave(_ caller: any UpstreamCall) {
        caller.isQueued = false
        waitingCount -= 1
        guard waiting.count - firstWaiting > 2 * waitingCount + Channel.staleMax else { return }
        waiting.removeSubrange(..<firstWaiting)
        waiting.removeAll { !$0.isCurrent }
        firstWaiting = 0
    }

    /// Starts waiting calls as far as there is room for their streams.
    func dispatchWaiting() {
        while hasWaiting {
            guard let connection = pick(), let caller = takeFirst() else { return }
            caller.openUpstream(on: connection)
        }
    }

    /// The call that has waited longest.
    private func takeFirst() -> (any UpstreamCall)? {
        while firstWaiting < waiting.count {
            let entry = waiting[firstWaiting]
            advance()
            guard entry.isCurrent else { continue }
            entry.caller.isQueued = false
            waitingCount -= 1
            return entry.caller
        }
        return nil
    }

    /// A connection failed: the names may stand for other addresses by now.
    func subchannelFailed() {
        for endpoint in endpoints { endpoint.resolver?.refresh() }
        failWaiting()
    }

    /// Fails the waiting calls when no address is left that could serve them.
    func failWaiting() {
        guard let failure = commonFailure() else { return }
        while let caller = takeFirst() { caller.upstreamUnavailable(failure) }
    }

    private func advance() {
        firstWaiting += 1
        if firstWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            firstWaiting = 0
        } else if firstWaiting > 1024, firstWaiting * 2 > waiting.count {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
    }

    private func pick() -> UpstreamConnection? {
        for _ in subchannels.indices {
            next = next + 1 < subchannels.count ? next + 1 : 0
            if let connection = subchannels[next].available { return connection }
        }
        return nil
    }

    private func commonFailure() -> Status? {
        guard subchannels.allSatisfy(\.hasFailed) else { return nil }
        var reasons = ""
        if subchannels.isEmpty {
            let failures = endpoints.compactMap { $0.resolver?.failure }
            guard failures.count == endpoints.count else { return nil }
            reasons = failures.joined(separator: "; ")
        } else {
            reasons = subchannels.map { "\($0.address): \($0.failure)" }.joined(separator: "; ")
        }
        return Status(
            .unavailable, "upstream \(name) cannot be reached (\(reasons))",
            reason: "upstream_unreachable")
    }
}
