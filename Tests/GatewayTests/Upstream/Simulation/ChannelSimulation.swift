import Testing
import Transcode

@testable import Gateway

/// A channel over the pure state machines with a manual clock: what `Channel` and `Subchannel` do, without sockets. What
/// upstreams and clients do is drawn from a seed (SimulatedFaults.swift); what must hold is looked at after every event
/// (ChannelInvariants.swift).
final class ChannelSimulation {
    enum Timer {
        case backoff(SimulatedEndpoint)
        case keepalive(SimulatedConnection)
        case deadline(SimulatedCall)
        case retry(SimulatedCall)
        case nextAddress, sweep
    }

    static let millisecond: Int64 = 1_000_000
    /// No call takes longer.
    static let timeMax = 8000 * millisecond
    static let (callsMax, waitingMax, retriesMax) = (16, 10, 5)

    var random: RandomSource
    let balance: UpstreamOptions.Balance
    let checksHealth: Bool
    let connectionsMax: Int
    let keepalive: Keepalive
    let limits: UpstreamShared
    private(set) var now: Int64 = 1_000_000_000
    var wheel = TimerWheel<Timer>(now: 1_000_000_000)
    var endpoints: [SimulatedEndpoint] = []
    var retired: [SimulatedEndpoint] = []
    private var picker: Picker
    var pickFirst = PickFirst()
    var waiting = WaitingCalls()
    /// Those that have begun and not ended.
    var calls: [SimulatedCall] = []
    var begun: [SimulatedCall] = []
    private var addressTimer: TimerWheel<Timer>.ID?
    private var sweepTimer: TimerWheel<Timer>.ID?
    var isShutDown = false
    /// What did not hold.
    private(set) var violations: [String] = []
    /// What happened at all: a simulation in which nothing does proves nothing.
    private(set) var happenings: Set<Happening> = []

    enum Happening: CaseIterable {
        case queued, queueWasFull, callsWereMany, failedFast, retried, throttled, unsent, refused
        case committed, endedByDeadline, ejected, takenBack, unhealthy, foundDead, drained, retired
        case anotherConnection, triedNextAddress
    }

    init(seed: UInt64) {
        random = RandomSource(seed: seed)
        balance = [.roundRobin, .leastRequest, .pickFirst][Int.random(in: 0..<3, using: &random)]
        checksHealth = balance != .pickFirst && Bool.random(using: &random)
        connectionsMax = Int.random(in: 1...3, using: &random)
        keepalive = Keepalive(
            time: Bool.random(using: &random) ? 2000 * ChannelSimulation.millisecond : nil,
            timeout: 500 * ChannelSimulation.millisecond)
        picker = Picker(balance, seed: random.next())
        var options = UpstreamOptions()
        options.balance = balance
        options.health = checksHealth ? "" : nil
        options.circuit.callsMax = ChannelSimulation.callsMax
        options.circuit.waitingMax = ChannelSimulation.waitingMax
        options.circuit.retriesMax = ChannelSimulation.retriesMax
        options.throttle.tokensMax = 20
        var outliers = OutlierOptions()
        outliers.interval = 1000 * ChannelSimulation.millisecond
        outliers.baseEjection = 3000 * ChannelSimulation.millisecond
        outliers.ejectedPercentMax = 50
        outliers.failurePercentage = OutlierOptions.FailurePercentage()
        outliers.failurePercentage?.threshold = 50
        outliers.failurePercentage?.hostsMin = 2
        outliers.failurePercentage?.volumeMin = 3
        options.outliers = outliers
        limits = UpstreamShared(options)
        if limits.outliers != nil { scheduleSweep() }
        resolve(to: Array(0..<UInt8.random(in: 1...4, using: &random)))
    }

    // MARK: Addresses

    func resolve(to hosts: [UInt8]) {
        let addresses = hosts.compactMap { SocketAddress(numericHost: "10.0.0.\($0)", port: 1) }
        let kept = addresses.map { address in
            endpoints.first { $0.shared.address == address }
                ?? SimulatedEndpoint(limits.endpoints.join(address), checksHealth: checksHealth)
        }
        let gone = endpoints.filter { old in !kept.contains { $0 === old } }
        endpoints = kept
        retired += gone
        if !gone.isEmpty { note(.retired) }
        for endpoint in gone {
            endpoint.state.shutDown()
            abandonAttempt(endpoint)
            drainAll(endpoint)
        }
        forgetRetired()
        pickFirst.addressesChanged(
            count: kept.count, chosen: kept.firstIndex { $0.state.connectivity == .ready })
        connectAddresses()
        failWaiting()
    }

