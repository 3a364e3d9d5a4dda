import Testing
import Transcode

@testable import Gateway

// The calls of the simulation, and what is done to them.
extension ChannelSimulation {
    // MARK: Calls

    func beginCall() {
        var policy = RetryPolicy()
        policy.attemptsMax = Int.random(in: 1...4, using: &random)
        policy.codes = [.unavailable, StatusCodeSet(.aborted)]
        let call = SimulatedCall(
            UInt64(begun.count),
            deadline: now
                + Int64.random(
                    in: ChannelSimulation.millisecond...ChannelSimulation.timeMax, using: &random),
            policy: policy, waitsForReady: Int.random(in: 0..<4, using: &random) == 0
        ) { [unowned self] call in attemptFailed(call, .status(.unavailable, .none)) }
        begun.append(call)
        guard limits.calls.take() else {
            note(.callsWereMany)
            call.phase = .ended
            call.endings += 1
            return
        }
        calls.append(call)
        call.deadlineTimer = wheel.schedule(at: call.deadline, .deadline(call))
        start(call)
    }

    func start(_ call: SimulatedCall) {
        if waiting.count == 0, let connection = pick() { return open(call, on: connection) }
        if !call.waitsForReady, haveAllFailed {
            return attemptFailed(call, .status(.unavailable, .none))
        }
        guard limits.waiting.take() else {
            note(.queueWasFull)
            return attemptFailed(call, .status(.unavailable, .none))
        }
        note(.queued)
        call.phase = .queued
        waiting.append(call)
        connectAddresses()
        connectMore()
    }

    func open(_ call: SimulatedCall, on connection: SimulatedConnection) {
        must(call.phase != .inFlight && call.phase != .ended, "a call is opened once at a time")
        call.phase = .inFlight
        call.connection = connection
        call.openedAt = now
        call.hasLeft = Int.random(in: 0..<5, using: &random) > 0
        call.streamCount += 1
        if call.attempts.isCommitted { call.streamsAfterCommit += 1 }
        connection.calls.append(call)
    }

    func attemptFailed(_ call: SimulatedCall, _ failure: CallAttempts.Failure) {
        call.phase = .waiting
        leaveConnection(call)
        let wait = call.attempts.waitAfter(
            failure, policy: call.policy, random: draw(),
            isThrottled: {
                let isThrottled = limits.throttle.failed()
                if isThrottled { note(.throttled) }
                if !isThrottled, !call.isRetried { call.isRetried = limits.retries.take() }
                return isThrottled || !call.isRetried
            })
        guard let wait, call.deadline - now > wait else { return end(call) }
        switch failure {
        case .unsent:
            note(.unsent)
            call.unprocessedCount += 1
        case .refused where wait == 0:
            note(.refused)
            call.unprocessedCount += 1
        case .refused, .status: note(.retried)
        }
        if wait == 0 {
            start(call)
        } else {
            call.retryTimer = wheel.schedule(at: now + wait, .retry(call))
        }
    }

    func end(_ call: SimulatedCall) {
        if call.isQueued {
            waiting.leave(call)
            limits.waiting.giveBack()
        }
        call.phase = .ended
        call.endings += 1
        cancel(&call.deadlineTimer)
        cancel(&call.retryTimer)
        if call.isRetried { limits.retries.giveBack() }
        call.isRetried = false
        limits.calls.giveBack()
        calls.removeAll { $0 === call }
        leaveConnection(call)
    }

    /// Its stream is over: another call may have its place.
    private func leaveConnection(_ call: SimulatedCall) {
        guard let connection = call.connection else { return }
        call.connection = nil
        connection.calls.removeAll { $0 === call }
        guard !connection.isClosed else { return }
        if connection.isDraining, connection.calls.isEmpty { close(connection) }
        dispatchWaiting()
    }

    // MARK: Events

    /// One thing happens, whatever is drawn.
    func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: beginCall()
        case 30..<50: answer()
        case 50..<60: headArrives()
        case 60..<65: if let call = anyCall() { end(call) }
        case 65..<80: attemptEnds()
        case 80..<83: if let connection = anyConnection() { close(connection) }
        case 83..<86:
            if let connection = anyConnection() {
                let count = connection.calls.count
                goAway(connection, kept: Int.random(in: 0...count, using: &random))
            }
        case 86..<88: anyConnection()?.isSilent = true
        case 88..<90: changeStreamsMax()
        case 90..<92:
            resolve(to: (0..<5).filter { _ in Bool.random(using: &random) }.prefixOrFirst)
        case 92..<95: healthChanges()
        default: pass(Int64.random(in: 0...3000, using: &random) * ChannelSimulation.millisecond)
        }
    }

    /// The stream of a call ends.
    private func answer() {
        guard let call = anyCall(), call.phase == .inFlight, let connection = call.connection,
            !connection.isSilent, call.hasLeft
        else { return }
        connection.lastRead = now
        let kind = Int.random(in: 0..<10, using: &random)
        guard kind < 6 else {
            if kind == 9 { return attemptFailed(call, .refused) }
            connection.hasAnswered = true
            let code: StatusCode = kind == 6 ? .aborted : .unavailable
            connection.endpoint.shared.record(code)
            let pushback: CallAttempts.Pushback =
                kind == 8
                ? [.never, .after(0), .after(50 * ChannelSimulation.millisecond)].randomElement(
                    using: &random) ?? .none : .none
            return attemptFailed(call, .status(code, pushback))
        }
        connection.hasAnswered = true
        connection.endpoint.shared.record(.ok)
        limits.throttle.succeeded()
        end(call)
    }

    /// The answer of a call begins.
    private func headArrives() {
        guard let call = anyCall(), let connection = call.connection, !connection.isSilent,
            call.hasLeft
        else { return }
        connection.lastRead = now
        connection.hasAnswered = true
        call.attempts.commit()
        note(.committed)
    }

    private func attemptEnds() {
        guard
            let endpoint = endpoints.filter(\.isConnecting).randomElement(using: &random)
        else { return }
        if Int.random(in: 0..<3, using: &random) > 0 {
            attemptSucceeded(endpoint, streamsMax: Int.random(in: 1...6, using: &random))
        } else {
            attemptFailed(endpoint)
        }
    }

    private func changeStreamsMax() {
        guard let connection = anyConnection() else { return }
        connection.streamsMax = Int.random(in: 0...6, using: &random)
        dispatchWaiting()
    }

    private func healthChanges() {
        guard checksHealth, let endpoint = endpoints.randomElement(using: &random) else { return }
        let states: [HealthWatchState.Health] = [.serving, .serving, .notServing, .unknown]
        note(.unhealthy)
        endpoint.shared.set(states.randomElement(using: &random) ?? .serving)
        obstaclesChanged()
    }

    private func anyCall() -> SimulatedCall? { calls.randomElement(using: &random) }

    private func anyConnection() -> SimulatedConnection? {
        (endpoints + retired).flatMap { $0.connections + $0.draining }.randomElement(
            using: &random)
    }
}

extension [Int] {
    /// Never empty: a name stands for one address at least.
    fileprivate var prefixOrFirst: [UInt8] { isEmpty ? [0] : map { UInt8($0) } }
}
