import Logging
import Transcode

/// One upstream as one reactor sees it: its addresses, and the calls that wait for a connection.
///
/// While no address is ready but one may become so, calls wait, their deadlines running; once all have failed, calls
/// are refused with the reason until one recovers. Names are resolved again and again: addresses come and go, and calls
/// in flight stay where they are.
final class Channel: TimerTarget {
    private enum Timer {
        static let (idle, outliers): (UInt8, UInt8) = (0, 1)
    }

    let name: String
    /// `:authority` of every call.
    let authority: String
    /// How connections are secured; nil means plain.
    let tls: TLSClientContext?
    let options: UpstreamOptions
    let shared: UpstreamShared
    /// What the health of its addresses is asked of; nil where it is not.
    let healthService: String?
    /// What this reactor has counted.
    var counters = UpstreamCounters()
    private let reactor: Reactor
    private let seed: UInt64
    private var targets: TargetAddresses?
    /// What they stand for.
    private var addresses: [ResolvedAddress] = []
    /// By priority, the most wanted ones first.
    private var groups: [SubchannelGroup] = []
    private var priorities = Priorities()
    /// Those of the priority that calls go to.
    private var candidates: [Subchannel] = []
    /// Subchannels of addresses that are gone, until their last call is done.
    private var retired: [Subchannel] = []
    private var picker: Picker
    private var waiting = WaitingCalls()
    private var idleTimer: EventLoop.TimerID?
    private var outlierTimer: EventLoop.TimerID?
    private var keepaliveTime: Int64?
    /// Calls since the idle timer fired last, and how often it has seen none.
    private var callsSeen: UInt64 = 0
    private var quietChecks = 0
    /// No call has come for long: nothing is connected until one does.
    private var isIdle = false
    /// No address has been connected since the last connection ended.
    private var wasLost = false

    init(_ plan: UpstreamPlan, reactor: Reactor) {
        name = plan.name
        tls = plan.tls
        options = plan.options
        shared = plan.shared
        healthService = plan.options.healthService
        keepaliveTime = plan.options.connection.keepaliveTime
        authority = plan.targets.first?.authority ?? plan.name
        seed = reactor.random.next()
        picker = Picker(
            plan.options.balance, drawnMax: plan.options.drawnMax, seed: seed)
        self.reactor = reactor
    }

    /// The `:scheme` of its requests.
    var scheme: StaticString { tls == nil ? "http" : "https" }
    var hasWaiting: Bool { waiting.count > 0 }

    /// Resolves every name and connects, without waiting for a first call.
    func connect() {
        let targets = TargetAddresses(shared, of: self, reactor: reactor)
        self.targets = targets
        targets.start()
        targetsChanged()
        awaitIdleness()
        awaitSweep()
        if healthService != nil || shared.outliers != nil { listenToEndpoints() }
    }

    func shutDown() {
        for timer in [idleTimer, outlierTimer] {
            if let timer { reactor.loop.cancel(timer) }
        }
        (idleTimer, outlierTimer) = (nil, nil)
        targets?.stop()
        for group in groups { group.stop() }
        for subchannel in subchannels + retired { subchannel.shutDown() }
    }

    // MARK: Addresses

    /// Names stand for other addresses, or cannot be resolved.
    func targetsChanged() {
        let current = targets?.addresses ?? []
        if current != addresses {
            addresses = current
            updateSubchannels()
        }
        // Those that calls have waited for may be gone.
        if hasWaiting { failWaiting() }
    }

    /// Connects new addresses, and lets those that are gone finish their calls.
    private func updateSubchannels() {
        let known = subchannels
        for group in groups { group.stop() }
        groups = ResolvedAddress.groups(addresses).map { group in
            let choosesOne = options.balance == .pickFirst
            let members =
                choosesOne
                ? PickFirst.ordered(group, isShuffled: options.shufflesAddresses, seed: seed)
                : group
            return SubchannelGroup(
                members.map { member in
                    known.first { $0.address == member.address }
                        ?? Subchannel(address: member.address, channel: self, reactor: reactor)
                }, weights: members.map { $0.weight ?? ResolvedAddress.usualWeight },
                choosesOne: choosesOne, loop: reactor.loop)
        }
        let gone = known.filter { old in !groups.contains { $0.contains(old) } }
        retired += gone
        for subchannel in gone { subchannel.retire() }
        priorities = Priorities(groups.map(\.condition))
        prioritiesChanged()
        for group in groups.dropFirst(priorities.connected) { group.rest() }
        if !isIdle { connectAddresses() }
    }