    func forgetRetired() {
        let gone = retired.filter { $0.connections.isEmpty && $0.draining.isEmpty }
        for endpoint in gone { limits.endpoints.leave(endpoint.shared) }
        retired.removeAll { endpoint in gone.contains { $0 === endpoint } }
    }

    func connectAddresses() {
        guard balance == .pickFirst else {
            for endpoint in endpoints { perform(endpoint.state.connectWanted(), endpoint) }
            return
        }
        perform(pickFirst.connectWanted())
    }

    private func perform(_ action: PickFirst.Action) {
        guard action != .none else { return }
        cancel(&addressTimer)
        switch action {
        case .none: break
        case .attempt(let index):
            addressTimer = wheel.schedule(at: now + PickFirst.delayNanoseconds, .nextAddress)
            perform(endpoints[index].state.connectWanted(), endpoints[index])
        case .choose(let chosen):
            for index in endpoints.indices where index != chosen { rest(endpoints[index]) }
        }
    }

    private func rest(_ endpoint: SimulatedEndpoint) {
        endpoint.state.rest()
        abandonAttempt(endpoint)
        drainAll(endpoint)
    }

    private func abandonAttempt(_ endpoint: SimulatedEndpoint) {
        cancel(&endpoint.timer)
        endpoint.isConnecting = false
    }

    private func drainAll(_ endpoint: SimulatedEndpoint) {
        let drained = endpoint.connections
        endpoint.connections = []
        endpoint.draining += drained
        for connection in drained {
            connection.isDraining = true
            if connection.calls.isEmpty { close(connection) }
        }
    }

    func perform(_ action: SubchannelState.Action, _ endpoint: SimulatedEndpoint) {
        guard action != .none else { return }
        cancel(&endpoint.timer)
        switch action {
        case .none: break
        case .connect: endpoint.isConnecting = true
        case .wait(let wait): endpoint.timer = wheel.schedule(at: now + wait, .backoff(endpoint))
        }
    }

    // MARK: Attempts and connections

    func attemptSucceeded(_ endpoint: SimulatedEndpoint, streamsMax: Int) {
        endpoint.isConnecting = false
        let made = SimulatedConnection(
            endpoint, streamsMax: streamsMax, keepalive: keepalive, now: now)
        endpoint.connections.append(made)
        if endpoint.connections.count > 1 { note(.anotherConnection) }
        endpoint.state.becameReady()
        keepAlive(made)
        if balance == .pickFirst, let index = endpoints.firstIndex(where: { $0 === endpoint }) {
            perform(pickFirst.becameReady(index))
        }
        dispatchWaiting()
        if waiting.count > 0 { connectMore() }
    }

    func attemptFailed(_ endpoint: SimulatedEndpoint) {
        endpoint.isConnecting = false
        perform(endpoint.state.attemptFailed(random: draw()), endpoint)
        if balance == .pickFirst { perform(pickFirst.proceed()) }
        failWaiting()
    }

    /// It takes no more calls; it may have ended.
    private func lost(_ connection: SimulatedConnection) {
        let endpoint = connection.endpoint
        let action = endpoint.state.connectionLost(
            isProven: connection.isProven(now: now), random: draw())
        perform(action, endpoint)
        guard endpoint.state.readyCount == 0, !isShutDown else { return }
        if balance == .pickFirst {
            if let index = endpoints.firstIndex(where: { $0 === endpoint }) {
                pickFirst.lost(index)
            }
        } else {
            perform(endpoint.state.connectWanted(), endpoint)
        }
        if waiting.count > 0 { connectAddresses() }
        if endpoint.hasFailed { failWaiting() }
    }

    /// The upstream ends it in good order: calls behind the first `kept` are not served.
    func goAway(_ connection: SimulatedConnection, kept: Int) {
        guard !connection.isDraining, !connection.isClosed else { return }
        if kept > 0, !connection.calls.isEmpty { connection.hasAnswered = true }
        connection.isDraining = true
        let refused = Array(connection.calls.dropFirst(kept))
        connection.endpoint.connections.removeAll { $0 === connection }
        connection.endpoint.draining.append(connection)
        lost(connection)
        note(.drained)
        for call in refused { attemptFailed(call, .refused) }
        if connection.calls.isEmpty { close(connection) }
    }

    /// It breaks: every call on it fails, those whose head has not left as if nothing had been.
    func close(_ connection: SimulatedConnection) {
        guard !connection.isClosed else { return }
        connection.isClosed = true
        cancel(&connection.timer)
        let endpoint = connection.endpoint
        let wasReady = endpoint.connections.contains { $0 === connection }
        endpoint.connections.removeAll { $0 === connection }
        endpoint.draining.removeAll { $0 === connection }
        for call in connection.calls {
            if call.hasLeft { endpoint.shared.record(.unavailable) }
            attemptFailed(call, call.hasLeft ? .status(.unavailable, .none) : .unsent)
        }
        if wasReady { lost(connection) }
        forgetRetired()
    }

