import ProtoRuntime
import Transcode

/// One HTTP/2 connection to an upstream: opens streams for calls and hands them what comes back.
final class UpstreamConnection: EventHandler, Flushable, TimerTarget {
    /// Connecting includes the TLS handshake and the upstream's SETTINGS (gRPC's minimum connect timeout).
    static let connectNanoseconds: Int64 = 20_000_000_000
    static let outputBytesMax = 256 << 10

    private enum Phase { case connecting, shakingHands, awaitingSettings, ready, draining, closed }

    private let reactor: Reactor
    private unowned let subchannel: Subchannel
    private let session: HTTP2Session
    private var transport: Transport
    private var phase = Phase.connecting
    private var isFlushQueued = false
    private var timer: EventLoop.TimerID?

    /// Starts to connect; the outcome is told to `subchannel`.
    init(to address: SocketAddress, for subchannel: Subchannel, reactor: Reactor)
        throws(SystemError)
    {
        self.reactor = reactor
        self.subchannel = subchannel
        do throws(HTTP2Error) {
            session = try HTTP2Session(
                role: .client, limits: reactor.settings.upstreamHTTP2, pool: reactor.streams)
        } catch {
            throw SystemError("nghttp2_session_client_new", code: 12)
        }
        let socket = try Socket(family: address.family)
        transport = Transport(socket: socket, loop: reactor.loop)
        do throws(SystemError) {
            _ = try socket.connect(to: address)
            try transport.register(self, connecting: true)
        } catch {
            socket.close()
            throw error
        }
        socket.disableDelay()
        timer = reactor.loop.schedule(after: UpstreamConnection.connectNanoseconds, self)
    }

    /// Whether one more stream may be opened now.
    var canOpenStream: Bool { phase == .ready && session.streamCount < session.peerStreamsMax }
    var streamCount: Int { session.streamCount }

    // MARK: Calls

    /// Opens a stream with `head`; its body is what the stream holds and what follows by `send`.
    func open(_ stream: HTTP2Stream, _ head: borrowing Fields) throws(HTTP2Error) {
        try session.request(stream, head)
        if session.isUsedUp { retire() }
        flushLater()
    }

    func send(_ stream: HTTP2Stream, _ bytes: Span<UInt8>) {
        stream.append(bytes)
        session.resume(stream)
        flushLater()
    }

    /// The stream's own output was filled, or finished.
    func resume(_ stream: HTTP2Stream) {
        session.resume(stream)
        flushLater()
    }

    func reset(_ stream: HTTP2Stream, code: UInt32) {
        session.reset(stream, code: code)
        flushLater()
    }

    /// What was received on the stream is disposed of: the upstream may send as much again.
    func consume(_ stream: HTTP2Stream) {
        session.consume(stream)
        flushLater()
    }

    // MARK: Events

    func handle(_ readiness: Readiness) {
        switch phase {
        case .closed: return
        case .connecting: return finishConnecting()
        case .shakingHands: return shakeHands()
        case .awaitingSettings, .ready, .draining: break
        }
        let readiness = transport.translate(readiness)
        if readiness.contains(.writable) { flush() }
        if phase != .closed, readiness.contains(.readable) {
            read()
        } else if phase != .closed, !readiness.isDisjoint(with: [.failed, .hangUp]) {
            close("connection closed by the upstream")
        }
    }

    private func finishConnecting() {
        do throws(SystemError) {
            try transport.socket.finishConnect()
        } catch {
            close(error.reason)
            return
        }
        guard let context = subchannel.tls else {
            transport.becameConnected()
            phase = .awaitingSettings
            flush()
            return
        }
        phase = .shakingHands
        do throws(TLSFailure) {
            transport.secure(by: try TLSStream(connecting: transport.socket, context))
            shakeHands()
        } catch {
            close("TLS: \(error.reason)")
        }
    }

