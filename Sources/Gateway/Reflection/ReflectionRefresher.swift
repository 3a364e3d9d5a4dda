public import Logging

/// Asks upstreams again what they serve: by the clock, and when their connections come back. It has a thread and
/// connections of its own, so that no call waits for it.
public final class ReflectionRefresher: Sendable {
    /// One upstream to be asked.
    public struct Subject: Sendable {
        /// What the caller knows it by.
        public let index: Int
        public let upstream: UpstreamPlan
        public let limits: ReflectionLimits
        /// Nanoseconds; 0: only when its connections come back, or it could not be asked.
        public let interval: Int64
        /// What it served last; nil while nothing is known.
        public let known: ReflectedServices?

        public init(
            index: Int, upstream: UpstreamPlan, timeoutNanoseconds: Int64, interval: Int64,
            known: ReflectedServices?
        ) {
            self.index = index
            self.upstream = upstream
            var limits = ReflectionLimits()
            limits.timeoutNanoseconds = timeoutNanoseconds
            self.limits = limits
            self.interval = interval
            self.known = known
        }
    }

    /// What an upstream serves now, if that is not what it served last. Called on the refresher's thread.
    public typealias Apply = @Sendable (_ index: Int, _ services: ReflectedServices) -> Void

    private let mailbox: Mailbox
    private let names: [String: Int]
    /// By position; only the thread touches them.
    private let subjects: [Subject]
    private let log: Logger

    public init(_ subjects: [Subject], log: Logger) throws(SystemError) {
        self.subjects = subjects
        self.log = log
        mailbox = try Mailbox()
        names = Dictionary(
            subjects.enumerated().map { ($1.upstream.name, $0) },
            uniquingKeysWith: { old, _ in old })
    }

    /// Starts the thread, which lives as long as the process.
    public func start(_ apply: @escaping Apply) throws(SystemError) {
        let (subjects, mailbox, log) = (subjects, mailbox, log)
        _ = try LoopThread {
            do throws(SystemError) {
                let reactor = try ReflectionFetch.makeReactor(log, mailbox: mailbox)
                let rounds = RefreshRounds(subjects, reactor: reactor, log: log, apply: apply)
                reactor.loop.reactor = reactor
                reactor.refreshRounds = rounds
                rounds.start()
                try reactor.loop.run()
            } catch {
                log.error("reflection is not kept fresh: \(error)")
            }
        }
    }

    /// A connection to this upstream came back. Safe from any thread.
    public func upstreamIsBack(_ name: String) {
        guard let position = names[name] else { return }
        mailbox.send { loop in loop.reactor?.refreshRounds?.reconnected(position) }
    }
}

/// The refresher's work on its own thread.
final class RefreshRounds: TimerTarget {
    private enum Timer { static let (due, answered): (UInt8, UInt8) = (0, 1) }

    private struct Round {
        var schedule: RefreshSchedule
        var known: ReflectedServices?
        var driver: ReflectionDriver?
        var timer: EventLoop.TimerID?
        /// The last failure is in the log.
        var hasFailed = false
    }

    private let subjects: [ReflectionRefresher.Subject]
    private let reactor: Reactor
    private let log: Logger
    private let apply: ReflectionRefresher.Apply
    private var rounds: [Round] = []

    init(
        _ subjects: [ReflectionRefresher.Subject], reactor: Reactor, log: Logger,
        apply: @escaping ReflectionRefresher.Apply
    ) {
        self.subjects = subjects
        self.reactor = reactor
        self.log = log
        self.apply = apply
        rounds = subjects.map { subject in
            Round(
                schedule: RefreshSchedule(
                    interval: subject.interval, isKnown: subject.known != nil,
                    now: reactor.loop.now, chance: .random(in: 0...1)),
                known: subject.known)
        }
    }

    func start() {
        for index in rounds.indices { awaitNext(index) }
    }

    func reconnected(_ index: Int) {
        rounds[index].schedule.reconnected(now: reactor.loop.now, chance: .random(in: 0...1))
        if rounds[index].driver == nil { awaitNext(index) }
    }

    func timerFired(_ kind: UInt8) {
        guard kind == Timer.due else {
            for index in rounds.indices { finish(index) }
            return
        }
        for index in rounds.indices where rounds[index].driver == nil {
            guard let due = rounds[index].schedule.due, due <= reactor.loop.now else { continue }
            ask(index)
        }
    }

    private func awaitNext(_ index: Int) {
        if let timer = rounds[index].timer { reactor.loop.cancel(timer) }
        rounds[index].timer = rounds[index].schedule.due.map {
            reactor.loop.schedule(at: $0, self, kind: Timer.due)
        }
    }

    private func ask(_ index: Int) {
        rounds[index].timer = nil
        rounds[index].schedule.asked(now: reactor.loop.now)
        let (subject, reactor) = (subjects[index], reactor)
        let driver = ReflectionDriver(subject.upstream, reactor: reactor, limits: subject.limits) {
            // Not within the driver's own call.
            _ = reactor.loop.schedule(after: 0, self, kind: Timer.answered)
        }
        rounds[index].driver = driver
        driver.start()
    }

    private func finish(_ index: Int) {
        guard let driver = rounds[index].driver, let result = driver.result else { return }
        rounds[index].driver = nil
        driver.close()
        let (now, chance) = (reactor.loop.now, Double.random(in: 0...1))
        switch result {
        case .success(let services):
            rounds[index].hasFailed = false
            rounds[index].schedule.succeeded(now: now, chance: chance)
            if services != rounds[index].known {
                rounds[index].known = services
                apply(subjects[index].index, services)
            }
        case .failure(let error):
            rounds[index].schedule.failed(now: now, chance: chance)
            if !rounds[index].hasFailed {
                log.warning(
                    "upstream \(subjects[index].upstream.name): its services stay as they are known: \(error)"
                )
            }
            rounds[index].hasFailed = true
        }
        awaitNext(index)
    }
}
