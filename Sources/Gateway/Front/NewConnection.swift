import Logging
import ProtoRuntime

/// A client connection whose protocol is not known yet. TLS comes first where the listener has it. Then it is
/// HTTP/2 by ALPN or by its preface (RFC 9113 §3.3, §3.4), else HTTP/1.1.
final class NewConnection: EventHandler, TimerTarget, DrainingConnection {
    static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    /// Bytes that are read before the protocol is known.
    static let firstBytesMax = 16 << 10
    /// What a client gets that speaks plain HTTP to a TLS port.
    static let plainHTTPAnswer: StaticString = """
        HTTP/1.1 400 Bad Request\r
        content-type: text/plain\r
        content-length: 48\r
        connection: close\r
        gateway-error: plain_http_on_tls_port\r
        \r
        plain HTTP was sent to a port that expects TLS.\n
        """

    private let reactor: Reactor
    private let peer: SocketAddress?
    private let context: TLSServerContext?
    private var transport: Transport
    private var isShakingHands: Bool
    private var first = OutputBlock()
    private var timer: EventLoop.TimerID?

    init(_ accepted: AcceptedConnection, reactor: Reactor) {
        self.reactor = reactor
        peer = accepted.peer
        context = accepted.tls
        isShakingHands = accepted.tls != nil
        transport = Transport(socket: accepted.socket, loop: reactor.loop)
    }

    func start() {
        transport.socket.disableDelay()
        do {
            if let context {
                transport.secure(by: try TLSStream(accepting: transport.socket, context))
            }
            try transport.register(self)
            timer = reactor.loop.schedule(after: reactor.settings.headNanoseconds, self)
            reactor.connectionOpened(self)
        } catch {
            reactor.log.warning("a new connection was dropped: \(error)")
            transport.socket.close()
            reactor.connectionClosed(self)
        }
    }

    func handle(_ readiness: Readiness) {
        guard transport.isOpen else { return }
        if isShakingHands, !shakeHands() { return }
        read(transport.translate(readiness))
    }

    /// Goes on with the handshake; true when it is done.
    private func shakeHands() -> Bool {
        do throws(TLSFailure) {
            guard try transport.handshake() else { return false }
        } catch {
            handshakeFailed(error)
            return false
        }
        isShakingHands = false
        reactor.tlsCounters.countClient(succeeded: true)
        return true
    }

    private func handshakeFailed(_ failure: TLSFailure) {
        let address = peer?.description ?? "an unknown address"
        // Who connects only to see whether the port is open says nothing.
        guard transport.tls?.hasReceivedBytes ?? false else {
            reactor.log.debug("tls: \(address) sent nothing: \(failure.reason)")
            close()
            return
        }
        reactor.tlsCounters.countClient(succeeded: false)
        logFailure("tls: handshake with \(address) failed: \(failure.reason)")
        if failure.isPlainHTTP {
            var answer = OutputBlock()
            answer.append(NewConnection.plainHTTPAnswer)
            // A courtesy: who does not get it sees the connection end.
            _ = try? transport.socket.write(answer.bytes)
        }
        close()
    }

    private func logFailure(_ line: String) {
        let admission = reactor.handshakeLog.admit(now: reactor.loop.now)
        guard admission.isAdmitted else { return }
        if admission.dropped > 0 {
            reactor.log.info("tls: \(admission.dropped) more failed handshakes were not logged")
        }
        reactor.log.info("\(line)")
    }

    private func read(_ readiness: Readiness) {
        do throws(TransportError) {
            switch try transport.read(into: &first, atMost: NewConnection.firstBytesMax) {
            case .bytes: break
            case .blocked:
                if readiness.contains(.failed) {
                    close()
                    return
                }
            case .end:
                close()
                return
            }
        } catch {
            close()
            return
        }
        if transport.tls?.applicationProtocol == .http2 {
            handOver(isHTTP2: true)
        } else if let isHTTP2 = NewConnection.isHTTP2(first.bytes) {
            handOver(isHTTP2: isHTTP2)
        }
    }

    /// Gives stream and bytes to the connection that speaks the protocol.
    private func handOver(isHTTP2: Bool) {
        let peer = Peer(peer, tls: transport.tls, reactor.settings.trustedProxies)
        let stream = transport.release()
        cancelTimer()
        reactor.connectionReplaced(self)
        var received = OutputBlock()
        swap(&received, &first)
        do {
            if isHTTP2 {
                try HTTP2ClientSide(stream, peer: peer, reactor: reactor).start(
                    with: received.bytes)
            } else {
                try HTTP1Connection(stream, peer: peer, reactor: reactor).start(
                    with: received.bytes)
            }
        } catch {
            reactor.log.warning("a new connection was dropped: \(error)")
            stream.socket.close()
            reactor.connectionClosed(self)
        }
    }

    /// Whether the bytes are the preface; nil while they may still become it.
    static func isHTTP2(_ bytes: Span<UInt8>) -> Bool? {
        let length = min(bytes.count, preface.utf8CodeUnitCount)
        for index in 0..<length {
            guard unsafe bytes[index] == preface.utf8Start[index] else { return false }
        }
        return length == preface.utf8CodeUnitCount ? true : nil
    }

    private func close() {
        cancelTimer()
        transport.close()
        reactor.connectionClosed(self)
    }

    private func cancelTimer() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        if isShakingHands {
            handshakeFailed(TLSFailure("it took too long"))
        } else {
            close()
        }
    }

    func drain() { close() }
}
