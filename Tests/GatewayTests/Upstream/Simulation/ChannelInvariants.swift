import Transcode

@testable import Gateway

// What holds while nothing is on its way.
extension ChannelSimulation {
    func checkInvariants() {
        seen = gateways.map(\.channel.snapshot)
        for index in gateways.indices { check(index) }
        checkCounts()
        checkAddresses()
        for seen in seen { checkPriorities(seen) }
        for call in begun where !call.isChecked { check(call) }
        for connection in connections where connection.isOpen && !connection.isStopped {
            for attempt in connection.openAttempts { check(attempt) }
        }
        for upstream in upstreams { checkWatch(of: upstream) }
    }

    private func checkCounts() {
        must(
            shared.calls.count == calls.count,
            "calls are counted: \(shared.calls.count) of \(calls.count)")
        let waiting = seen.reduce(0) { $0 + $1.callsWaiting }
        must(shared.waiting.count == waiting, "waiting calls are counted")
        must(shared.calls.count <= ChannelSimulation.callsMax, "no more calls than may be")
        must(waiting <= min(ChannelSimulation.waitingMax, calls.count * 3), "no more wait than may")
        must(
            shared.retries.count <= min(ChannelSimulation.retriesMax, calls.count),
            "retries are counted")
        // Each of them has a stream upstream, unless the upstream does not look.
        guard connections.allSatisfy({ !$0.isStopped }) else { return }
        let open = connections.filter { $0.isOpen && $0.isAccepted }.flatMap(\.openAttempts).count
        let inFlight = seen.flatMap(\.endpoints).reduce(0) {
            $0 + $1.callsInFlight
        }
        must(open == inFlight, "attempts in flight are counted: \(inFlight) of \(open)")
    }

    /// One reactor asks for all, and all go by the answer.
    private func checkAddresses() {
        must(lookUps.count { $0.isOpen } <= 1, "a name is looked up once")
        for (gateway, seen) in zip(gateways, seen) where !gateway.isStopping {
            must(
                resolved.allSatisfy { upstream in
                    seen.endpoints.contains { $0.address == upstream.name }
                },
                "every reactor has every address")
        }
        guard calls.isEmpty, !gateways.contains(where: \.isStopping),
            connections.allSatisfy({ !$0.isStopped })
        else { return }
        must(
            shared.endpoints.all.allSatisfy { endpoint in
                resolved.contains { $0.address == endpoint.address }
            },
            "nobody has an address that is gone")
    }

    /// What is less wanted than an address that serves is not connected.
    private func checkPriorities(_ seen: UpstreamSnapshot) {
        let serving = seen.endpoints.filter { $0.state == .ready && !$0.isEjected && $0.isHealthy }
        let best = serving.compactMap { priorities[$0.address] }.min() ?? Int.max
        for endpoint in seen.endpoints where endpoint.connections > 0 {
            guard let priority = priorities[endpoint.address] else { continue }
            if priority > 0 { note(.failedOver) }
            must(priority <= best, "calls go to the most wanted addresses that serve")
        }
    }

    private func check(_ index: Int) {
        let (gateway, seen) = (gateways[index], seen[index])
        must(
            seen.counters.callsInFlight == gateway.calls.count,
            "a call that is under way has not ended, and one that has is not under way")
        note(seen)
        for endpoint in seen.endpoints { checkConnections(of: endpoint, index) }
        if seen.callsWaiting > 0 {
            must(
                seen.endpoints.isEmpty
                    || !seen.endpoints.allSatisfy { $0.state == .transientFailure }
                    || gateway.calls.contains { $0.method == .patient },
                "nobody waits for what does not come, unless he wants to")
        } else if gateway.calls.isEmpty {
            let own = connections.filter { $0.gateway == index }
            let limit = 6 + 2 * seen.endpoints.count + 3 * own.count
            must(gateway.loop.timerCount <= limit, "timers of calls are left")
        }
    }

    /// Nobody waits who could go.
    private func checkConnections(of endpoint: EndpointSnapshot, _ index: Int) {
        must(
            endpoint.connections <= options.connection.countMax
                + (options.connection.ageMax == nil ? 0 : 1),
            "no more connections than may be")
        guard endpoint.state == .ready, !endpoint.isEjected, endpoint.isHealthy,
            seen[index].callsWaiting > 0
        else { return }
        let taking = connections.filter {
            $0.upstream.name == endpoint.address && $0.gateway == index
                && $0.isOpen && $0.isAccepted
        }
        guard taking.count == endpoint.connections, taking.allSatisfy({ !$0.isStopped }) else {
            return
        }
        must(
            taking.allSatisfy {
                $0.attempts.count + ($0.watch == nil ? 0 : 1) >= $0.streamsMax
            }, "nobody waits who could go")
    }