    func keepAlive(_ connection: SimulatedConnection) {
        connection.timer = nil
        guard let time = connection.keepalive.time, !connection.isClosed else { return }
        var next = now + time
        switch connection.keepalive.check(
            now: now, lastRead: connection.lastRead, isNeeded: !connection.calls.isEmpty)
        {
        case .dead:
            note(.foundDead)
            return close(connection)
        case .ping:
            // A live peer answers.
            if !connection.isSilent { connection.lastRead = now + 1 }
            next = min(next, now + connection.keepalive.timeout)
        case .wait(let until): next = min(next, until)
        }
        connection.timer = wheel.schedule(at: next, .keepalive(connection))
    }

    // MARK: Picking

    func pick() -> SimulatedConnection? {
        let index = picker.pick(count: endpoints.count) { endpoints[$0].load }
        guard let index else {
            must(endpoints.allSatisfy { $0.load == nil }, "an address could take the call")
            return nil
        }
        let picked = endpoints[index]
        must(
            !picked.isObstructed && picked.state.connectivity == .ready,
            "an address was picked that is not ready, or left out")
        return picked.available
    }

    func dispatchWaiting() {
        while waiting.count > 0 {
            guard let connection = pick(), let caller = waiting.takeFirst() else { return }
            limits.waiting.giveBack()
            if let call = caller as? SimulatedCall { open(call, on: connection) }
        }
    }

    var haveAllFailed: Bool { !endpoints.isEmpty && endpoints.allSatisfy(\.hasFailed) }

    func failWaiting() {
        guard haveAllFailed else { return }
        var patient: [any UpstreamCall] = []
        while let caller = waiting.takeFirst() {
            if caller.waitsForReady {
                patient.append(caller)
                continue
            }
            limits.waiting.giveBack()
            note(.failedFast)
            caller.upstreamUnavailable(Status(.unavailable))
        }
        for caller in patient { waiting.append(caller) }
    }

    func connectMore() {
        for endpoint in endpoints where !endpoint.isObstructed {
            perform(endpoint.state.anotherWanted(limit: connectionsMax), endpoint)
        }
    }

    // MARK: The clock

    /// Lets so many nanoseconds pass, and what is due happen at its time.
    func pass(_ nanoseconds: Int64) {
        let end = now + nanoseconds
        while true {
            if let timer = wheel.expire(now: now) {
                fire(timer)
                continue
            }
            guard now < end else { return }
            now = min(end, now + max(wheel.wait(now: now) ?? nanoseconds, 1))
        }
    }

    private func fire(_ timer: Timer) {
        switch timer {
        case .backoff(let endpoint):
            endpoint.timer = nil
            perform(endpoint.state.backoffElapsed(), endpoint)
        case .keepalive(let connection): keepAlive(connection)
        case .deadline(let call):
            call.deadlineTimer = nil
            note(.endedByDeadline)
            end(call)
        case .retry(let call):
            call.retryTimer = nil
            start(call)
        case .nextAddress:
            addressTimer = nil
            let action = pickFirst.proceed()
            if action != .none { note(.triedNextAddress) }
            perform(action)
        case .sweep:
            scheduleSweep()
            for change in limits.outliers?.sweep(limits.endpoints, now: now) ?? [] {
                note(change.isEjected ? .ejected : .takenBack)
            }
            obstaclesChanged()
        }
    }

    private func scheduleSweep() {
        guard let interval = limits.outliers?.options.interval else { return }
        sweepTimer = wheel.schedule(at: now + interval, .sweep)
    }

    func obstaclesChanged() {
        dispatchWaiting()
        if waiting.count > 0 { failWaiting() }
    }

    func cancel(_ timer: inout TimerWheel<Timer>.ID?) {
        if let set = timer { wheel.cancel(set) }
        timer = nil
    }

    func note(_ happening: Happening) { happenings.insert(happening) }

    func must(_ holds: Bool, _ what: String) {
        if !holds { violations.append(what) }
    }

    func draw() -> Double { Double.random(in: 0..<1, using: &random) }

    /// The gateway stops: nothing is connected, nothing is timed.
    func shutDown() {
        isShutDown = true
        cancel(&addressTimer)
        cancel(&sweepTimer)
        for endpoint in endpoints + retired {
            endpoint.state.shutDown()
            abandonAttempt(endpoint)
            for connection in endpoint.connections + endpoint.draining { close(connection) }
        }
        for endpoint in endpoints { limits.endpoints.leave(endpoint.shared) }
        endpoints = []
    }
}