    /// Of all priorities.
    private var subchannels: [Subchannel] { groups.flatMap(\.subchannels) }

    /// The last call of a subchannel that is gone has ended.
    func subchannelRetired(_ subchannel: Subchannel) { retired.removeAll { $0 === subchannel } }

    /// Connects what is not connected of the priorities that are to be.
    private func connectAddresses() {
        for group in groups.prefix(priorities.connected) { group.connect() }
    }

    /// Calls go to the most wanted priority that serves; what is less wanted rests.
    private func choosePriority() {
        guard groups.count > 1, !isIdle else { return }
        let before = priorities
        let new = Priorities(groups.map(\.condition))
        guard new != before else { return }
        priorities = new
        if new.serving != before.serving {
            reactor.log.warning(
                "upstream \(name): calls go to its addresses of priority \(new.serving + 1) of \(groups.count)"
            )
        }
        prioritiesChanged()
        if new.connected < before.connected {
            for group in groups[new.connected..<before.connected] { group.rest() }
        } else {
            connectAddresses()
        }
    }

    private func prioritiesChanged() {
        let serving = priorities.serving < groups.count ? groups[priorities.serving] : nil
        candidates = serving?.subchannels ?? []
        picker.weigh(serving?.weights ?? [])
    }

    // MARK: What subchannels report

    /// Calls that wait may go.
    func becameReady(_ subchannel: Subchannel) {
        if wasLost, let tell = reactor.whenUpstreamIsBack { tell(name) }
        wasLost = false
        group(of: subchannel)?.becameReady(subchannel)
        choosePriority()
        dispatchWaiting()
        if hasWaiting { connectMore() }
    }

    private func group(of subchannel: Subchannel) -> SubchannelGroup? {
        groups.first { $0.contains(subchannel) }
    }

    /// The names may stand for other addresses by now.
    func attemptFailed(of subchannel: Subchannel) {
        targets?.refresh()
        group(of: subchannel)?.attemptFailed()
        choosePriority()
        failWaiting()
    }

    /// The last connection to an address has ended, or takes no more calls.
    func connectionLost(_ subchannel: Subchannel) {
        if !subchannels.contains(where: { $0.connectivity == .ready }) { wasLost = true }
        guard !isIdle else { return }
        group(of: subchannel)?.lost(subchannel)
        choosePriority()
        if hasWaiting { connectAddresses() }
        guard subchannel.hasFailed else { return }
        targets?.refresh()
        failWaiting()
    }

    /// How connections are asked whether they live.
    var keepalive: Keepalive {
        Keepalive(time: keepaliveTime, timeout: options.connection.keepaliveTimeout)
    }

    /// An upstream finds our PINGs too many: new connections send half as many (gRFC A8).
    func tooManyPings(for address: SocketAddress) {
        guard let time = keepaliveTime else { return }
        let doubled = min(time.multipliedReportingOverflow(by: 2).partialValue, Configuration.hour)
        keepaliveTime = max(doubled, time)
        let text = ConfigurationUnits.format(nanoseconds: max(doubled, time))
        reactor.log.warning(
            "upstream \(name) (\(address)): too many keepalive PINGs; one in \(text) from now on")
    }

    // MARK: Outliers

    private func awaitSweep() {
        guard let outliers = shared.outliers else { return }
        outlierTimer = reactor.loop.schedule(
            after: outliers.options.interval, self, kind: Timer.outliers)
    }

    private func sweepOutliers() {
        awaitSweep()
        let changes = shared.outliers?.sweep(shared.endpoints, now: reactor.loop.now) ?? []
        for change in changes {
            if change.isEjected { counters.ejections &+= 1 }
            let what = change.isEjected ? "left out, as too many calls fail" : "tried again"
            reactor.log.warning("upstream \(name) (\(change.address)): \(what)")
        }
        if !changes.isEmpty { shared.endpoints.tellChange() }
    }

    private func listenToEndpoints() {
        let name = name
        shared.endpoints.listen(reactor.loop.mailbox) { loop in
            loop.reactor?.endpointsChanged(ofUpstream: name)
        }
    }

    /// What keeps calls from addresses has changed: calls may go that wait, or have nothing to wait for.
    func endpointsChanged() {
        if healthService != nil {
            for subchannel in subchannels { subchannel.watchHealth() }
        }
        choosePriority()
        dispatchWaiting()
        if hasWaiting { failWaiting() }
    }

    // MARK: Idleness