    private func check(_ call: SimulatedCall) {
        guard call.isOver else {
            must(
                now <= call.deadline + 2 * ChannelSimulation.millisecond,
                "a call ends at its deadline")
            return
        }
        call.isChecked = true
        must(call.closings == 1, "a call ends exactly once")
        must(call.endings == 1 || call.wasCancelled || call.code == nil, "a call has one status")
        if call.code == 0 { note(.succeeded) }
        if call.code == 4 { note(.deadlineExceeded) }
        guard let attempt = call.attempt else {
            must(call.messages.isEmpty, "messages belong to an attempt")
            return
        }
        let message = SimulatedMessage.envelope("\(call.number)/\(attempt)")
        let count = call.messages.count / message.count
        must(
            call.messages == Array(repeatElement(message, count: count).joined()),
            "all that a call gets is of one attempt of its own")
        must(call.code != 0 || count > 0, "a success has its message")
    }

    private func check(_ attempt: SimulatedAttempt) {
        let call = attempt.call
        must(!call.isOver, "an attempt ends with its call")
        let others = connections.filter { $0.isOpen && !$0.isStopped }.flatMap(\.openAttempts)
            .filter {
                $0.call === call
            }
        if attempt.hasHead {
            call.isCommitted = true
            note(.committed)
            must(others.count == 1, "once one has answered, the others are cancelled")
        }
        must(others.count == 1 || call.method.isHedged, "attempts follow each other")
        if others.count > 1 { note(.hedgesSideBySide) }
    }

    /// The health of an address is watched by exactly one reactor that is connected to it.
    private func checkWatch(of upstream: SimulatedUpstream) {
        let own = upstream.connections.filter { $0.isOpen && $0.isAccepted }
        guard own.allSatisfy({ !$0.isStopped }) else { return }
        let watches = own.filter { $0.watch != nil }
        must(watches.count <= 1, "an address is watched once")
        let endpoint = shared.endpoints.all.first { $0.address == upstream.address }
        guard checksHealth, let endpoint else {
            return must(watches.isEmpty, "nobody asks in vain")
        }
        if let watch = watches.first {
            if let last = upstream.watcher, last != watch.gateway { note(.watchTakenOver) }
            upstream.watcher = watch.gateway
            guard let isServing = upstream.isServing else { return }
            let expected: SharedEndpoint.Obstacles = isServing ? [] : .unhealthy
            must(
                endpoint.obstacles.intersection(.health) == expected,
                "an address is as its health service says")
            return
        }
        // A connection that takes no more streams has no room for that of a watch.
        let hasRoom = gateways.indices.contains { gateway in
            let taking = own.filter { $0.gateway == gateway }
            let known = seen[gateway].endpoints.first { $0.address == upstream.name }
            return known?.connections == taking.count
                && taking.contains { $0.attempts.count < $0.streamsMax }
        }
        must(!hasRoom || upstream.hasEndedWatch, "an address that is connected is watched")
    }

    private func note(_ seen: UpstreamSnapshot) {
        let counters = seen.counters
        let counted: [(Int, Happening)] = [
            (counters.callsRefused, .callsRefused), (seen.callsWaiting, .waited),
            (counters.waitingRefused, .waitingRefused), (counters.retries, .retried),
            (counters.retriesRefused, .retriesRefused),
            (counters.transparentRetries, .madeAgainUnseen), (counters.hedges, .hedged),
            (counters.ejections, .ejected), (counters.keepaliveTimeouts, .foundSilent),
            (counters.connectionsFailed, .refused), (counters.connectionsClosed, .broken),
        ]
        for (count, happening) in counted where count > 0 { note(happening) }
        if shared.throttle.isThrottled { note(.throttled) }
        if seen.endpoints.contains(where: { $0.connections > 1 }) { note(.anotherConnection) }
        if happened(.ejected), !seen.endpoints.contains(where: \.isEjected) { note(.takenBack) }
        if seen.counters.connectionsOpened > 0, !seen.endpoints.isEmpty,
            seen.endpoints.allSatisfy({ $0.state == .idle })
        {
            note(.slept)
        }
    }

    /// What holds once every reactor has stopped.
    func checkStopped() {
        must(begun.allSatisfy { $0.closings == 1 }, "a call ends exactly once")
        must(
            shared.calls.count == 0 && shared.waiting.count == 0 && shared.retries.count == 0,
            "counts return to zero")
        for gateway in gateways {
            must(gateway.loop.timerCount == 0, "\(gateway.loop.timerCount) timers are left")
            must(
                gateway.channel.snapshot.endpoints.allSatisfy {
                    $0.callsInFlight == 0 && $0.connections == 0
                }, "connections are left")
        }
        must(
            connections.allSatisfy { !$0.isOpen || $0.peer.isStopped },
            "the fleet has connections left")
    }
}
