import Logging
import Transcode

/// One address of an upstream: its state, its connections, its reconnection.
final class Subchannel: TimerTarget {
    let address: SocketAddress
    let reactor: Reactor
    unowned let channel: Channel
    private var state = SubchannelState()
    /// The attempt under way: first its connector, then a connection that awaits the upstream's SETTINGS.
    private var connector: UpstreamConnector?
    private var candidate: UpstreamConnection?
    /// Connections that take calls.
    private var connections: [UpstreamConnection] = []
    /// Connections that finish their calls and take no more.
    private var draining: [UpstreamConnection] = []
    private var timer: EventLoop.TimerID?
    /// What all reactors share of the address.
    let endpoint: SharedEndpoint
    private let endpoints: SharedEndpoints
    /// What of that keeps calls from it.
    private let obstacles: SharedEndpoint.Obstacles
    private let countsCalls: Bool
    /// Connections that are to be replaced.
    private var aged: [UpstreamConnection] = []
    /// The health of the address, where this reactor watches it (SubchannelHealth.swift).
    var watch: UpstreamHealthWatch?
    /// The log has it that the address has no health service.
    var hasToldWatchIsOff = false
    /// Its connections were too full for that.
    var awaitsRoomToWatch = false
    /// When the last attempt began.
    private var attemptedAt: Int64 = 0
    /// Why the last attempt failed.
    private var lastFailure = "not connected yet"

    init(address: SocketAddress, channel: Channel, reactor: Reactor) {
        self.address = address
        self.channel = channel
        self.reactor = reactor
        endpoints = channel.shared.endpoints
        endpoint = endpoints.join(address)
        countsCalls = channel.shared.outliers != nil
        obstacles = channel.healthService == nil ? .ejected : [.ejected, .health]
    }

    deinit { endpoints.leave(endpoint) }

    var tls: TLSClientContext? { channel.tls }
    var options: ConnectionOptions { channel.options.connection }
    var keepalive: Keepalive { channel.keepalive }
    var authority: String { channel.authority }
    var scheme: StaticString { channel.scheme }
    var connectionWithRoom: UpstreamConnection? { connections.first { $0.canOpenStream } }

    private var isObstructed: Bool { !endpoint.obstacles.isDisjoint(with: obstacles) }
    /// Whether it takes calls, as far as its streams allow.
    var isServing: Bool { connectivity == .ready && !isObstructed }
    /// Whether calls need not wait for it.
    var hasFailed: Bool {
        state.hasFailed
            || !endpoint.obstacles.intersection(obstacles).isDisjoint(with: [.ejected, .unhealthy])
    }
    /// Why it takes no calls.
    var failure: String {
        let current = endpoint.obstacles.intersection(obstacles)
        if current.contains(.ejected) { return "left out, as too many calls fail" }
        return current.contains(.unhealthy)
            ? "not healthy, as its health service says" : lastFailure
    }
    var connectivity: SubchannelState.Connectivity { state.connectivity }

    /// A connection that can take one more stream now.
    var available: UpstreamConnection? {
        isObstructed ? nil : connectionWithRoom
    }

    /// The calls on its connections; nil when none can take one more.
    var load: Int? {
        if isObstructed { return nil }
        var sum = 0
        var isAvailable = false
        for connection in connections {
            sum += connection.callCount
            if connection.canOpenStream { isAvailable = true }
        }
        return isAvailable ? sum : nil
    }

    /// Whether calls are under way.
    var hasCalls: Bool {
        connections.contains { $0.callCount > 0 } || draining.contains { $0.callCount > 0 }
    }

    /// What this reactor sees of the address.
    var snapshot: EndpointSnapshot {
        let current = endpoint.obstacles.intersection(obstacles)
        return EndpointSnapshot(
            address: "\(address)", state: state.connectivity, connections: connections.count,
            callsInFlight: (connections + draining).reduce(0) { $0 + $1.callCount },
            isEjected: current.contains(.ejected),
            isHealthy: current.isDisjoint(with: .health))
    }

    /// Counts what became of a call.
    func record(_ code: StatusCode) { if countsCalls { endpoint.record(code) } }

    func connect() { perform(state.connectWanted()) }

    /// Calls wait although this address is connected.
    func connectAnother() {
        if !isObstructed { perform(state.anotherWanted(limit: options.countMax)) }
    }

    func shutDown() {
        state.shutDown()
        stopWatching()
        abandonAttempt()
        for connection in connections + draining { connection.close("the gateway is stopping") }
    }

    /// The address is gone: no new calls, and the end after the last one.
    func retire() {
        state.shutDown()
        abandonAttempt()
        drainAll()
        reportIfRetired()
    }

