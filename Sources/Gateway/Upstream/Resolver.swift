import Logging

/// A name to be resolved, and the DNS server to ask where that is not the system's.
struct DNSName: Equatable {
    enum Records: Equatable {
        /// A and AAAA, which say nothing of the port.
        case addresses(UInt16)
        /// SRV, then A and AAAA of what they name.
        case services
    }

    var host: String
    var records: Records
    var server: SocketAddress?
}

/// What came of one look-up.
enum NameAnswer {
    /// At least one address, sorted, so that an unchanged answer compares equal; nanoseconds.
    case answer([ResolvedAddress], timeToLive: Int64?)
    case failure(String)
}

/// One look-up of a name, which tells its outcome once, perhaps before `start` returns; not after `cancel`.
protocol NameLookUp: AnyObject {
    func start()
    func cancel()
}

/// One reactor's view of a name that all resolve together; looks it up for the others where it is the one who asks.
final class Resolver: TimerTarget {
    private let upstream: String
    private let shared: SharedName
    private let reactor: Reactor
    private let whenChanged: () -> Void
    private let user = SharedName.newUser()
    private var lookUp: (any NameLookUp)?
    private var timer: EventLoop.TimerID?
    private var isStopped = false
    /// The log has it that look-ups fail.
    private var hasToldFailure = false
    /// What the name stands for, as far as this reactor has been told.
    private(set) var outcome = NameResolution.Outcome()

    /// - Parameters:
    ///   - upstream: as the log names it.
    ///   - whenChanged: told when `outcome` is another one.
    init(
        _ shared: SharedName, upstream: String, reactor: Reactor,
        whenChanged: @escaping () -> Void
    ) {
        self.shared = shared
        self.upstream = upstream
        self.reactor = reactor
        self.whenChanged = whenChanged
    }

    /// Takes what is known at once; `stop` must follow.
    func start() {
        let user = user
        reactor.resolvers[user] = self
        shared.join(user, reactor.loop.mailbox) { loop in loop.reactor?.resolvers[user]?.look() }
        look()
    }

    func stop() {
        isStopped = true
        reactor.resolvers[user] = nil
        cancelTimer()
        lookUp?.cancel()
        lookUp = nil
        shared.leave(user)
    }

    /// A connection failed: the name may stand for other addresses by now.
    func refresh() { shared.refresh(now: reactor.loop.now) }

    func timerFired(_ kind: UInt8) {
        timer = nil
        look()
    }

    private func look() {
        guard !isStopped else { return }
        let (known, action) = shared.look(user, now: reactor.loop.now)
        let isChanged = known != outcome
        outcome = known
        cancelTimer()
        switch action {
        case .none: break
        case .wait(let time): timer = reactor.loop.schedule(at: time, self)
        case .ask: ask()
        }
        if isChanged { whenChanged() }
    }

    private func ask() {
        let begun = reactor.makeLookUp(shared.name, reactor.loop) { [weak self] in
            self?.finished($0)
        }
        lookUp = begun
        begun.start()
    }

    private func finished(_ outcome: NameAnswer) {
        lookUp = nil
        guard !isStopped else { return }
        let before = self.outcome.addresses
        shared.finish(outcome, by: user, now: reactor.loop.now)
        look()
        log(before)
    }

    private func log(_ before: [ResolvedAddress]) {
        if let failure = outcome.failure {
            if !hasToldFailure { reactor.log.warning("upstream \(upstream): \(failure)") }
            hasToldFailure = true
            return
        }
        let host = shared.name.host
        if hasToldFailure { reactor.log.info("upstream \(upstream): \(host) is resolved again") }
        hasToldFailure = false
        guard outcome.addresses != before else { return }
        let list = outcome.addresses.map(\.address.description).joined(separator: ", ")
        reactor.log.debug("upstream \(upstream): \(host) is \(list)")
    }

    private func cancelTimer() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
    }
}
