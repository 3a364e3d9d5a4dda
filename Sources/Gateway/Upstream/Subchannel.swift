import Logging
import Transcode

/// One address of an upstream: its state, its connection, its reconnection.
final class Subchannel: TimerTarget {
    let address: SocketAddress
    private let reactor: Reactor
    private unowned let channel: Channel
    private var state = SubchannelState()
    /// The attempt under way.
    private var connector: UpstreamConnector?
    private var connection: UpstreamConnection?
    /// Connections that finish their calls after the upstream announced its end.
    private var draining: [UpstreamConnection] = []
    private var timer: EventLoop.TimerID?
    /// Why the last attempt failed.
    private(set) var failure = "not connected yet"

    init(address: SocketAddress, channel: Channel, reactor: Reactor) {
        self.address = address
        self.channel = channel
        self.reactor = reactor
    }

    var tls: TLSClientContext? { channel.tls }
    var hasFailed: Bool { state.hasFailed }

    /// The connection, if it can take one more stream now.
    var available: UpstreamConnection? {
        guard let connection, connection.canOpenStream else { return nil }
        return connection
    }

    func connect() { perform(state.connectWanted()) }

    func shutDown() {
        state.shutDown()
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        connector?.cancel()
        connector = nil
        connection?.close("the gateway is stopping")
        for connection in draining { connection.close("the gateway is stopping") }
    }

    /// The address is gone: no new calls, and the end after the last one.
    func retire() {
        state.shutDown()
        connector?.cancel()
        connector = nil
        if let connection {
            self.connection = nil
            draining.append(connection)
            connection.drain()
        }
        reportIfRetired()
    }

    private func reportIfRetired() {
        guard state.connectivity == .shutdown, connection == nil, draining.isEmpty else { return }
        channel.subchannelRetired(self)
    }

    // MARK: What the connector reports

    /// The stream is there: HTTP/2 may begin, and the upstream's SETTINGS must come before the deadline.
    func connected(_ stream: ByteStream, deadline: Int64) {
        connector = nil
        do {
            let made = try UpstreamConnection(stream, for: self, reactor: reactor)
            connection = made
            try made.start(deadline: deadline)
        } catch {
            stream.socket.close()
            connection = nil
            attemptEnded("\(error)")
        }
    }

    /// Nothing came of the attempt, or its connection is gone.
    func attemptEnded(_ reason: String) {
        connector = nil
        failure = reason
        let wasFailed = state.hasFailed
        let action = state.connectionEnded(random: Double.random(in: 0..<1))
        if state.hasFailed, !wasFailed {
            reactor.log.warning("upstream \(channel.name) (\(address)): \(reason)")
        }
        perform(action)
        if state.hasFailed { channel.subchannelFailed() } else if channel.hasWaiting { connect() }
    }

    // MARK: What the connection reports

    func connectionReady() {
        if state.hasFailed { reactor.log.info("upstream \(channel.name) (\(address)): connected") }
        state.becameReady()
        channel.dispatchWaiting()
    }

    /// A stream ended, or the upstream changed its limit.
    func capacityChanged() {
        if state.connectivity != .shutdown, channel.hasWaiting { channel.dispatchWaiting() }
    }

    func connectionDraining(_ ended: UpstreamConnection) {
        guard connection === ended else { return }
        connection = nil
        draining.append(ended)
        state.drainAnnounced()
        if channel.hasWaiting { connect() }
    }

    func connectionClosed(_ ended: UpstreamConnection, reason: String, wasDraining: Bool) {
        draining.removeAll { $0 === ended }
        defer { reportIfRetired() }
        guard !wasDraining, connection === ended else { return }
        connection = nil
        attemptEnded(reason)
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        perform(state.backoffElapsed())
    }

    private func perform(_ action: SubchannelState.Action) {
        switch action {
        case .none: break
        case .retry(let wait): timer = reactor.loop.schedule(after: wait, self)
        case .connect:
            do throws(SystemError) {
                connector = try UpstreamConnector(to: address, for: self, reactor: reactor)
            } catch {
                attemptEnded(error.reason)
            }
        }
    }
}