    /// Lets go of its connections; calls on them are finished.
    func rest() {
        state.rest()
        abandonAttempt()
        drainAll()
    }

    private func drainAll() {
        let drained = connections
        connections = []
        aged = []
        stopWatching()
        draining += drained
        for connection in drained { connection.drain() }
    }

    private func abandonAttempt() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        connector?.cancel()
        connector = nil
        let abandoned = candidate
        candidate = nil
        abandoned?.close("no longer wanted")
    }

    private func reportIfRetired() {
        guard state.connectivity == .shutdown, connections.isEmpty, draining.isEmpty else { return }
        channel.subchannelRetired(self)
    }

    // MARK: What the connector reports

    /// The stream is there: HTTP/2 may begin, and the upstream's SETTINGS must come before the deadline.
    func connected(_ stream: ByteStream, deadline: Int64) {
        connector = nil
        do {
            let made = try UpstreamConnection(stream, for: self, reactor: reactor)
            candidate = made
            try made.start(deadline: deadline)
        } catch {
            stream.socket.close()
            candidate = nil
            attemptFailed("\(error)")
        }
    }

    /// Nothing came of the attempt.
    func attemptFailed(_ reason: String) {
        connector = nil
        channel.counters.connectionsFailed &+= 1
        lastFailure = reason
        let wasFailed = state.hasFailed
        perform(
            state.attemptFailed(
                random: reactor.random.fraction(), lasted: reactor.loop.now - attemptedAt))
        if state.hasFailed, !wasFailed {
            reactor.log.warning("upstream \(channel.name) (\(address)): \(reason)")
        }
        channel.attemptFailed(of: self)
    }

    // MARK: What the connection reports

    func connectionReady(_ ready: UpstreamConnection) {
        guard candidate === ready else { return }
        candidate = nil
        channel.counters.connectionsOpened &+= 1
        connections.append(ready)
        if state.hasFailed { reactor.log.info("upstream \(channel.name) (\(address)): connected") }
        state.becameReady()
        if let watch, aged.contains(where: { $0 === watch.connection }) { watch.move(to: ready) }
        watchHealth()
        channel.becameReady(self)
        let replaced = aged
        aged = []
        for connection in replaced { connection.retire() }
    }

    /// It has lived long enough: it serves until another one is there.
    func connectionAged(_ old: UpstreamConnection) {
        guard connections.contains(where: { $0 === old }) else { return }
        aged.append(old)
        perform(state.replacementWanted())
    }

    /// A stream ended, or the upstream changed its limit.
    func capacityChanged() {
        if awaitsRoomToWatch { watchHealth() }
        if state.connectivity != .shutdown, channel.hasWaiting { channel.dispatchWaiting() }
    }

    func goAway(isTooManyPings: Bool) {
        channel.counters.goAways &+= 1
        if isTooManyPings { channel.tooManyPings(for: address) }
    }

    func connectionDraining(_ ended: UpstreamConnection) {
        guard let index = connections.firstIndex(where: { $0 === ended }) else { return }
        draining.append(connections.remove(at: index))
        aged.removeAll { $0 === ended }
        leaveWatch(by: ended)
        lost(ended, "the upstream ends its connections as soon as they are made (GOAWAY)")
    }

    func connectionClosed(_ ended: UpstreamConnection, reason: String) {
        if (connections + draining).contains(where: { $0 === ended }) {
            channel.counters.connectionsClosed &+= 1
        }
        if ended.isSilent { channel.counters.keepaliveTimeouts &+= 1 }
        draining.removeAll { $0 === ended }
        defer { reportIfRetired() }
        if candidate === ended {
            candidate = nil
            attemptFailed(reason)
        } else if let index = connections.firstIndex(where: { $0 === ended }) {
            connections.remove(at: index)
            aged.removeAll { $0 === ended }
            leaveWatch(by: ended)
            lost(ended, reason)
        }
    }

    private func lost(_ ended: UpstreamConnection, _ reason: String) {
        lastFailure = reason
        let action = state.connectionLost(
            isProven: ended.isProven, random: reactor.random.fraction())
        if action != .none {
            reactor.log.warning("upstream \(channel.name) (\(address)): \(reason)")
        }
        perform(action)
        if state.readyCount == 0 { channel.connectionLost(self) }
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        perform(state.backoffElapsed())
    }

    private func perform(_ action: SubchannelState.Action) {
        guard action != .none else { return }
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        switch action {
        case .none: break
        case .wait(let nanoseconds): timer = reactor.loop.schedule(after: nanoseconds, self)
        case .connect:
            attemptedAt = reactor.loop.now
            do throws(SystemError) {
                connector = try UpstreamConnector(to: address, for: self, reactor: reactor)
            } catch {
                attemptFailed(error.reason)
            }
        }
    }
}
