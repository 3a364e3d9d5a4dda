import Logging
import Transcode

/// One address of an upstream: its state, its connections, its reconnection.
final class Subchannel: TimerTarget {
    let address: SocketAddress
    private let reactor: Reactor
    private unowned let channel: Channel
    private var state = SubchannelState()
    /// The attempt under way: first its connector, then a connection that awaits the upstream's SETTINGS.
    private var connector: UpstreamConnector?
    private var candidate: UpstreamConnection?
    /// Connections that take calls.
    private var connections: [UpstreamConnection] = []
    /// Connections that finish their calls and take no more.
    private var draining: [UpstreamConnection] = []
    private var timer: EventLoop.TimerID?
    /// Where calls are counted to find out whether the address fails.
    let statistics: EndpointStatistics?
    /// Why the last attempt failed.
    private var lastFailure = "not connected yet"

    init(address: SocketAddress, channel: Channel, reactor: Reactor) {
        self.address = address
        self.channel = channel
        self.reactor = reactor
        statistics = channel.shared.outliers?.join(address)
    }

    deinit {
        if let statistics { channel.shared.outliers?.leave(statistics) }
    }

    var tls: TLSClientContext? { channel.tls }
    var options: ConnectionOptions { channel.options.connection }
    var keepalive: Keepalive { channel.keepalive }
    var hasFailed: Bool { state.hasFailed || isEjected }
    /// Why it takes no calls.
    var failure: String { isEjected ? "left out, as too many calls fail" : lastFailure }
    private var isEjected: Bool { statistics?.isEjected ?? false }
    var connectivity: SubchannelState.Connectivity { state.connectivity }

    /// A connection that can take one more stream now.
    var available: UpstreamConnection? {
        isEjected ? nil : connections.first { $0.canOpenStream }
    }

    /// The calls on its connections; nil when none can take one more.
    var load: Int? {
        if isEjected { return nil }
        var sum = 0
        var isAvailable = false
        for connection in connections {
            sum += connection.streamCount
            if connection.canOpenStream { isAvailable = true }
        }
        return isAvailable ? sum : nil
    }

    /// Whether calls are under way.
    var hasStreams: Bool {
        connections.contains { $0.streamCount > 0 } || draining.contains { $0.streamCount > 0 }
    }

    func connect() { perform(state.connectWanted()) }

    /// Calls wait although this address is connected.
    func connectAnother() { perform(state.anotherWanted(limit: options.countMax)) }

    func shutDown() {
        state.shutDown()
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
        lastFailure = reason
        let wasFailed = state.hasFailed
        perform(state.attemptFailed(random: Double.random(in: 0..<1)))
        if state.hasFailed, !wasFailed {
            reactor.log.warning("upstream \(channel.name) (\(address)): \(reason)")
        }
        channel.attemptFailed()
    }

    // MARK: What the connection reports

    func connectionReady(_ ready: UpstreamConnection) {
        guard candidate === ready else { return }
        candidate = nil
        connections.append(ready)
        if state.hasFailed { reactor.log.info("upstream \(channel.name) (\(address)): connected") }
        state.becameReady()
        channel.becameReady(self)
    }

    /// A stream ended, or the upstream changed its limit.
    func capacityChanged() {
        if state.connectivity != .shutdown, channel.hasWaiting { channel.dispatchWaiting() }
    }

    func tooManyPings() { channel.tooManyPings(for: address) }

    func connectionDraining(_ ended: UpstreamConnection) {
        guard let index = connections.firstIndex(where: { $0 === ended }) else { return }
        draining.append(connections.remove(at: index))
        lost(ended, "the upstream ends its connections as soon as they are made (GOAWAY)")
    }

    func connectionClosed(_ ended: UpstreamConnection, reason: String) {
        draining.removeAll { $0 === ended }
        defer { reportIfRetired() }
        if candidate === ended {
            candidate = nil
            attemptFailed(reason)
        } else if let index = connections.firstIndex(where: { $0 === ended }) {
            connections.remove(at: index)
            lost(ended, reason)
        }
    }

    private func lost(_ ended: UpstreamConnection, _ reason: String) {
        lastFailure = reason
        let action = state.connectionLost(
            isProven: ended.isProven, random: Double.random(in: 0..<1))
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
            do throws(SystemError) {
                connector = try UpstreamConnector(to: address, for: self, reactor: reactor)
            } catch {
                attemptFailed(error.reason)
            }
        }
    }
}
