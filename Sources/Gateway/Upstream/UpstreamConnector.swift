/// One attempt to reach an upstream: TCP, then TLS where the channel has it. Ends with a stream that HTTP/2 can go on
/// with, or with the reason why there is none; either is told to the subchannel once.
///
///     connecting ──▶ shakingHands ──▶ over
final class UpstreamConnector: EventHandler, TimerTarget {
    private enum Phase { case connecting, shakingHands, over }

    private let reactor: Reactor
    private unowned let subchannel: Subchannel
    private var transport: Transport
    private var phase = Phase.connecting
    /// When the attempt, with all that follows until the upstream's SETTINGS, has taken too long.
    private let deadline: Int64
    private var timer: EventLoop.TimerID?

    /// Starts to connect.
    init(to address: SocketAddress, for subchannel: Subchannel, reactor: Reactor)
        throws(SystemError)
    {
        self.reactor = reactor
        self.subchannel = subchannel
        deadline = reactor.loop.now + subchannel.options.connectTimeout
        let socket = try reactor.dial(address)
        transport = Transport(socket: socket, loop: reactor.loop)
        do throws(SystemError) {
            try transport.register(self, connecting: true)
        } catch {
            socket.close()
            throw error
        }
        timer = reactor.loop.schedule(at: deadline, self)
    }

    func handle(_ readiness: Readiness) {
        switch phase {
        case .connecting: finishConnecting()
        case .shakingHands: shakeHands()
        case .over: break
        }
    }

    private func finishConnecting() {
        do throws(SystemError) {
            try transport.socket.finishConnect()
        } catch {
            fail(error.reason)
            return
        }
        guard let context = subchannel.tls else {
            succeed()
            return
        }
        phase = .shakingHands
        do throws(TLSFailure) {
            transport.secure(by: try TLSStream(connecting: transport.socket, context))
            shakeHands()
        } catch {
            fail("TLS: \(error.reason)")
        }
    }

    private func shakeHands() {
        do throws(TLSFailure) {
            guard try transport.handshake() else { return }
        } catch {
            reactor.tlsCounters.countUpstream(succeeded: false)
            fail("TLS handshake failed: \(error.reason)")
            return
        }
        guard transport.tls?.applicationProtocol == .http2 else {
            reactor.tlsCounters.countUpstream(succeeded: false)
            fail("TLS: the upstream does not offer HTTP/2 (ALPN h2)")
            return
        }
        reactor.tlsCounters.countUpstream(succeeded: true)
        succeed()
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        let time = ConfigurationUnits.format(nanoseconds: subchannel.options.connectTimeout)
        let what = phase == .connecting ? "connecting" : "the TLS handshake"
        fail("\(what) took longer than \(time)")
    }

    // MARK: The end

    private func succeed() {
        let stream = transport.release()
        end()
        subchannel.connected(stream, deadline: deadline)
    }

    private func fail(_ reason: String) {
        cancel()
        subchannel.attemptFailed(reason)
    }

    /// Gives up; nothing is told.
    func cancel() {
        end()
        transport.close()
    }

    private func end() {
        phase = .over
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
    }
}
