import Testing
import Transcode

@testable import Gateway

extension ChannelSimulation {
    /// What holds after every event.
    func checkInvariants() {
        must(limits.calls.count == calls.count, "calls are counted")
        must(limits.waiting.count == waiting.count, "waiting calls are counted")
        must(waiting.count == calls.count { $0.isQueued }, "waiting calls are in the queue")
        must(limits.retries.count == calls.count(where: \.isRetried), "retries are counted")
        must(limits.calls.count <= ChannelSimulation.callsMax, "no more calls than may be")
        must(limits.waiting.count <= ChannelSimulation.waitingMax, "no more wait than may")
        must(limits.retries.count <= ChannelSimulation.retriesMax, "no more retries than may be")
        if waiting.count > 0 {
            must(endpoints.allSatisfy { $0.load == nil }, "nobody waits who could go")
            must(
                !haveAllFailed || calls.allSatisfy { !$0.isQueued || $0.waitsForReady },
                "nobody waits for what does not come, unless he wants to")
        }
        for endpoint in endpoints + retired { check(endpoint) }
        for call in calls { check(call) }
        let held = (endpoints + retired).flatMap { endpoint in
            [endpoint.timer] + (endpoint.connections + endpoint.draining).map(\.timer)
        }
        let owned = (held + calls.flatMap { [$0.deadlineTimer, $0.retryTimer] }).count { $0 != nil }
        // Besides: the sweep, and the next address of pick_first.
        must((owned...owned + 2).contains(wheel.count), "every timer belongs to somebody")
    }

    private func check(_ endpoint: SimulatedEndpoint) {
        if endpoint.state.connectivity != .shutdown {
            must(
                endpoint.state.readyCount == endpoint.connections.count,
                "the state knows the connections")
            must(endpoint.connections.count <= connectionsMax, "no more connections than may be")
        }
        must(!endpoint.isConnecting || endpoint.timer == nil, "an attempt or a wait, not both")
        for connection in endpoint.connections + endpoint.draining {
            must(
                !connection.isClosed
                    && connection.calls.allSatisfy { $0.connection === connection },
                "a connection has its calls")
            must(!connection.isDraining || !connection.calls.isEmpty, "the last call ends it")
            guard let time = connection.keepalive.time else { continue }
            let limit = 2 * time + connection.keepalive.timeout + 10 * ChannelSimulation.millisecond
            must(
                connection.calls.allSatisfy {
                    now - max($0.openedAt, connection.lastRead) <= limit
                },
                "keepalive finds a silent connection with a call")
        }
    }

    private func check(_ call: SimulatedCall) {
        must(call.endings == 0, "a call that is under way has not ended")
        must(now <= call.deadline + ChannelSimulation.millisecond, "a call ends at its deadline")
        must((call.phase == .inFlight) == (call.connection != nil), "a stream has a connection")
        must(call.attempts.previous < call.policy.attemptsMax, "the policy limits retries")
        must(call.streamsAfterCommit == 0, "an answer that has begun is not made again")
        must(
            call.streamCount <= call.policy.attemptsMax + call.unprocessedCount,
            "more attempts than the policy and the upstream allow")
    }

    /// What holds once everything is over.
    func checkEnd() {
        must(begun.allSatisfy { $0.endings == 1 }, "a call ends exactly once")
        must(
            limits.calls.count == 0 && limits.waiting.count == 0 && limits.retries.count == 0
                && waiting.count == 0, "counts return to zero")
        must(retired.isEmpty && limits.endpoints.all.isEmpty, "addresses are left")
        must(wheel.count == 0, "timers are left")
    }
}

@Suite struct ChannelSimulationTests {
    /// Runs one order of events; returns what did not hold, and when.
    private static func run(_ simulation: ChannelSimulation, seed: UInt64) -> String? {
        for step in 0..<200 {
            simulation.step()
            simulation.checkInvariants()
            if let first = simulation.violations.first {
                return "seed \(seed), step \(step): \(first)"
            }
        }
        // No new calls; those under way have their deadlines.
        simulation.pass(ChannelSimulation.timeMax)
        simulation.checkInvariants()
        simulation.must(simulation.calls.isEmpty, "a call is under way after its deadline")
        simulation.shutDown()
        simulation.checkEnd()
        return simulation.violations.first.map { "seed \(seed), at the end: \($0)" }
    }

    @Test(arguments: 0..<20)
    func `whatever happens in whatever order, every call ends once`(block: UInt64) {
        var wrong: [String] = []
        var happenings: Set<ChannelSimulation.Happening> = []
        for seed in block * 100..<(block + 1) * 100 {
            let simulation = ChannelSimulation(seed: seed)
            if let problem = Self.run(simulation, seed: seed) { wrong.append(problem) }
            happenings.formUnion(simulation.happenings)
        }
        #expect(wrong == [])
        #expect(Set(ChannelSimulation.Happening.allCases).subtracting(happenings) == [])
    }
}
