import Logging
import ProtoRuntime
import Synchronization

/// How many connections a reactor has; read by the accepting one to hand out new ones evenly.
final class ReactorLoad: Sendable {
    private let count = Atomic<Int>(0)

    var connections: Int { count.load(ordering: .relaxed) }
    func connectionOpened() { count.add(1, ordering: .relaxed) }
    func connectionClosed() { count.subtract(1, ordering: .relaxed) }
}

/// A reactor as the acceptor sees it.
struct AcceptorTarget: Sendable {
    let mailbox: Mailbox
    let load: ReactorLoad
}

/// A connection that was just accepted, on its way to a reactor.
struct AcceptedConnection: Sendable {
    let socket: Socket
    /// Nil when the kernel tells none.
    let peer: SocketAddress?
    /// Where the listener speaks TLS.
    let tls: TLSServerContext?
}

/// A listening socket in the first reactor's loop: accepts, and gives each connection to the reactor that has fewest.
final class Acceptor: EventHandler, TimerTarget {
    /// Connections accepted in one turn at most.
    static let acceptsPerTurn = 64
    /// How long accepting rests when the process is out of descriptors.
    static let restNanoseconds: Int64 = 100_000_000

    private let socket: Socket
    private let tls: TLSServerContext?
    private let reactor: Reactor
    private let targets: [AcceptorTarget]
    private var token: LoopToken?

    /// `targets[0]` is `reactor` itself.
    init(
        socket: Socket, tls: TLSServerContext?, reactor: Reactor, targets: [AcceptorTarget]
    ) {
        self.socket = socket
        self.tls = tls
        self.reactor = reactor
        self.targets = targets
    }

    func start() throws(SystemError) {
        token = try reactor.loop.register(socket, interest: .readable, handler: self)
    }

    /// Closes the socket: connections are refused from now on.
    func stop() {
        guard let token else { return }
        self.token = nil
        reactor.loop.unregister(socket, token: token)
        socket.close()
    }

    func handle(_ readiness: Readiness) {
        do throws(SystemError) {
            for _ in 0..<Acceptor.acceptsPerTurn {
                guard let accepted = try socket.accept() else { return }
                handOut(
                    AcceptedConnection(socket: accepted.socket, peer: accepted.peer, tls: tls))
            }
        } catch {
            reactor.log.warning("\(error)")
            rest()
        }
    }

    private func handOut(_ accepted: AcceptedConnection) {
        var total = 0
        var chosen = 0
        for (index, target) in targets.enumerated() {
            total += target.load.connections
            if target.load.connections < targets[chosen].load.connections { chosen = index }
        }
        guard total < reactor.settings.connectionsMax else {
            accepted.socket.close()
            return
        }
        targets[chosen].load.connectionOpened()
        if chosen == 0 {
            reactor.serve(accepted)
        } else {
            targets[chosen].mailbox.send { loop in loop.reactor?.serve(accepted) }
        }
    }

    private func rest() {
        guard let token else { return }
        try? reactor.loop.setInterest([], of: socket, token: token)
        _ = reactor.loop.schedule(after: Acceptor.restNanoseconds, self)
    }

    func timerFired(_ kind: UInt8) {
        guard let token else { return }
        try? reactor.loop.setInterest(.readable, of: socket, token: token)
    }
}