    private func awaitIdleness() {
        // Quiet twice: a channel sleeps after no less than that time, and at most half as much more.
        idleTimer = reactor.loop.schedule(
            after: options.connection.idleMax / 2, self, kind: Timer.idle)
    }

    func timerFired(_ kind: UInt8) {
        if kind == Timer.outliers { return sweepOutliers() }
        awaitIdleness()
        let hasCalls = callsSeen > 0 || hasWaiting || subchannels.contains(where: \.hasCalls)
        quietChecks = hasCalls ? 0 : quietChecks + 1
        callsSeen = 0
        if quietChecks == 2 { sleep() }
    }

    private func sleep() {
        guard !isIdle else { return }
        isIdle = true
        rest()
    }

    /// Lets go of every connection.
    private func rest() {
        for group in groups { group.rest() }
        priorities = Priorities()
        prioritiesChanged()
    }

    /// Makes every connection anew, with no wait for what failed before.
    func reconnect() {
        isIdle = false
        rest()
        connectAddresses()
    }

    // MARK: Calls

    /// Opens the call's upstream stream now, or when a connection can take it.
    /// - Throws: UNAVAILABLE when no address can be reached, or as many calls wait as may.
    /// - Parameter avoided: addresses that shall not get it while there is another one.
    func start(_ caller: any UpstreamCall, avoiding avoided: [SharedEndpoint] = []) throws(Status) {
        callsSeen &+= 1
        if !hasWaiting, let connection = pick(avoiding: avoided) {
            caller.openUpstream(on: connection)
            return
        }
        isIdle = false
        if !caller.waitsForReady, let failure = commonFailure() { throw failure }
        guard shared.waiting.take() else {
            counters.waitingRefused &+= 1
            throw Status(
                .unavailable,
                "\(shared.waiting.limit ?? 0) calls wait for upstream \(name), which is as many as may",
                reason: "upstream_queue_full")
        }
        waiting.append(caller)
        connectAddresses()
        connectMore()
    }

    /// Addresses whose connections are full may have another one.
    private func connectMore() {
        for subchannel in candidates { subchannel.connectAnother() }
    }

    /// A call that waited has ended: by its deadline, or with its client.
    func leave(_ caller: any UpstreamCall) {
        waiting.leave(caller)
        shared.waiting.giveBack()
    }

    private func takeWaiting() -> (any UpstreamCall)? {
        guard let caller = waiting.takeFirst() else { return nil }
        shared.waiting.giveBack()
        return caller
    }

    /// What this reactor sees.
    var snapshot: UpstreamSnapshot {
        UpstreamSnapshot(
            name: name, counters: counters, callsWaiting: waiting.count,
            endpoints: (subchannels + retired.filter(\.hasCalls)).map(\.snapshot))
    }

    /// Starts waiting calls as far as there is room for their streams.
    func dispatchWaiting() {
        while hasWaiting {
            guard let connection = pick(), let caller = takeWaiting() else { return }
            caller.openUpstream(on: connection)
        }
    }

    /// Fails the waiting calls when no address is left that could serve them.
    func failWaiting() {
        guard let failure = commonFailure() else { return }
        var patient: [any UpstreamCall] = []
        while let caller = waiting.takeFirst() {
            guard !caller.waitsForReady else {
                patient.append(caller)
                continue
            }
            shared.waiting.giveBack()
            caller.upstreamUnavailable(failure)
        }
        for caller in patient { waiting.append(caller) }
    }

    private func pick(avoiding avoided: [SharedEndpoint] = []) -> UpstreamConnection? {
        if candidates.count == 1 { return candidates[0].available }
        if !avoided.isEmpty {
            let index = picker.pick(count: candidates.count) { index in
                let subchannel = candidates[index]
                return avoided.contains { $0 === subchannel.endpoint } ? nil : subchannel.load
            }
            if let index { return candidates[index].available }
        }
        let index = picker.pick(count: candidates.count) { candidates[$0].load }
        return index.flatMap { candidates[$0].available }
    }

    private func commonFailure() -> Status? {
        guard groups.allSatisfy(\.hasFailed) else { return nil }
        var reasons = ""
        if groups.isEmpty {
            guard let failure = targets?.failure else { return nil }
            reasons = failure
        } else {
            reasons = subchannels.map { "\($0.address): \($0.failure)" }.joined(separator: "; ")
        }
        return Status(
            .unavailable, "upstream \(name) cannot be reached (\(reasons))",
            reason: "upstream_unreachable")
    }
}