    private func shakeHands() {
        do throws(TLSFailure) {
            guard try transport.handshake() else { return }
        } catch {
            reactor.tlsCounters.countUpstream(succeeded: false)
            close("TLS handshake failed: \(error.reason)")
            return
        }
        guard transport.tls?.applicationProtocol == .http2 else {
            reactor.tlsCounters.countUpstream(succeeded: false)
            close("TLS: the upstream does not offer HTTP/2 (ALPN h2)")
            return
        }
        reactor.tlsCounters.countUpstream(succeeded: true)
        phase = .awaitingSettings
        flush()
        // The upstream's first bytes may have come with its last ones of the handshake.
        if phase != .closed { read() }
    }

    private func read() {
        var block = reactor.loop.takeInput()
        do throws(TransportError) {
            switch try transport.read(into: &block, atMost: EventLoop.readBytesMax) {
            case .bytes: process(block.bytes)
            case .blocked: break
            case .end: close("connection closed by the upstream")
            }
        } catch {
            close(error.reason)
        }
        reactor.loop.returnInput(block)
    }

    private func process(_ input: Span<UInt8>) {
        do throws(HTTP2Error) {
            try session.receive(input)
        } catch {
            dispatch(input)
            flush()
            close("the upstream does not speak HTTP/2: \(error.description)")
            return
        }
        dispatch(input)
        flushLater()
    }

    private func dispatch(_ input: Span<UInt8>) {
        let events = session.takeEvents()
        for event in events {
            switch event.kind {
            case .head(let isLast): event.stream?.owner?.upstreamHead(isLast: isLast)
            case .body(let range):
                guard let stream = event.stream else { continue }
                if let owner = stream.owner {
                    owner.upstreamBody(input.extracting(range))
                } else {
                    session.consume(stream)
                }
            case .end: event.stream?.owner?.upstreamEnd()
            case .drained: event.stream?.owner?.upstreamDrained()
            case .closed(let code):
                if let stream = event.stream { streamClosed(stream, code: code) }
            case .settings: settingsReceived()
            case .goAway: retire()
            }
        }
        session.recycle(events)
    }

    private func settingsReceived() {
        guard phase == .awaitingSettings else {
            subchannel.capacityChanged()
            return
        }
        phase = .ready
        cancelTimer()
        subchannel.connectionReady()
    }

    /// Opens no more streams: the upstream announced its end, or the connection is used up.
    private func retire() {
        guard phase == .ready else { return }
        phase = .draining
        subchannel.connectionDraining(self)
    }

    /// Takes no more calls; closes after the last one.
    func drain() {
        guard phase == .ready, session.streamCount > 0 else {
            close("the upstream's address is gone")
            return
        }
        phase = .draining
    }

    private func streamClosed(_ stream: HTTP2Stream, code: UInt32) {
        let reason = phase == .closed ? closeReason : nil
        stream.owner?.upstreamClosed(code: code, connectionFailure: reason)
        reactor.streams.giveBack(stream)
        subchannel.capacityChanged()
    }

    // MARK: Writing and closing

    private var isConnecting: Bool { phase == .connecting || phase == .shakingHands }

    private func flushLater() {
        guard !isFlushQueued, !isConnecting else { return }
        isFlushQueued = true
        reactor.loop.flushLater(upstream: self)
    }

    func flush() {
        isFlushQueued = false
        guard phase != .closed, !isConnecting else { return }
        do {
            var more = true
            while more {
                more = try session.collect(
                    into: &transport.output, limit: UpstreamConnection.outputBytesMax)
                guard try transport.flush() else { break }
            }
        } catch {
            close("write failed: \(error)")
            return
        }
        dispatch(Span())
        if !session.wantsMore || (phase == .draining && session.streamCount == 0) {
            close("connection closed by the upstream")
        }
    }

    private var closeReason: String?

    /// Ends the connection; every call on it that is not answered fails.
    func close(_ reason: String) {
        guard phase != .closed else { return }
        let wasDraining = phase == .draining
        phase = .closed
        closeReason = reason
        cancelTimer()
        session.abandonStreams(code: HTTP2Code.cancel)
        dispatch(Span())
        transport.close()
        subchannel.connectionClosed(self, reason: reason, wasDraining: wasDraining)
    }

    private func cancelTimer() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        switch phase {
        case .connecting: close("connecting took longer than 20 s")
        case .shakingHands: close("the TLS handshake took longer than 20 s")
        default: close("the upstream sent no HTTP/2 SETTINGS within 20 s")
        }
    }
}
