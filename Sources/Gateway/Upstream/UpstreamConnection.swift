import ProtoRuntime
import Transcode

/// One HTTP/2 connection to an upstream: opens streams for calls and hands them what comes back.
///
///     awaitingSettings ──▶ ready ──GOAWAY, used up, address gone──▶ draining ──▶ closed
final class UpstreamConnection: HTTP2ConnectionDelegate, TimerTarget {
    /// A connection that has lived so long was of use, whatever came by it.
    static let provenNanoseconds: Int64 = 1_000_000_000

    private enum Phase { case awaitingSettings, ready, draining }
    private enum Timer { static let (settings, age, keepalive): (UInt8, UInt8, UInt8) = (0, 1, 2) }

    private let reactor: Reactor
    private unowned let subchannel: Subchannel
    /// The address that it leads to.
    let endpoint: SharedEndpoint
    private let connection: HTTP2Connection
    private var phase = Phase.awaitingSettings
    private var timer: EventLoop.TimerID?
    private var keepaliveTimer: EventLoop.TimerID?
    private var readyAt: Int64 = 0
    /// It has carried an answer, or carries calls of which the upstream has said that it will answer them.
    private var answersCalls = false
    /// The stream by which the upstream's health is watched, which is no call.
    var watchStream: HTTP2Stream?

    init(_ stream: ByteStream, for subchannel: Subchannel, reactor: Reactor) throws(HTTP2Error) {
        self.reactor = reactor
        self.subchannel = subchannel
        endpoint = subchannel.endpoint
        connection = try HTTP2Connection(
            stream, role: .client, limits: reactor.settings.upstreamHTTP2, pool: reactor.streams,
            loop: reactor.loop)
    }

    /// Speaks HTTP/2 from now on; the outcome is told to `subchannel`, at `deadline` at the latest.
    func start(deadline: Int64) throws(SystemError) {
        try connection.register(self)
        timer = reactor.loop.schedule(at: deadline, self, kind: Timer.settings)
        connection.begin()
    }

    /// Whether one more stream may be opened now.
    var canOpenStream: Bool { phase == .ready && connection.hasRoom && !connection.isClosed }

    /// Calls on it.
    var callCount: Int { connection.streamCount - (watchStream == nil ? 0 : 1) }
    /// Whether it was of use.
    var isProven: Bool {
        answersCalls || reactor.loop.now - readyAt >= UpstreamConnection.provenNanoseconds
    }

    // MARK: Calls

    /// Counts what became of a call.
    func record(_ code: StatusCode) { subchannel.record(code) }

    /// Opens a stream with `head`, which becomes the stream's; its body is what the stream holds and what follows by `send`.
    func open(_ stream: HTTP2Stream, _ head: inout Fields) throws(HTTP2Error) {
        try connection.open(stream, &head)
        if connection.isUsedUp { retire() }
    }

    func send(_ stream: HTTP2Stream, _ bytes: Span<UInt8>) { connection.send(stream, bytes) }

    /// The stream's own output was filled, or finished.
    func resume(_ stream: HTTP2Stream) { connection.resume(stream) }

    func reset(_ stream: HTTP2Stream, code: UInt32) { connection.reset(stream, code: code) }

    /// What was received on the stream is disposed of: the upstream may send as much again.
    func consume(_ stream: HTTP2Stream) { connection.consume(stream) }

    // MARK: What the connection reports

    func receive(_ event: HTTP2Event.Kind, of stream: HTTP2Stream, _ input: Span<UInt8>) {
        switch event {
        case .head(let isLast):
            if stream !== watchStream { answersCalls = true }
            stream.owner?.upstreamHead(isLast: isLast)
        case .body(let range):
            if let owner = stream.owner {
                owner.upstreamBody(input.extracting(range))
            } else {
                connection.consume(stream)
            }
        case .end: stream.owner?.upstreamEnd()
        case .drained: stream.owner?.upstreamDrained()
        case .closed(let code): streamClosed(stream, code: code)
        case .settings, .goAway, .pong, .broken: break
        }
    }

    func receive(_ event: HTTP2Event.Kind) {
        switch event {
        case .settings: settingsReceived()
        case .goAway(_, _, let isTooManyPings, let keepsStreams):
            subchannel.goAway(isTooManyPings: isTooManyPings)
            if keepsStreams, watchStream == nil || callCount > 0 { answersCalls = true }
            retire()
        default: break
        }
    }

    private func settingsReceived() {
        guard phase == .awaitingSettings else {
            subchannel.capacityChanged()
            return
        }
        phase = .ready
        readyAt = reactor.loop.now
        cancelTimer()
        if let limit = subchannel.options.ageMax {
            let spread = 0.9 + 0.2 * reactor.random.fraction()
            timer = reactor.loop.schedule(
                after: Int64(Double(limit) * spread), self, kind: Timer.age)
        }
        connection.keepalive = subchannel.keepalive
        keepAlive()
        subchannel.connectionReady(self)
    }

    /// Asks whether the upstream lives, where that is configured.
    private func keepAlive() {
        keepaliveTimer = nil
        let options = subchannel.options
        guard let time = connection.keepalive.time else { return }
        let wait = connection.keepAlive(
            isNeeded: options.keepaliveWithoutCalls || connection.streamCount > 0)
        guard !connection.isClosed else { return }
        // A call may begin at any time.
        keepaliveTimer = reactor.loop.schedule(
            after: min(wait, time), self, kind: Timer.keepalive)
    }

    /// Opens no more streams: the upstream announced its end, or the connection is used up or replaced.
    func retire() {
        guard phase == .ready else { return }
        phase = .draining
        connection.closeWhenUnused()
        subchannel.connectionDraining(self)
    }

    /// Takes no more calls; closes after the last one.
    func drain() {
        guard phase == .ready, callCount > 0 else {
            close("the upstream's address is gone")
            return
        }
        phase = .draining
        connection.closeWhenUnused()
    }

    private func streamClosed(_ stream: HTTP2Stream, code: UInt32) {
        stream.owner?.upstreamClosed(
            code: code, connectionFailure: connection.isClosed ? closeReason : nil)
        reactor.streams.giveBack(stream)
        subchannel.capacityChanged()
    }

    // MARK: The end

    /// Ends the connection; every call on it that is not answered fails.
    func close(_ reason: String) { connection.close(.closed(reason)) }

    func connectionClosed() {
        cancelTimer()
        subchannel.connectionClosed(self, reason: closeReason)
    }

    /// Whether it ended since the upstream said nothing after a PING.
    var isSilent: Bool { connection.end == .silent }

    private var closeReason: String {
        switch connection.end {
        case .closed(let reason): reason
        case .cannotRead(let error): error.reason
        case .cannotWrite(let reason): "write failed: \(reason)"
        case .protocolViolation(let error):
            "the upstream does not speak HTTP/2: \(error.description)"
        case .silent:
            "the upstream sent nothing for "
                + ConfigurationUnits.format(nanoseconds: connection.keepalive.timeout)
                + " after a keepalive PING"
        case .peerClosed, .finished, .headTimeout, nil: "connection closed by the upstream"
        }
    }

    private func cancelTimer() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        if let keepaliveTimer { reactor.loop.cancel(keepaliveTimer) }
        keepaliveTimer = nil
    }

    func timerFired(_ kind: UInt8) {
        if kind == Timer.keepalive { return keepAlive() }
        timer = nil
        if kind == Timer.age { return subchannel.connectionAged(self) }
        let time = ConfigurationUnits.format(nanoseconds: subchannel.options.connectTimeout)
        close("the upstream sent no HTTP/2 SETTINGS within \(time)")
    }
}
