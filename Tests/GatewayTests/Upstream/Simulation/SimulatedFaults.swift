import Transcode

@testable import Gateway

// What clients, the fleet and the network do, drawn from the seed.
extension ChannelSimulation {
    /// One thing happens, whatever is drawn.
    func step() throws {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<28: try beginCall()
        case 28..<52: answer()
        case 52..<55: cancelCall()
        case 55..<59: answerLookUp()
        case 59..<72: accept()
        case 72..<75: breakConnection()
        case 75..<78: goAway()
        case 78..<80: changeLife()
        case 80..<82: changeAddresses()
        case 82..<84: upstreams.randomElement(using: &random)?.refuses.toggle()
        case 84..<90: tellHealth()
        case 90: if Int.random(in: 0..<12, using: &random) == 0 { stopOne() }
        case 91: if Int.random(in: 0..<8, using: &random) == 0 { pass(45_000 * Self.millisecond) }
        default: pass(Int64.random(in: 1...1500, using: &random) * Self.millisecond)
        }
    }

    private func beginCall() throws {
        guard
            let index = gateways.indices.filter({ !gateways[$0].isStopping }).randomElement(
                using: &random)
        else { return }
        let timeout = Int64.random(in: 1...6000, using: &random) * Self.millisecond
        let method = SimulatedMethod.allCases.randomElement(using: &random) ?? .plain
        let call = SimulatedCall(begun.count, method, deadline: now + timeout)
        begun.append(call)
        try gateways[index].begin(call, timeout: timeout)
        // The deadline begins when the head arrives.
        _ = turn(index)
    }

    private func cancelCall() {
        guard let gateway = gateways.randomElement(using: &random),
            let call = gateway.calls.randomElement(using: &random)
        else { return }
        gateway.cancel(call)
        note(.cancelled)
    }

    /// An upstream goes on with an attempt.
    private func answer() {
        let open = connections.filter { $0.isOpen && !$0.isStopped }.flatMap(\.openAttempts)
        guard let attempt = open.filter(\.hasRequest).randomElement(using: &random) else { return }
        defer {
            let what = attempt.isOver ? "ended" : "answered"
            say("\(attempt.connection): \(what) attempt \(attempt.serial)")
        }
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9:
            if attempt.messages == 0 { attempt.sendMessage() }
            attempt.end(.ok)
            hasSuccessUnderWay = true
        case 9, 10: attempt.sendHead()
        case 11, 12: if attempt.call.method == .streamed { attempt.sendMessage() }
        case 13: attempt.end(.unavailable)
        case 14: attempt.end(.aborted)
        case 15: attempt.end(.invalidArgument)
        case 16:
            let pushback = ["-1", "0", "50"].randomElement(using: &random)
            attempt.end(.unavailable, pushback: saysWhen ? pushback : nil)
        case 17:
            attempt.reset(
                [HTTP2Code.cancel, HTTP2Code.internalError, HTTP2Code.noError].randomElement(
                    using: &random) ?? HTTP2Code.cancel)
        case 18: attempt.reset(HTTP2Code.refusedStream)
        default: if attempt.hasHead { attempt.end(.internal) } else { attempt.end(httpStatus: 503) }
        }
    }

    /// An upstream speaks HTTP/2 on a connection that was made.
    private func accept() {
        guard let connection = connections.filter({ !$0.isAccepted }).randomElement(using: &random)
        else { return }
        connection.isAccepted = true;
        say("\(connection): accepts")
        connection.peer.isStopped = false
        connection.peer.flush()
    }

    private func breakConnection() {
        guard let connection = anyConnection() else { return }
        say("\(connection): breaks")
        connection.peer.close()
    }

    /// An upstream says that it takes no more streams, and perhaps that it has not looked at the last ones.
    private func goAway() {
        guard let connection = anyConnection(), connection.isAccepted, !connection.isStopped,
            !connection.isLeaving
        else { return }
        connection.isLeaving = true
        let ids = connection.attempts.map(\.id) + (connection.watch.map { [$0.id] } ?? [])
        let last = ([0] + ids).randomElement(using: &random) ?? 0
        for attempt in connection.attempts where attempt.id > last && !attempt.isOver {
            attempt.isOver = true
            if !attempt.hasHead { attempt.call.unprocessed += 1 }
        }
        if let watch = connection.watch, watch.id > last { connection.watch = nil }
        connection.peer.sendGoAway(last: last)
        say("\(connection): takes no stream above \(last)")
        note(.goAway)
    }

    /// An upstream is stopped, or goes on.
    private func changeLife() {
        guard let connection = anyConnection(), connection.isAccepted else { return }
        connection.peer.isStopped.toggle()
        say("\(connection): \(connection.isStopped ? "stopped" : "goes on")")
        if !connection.isStopped { _ = receive(on: connection, isLate: true) }
    }

    private func changeAddresses() {
        let count = Int.random(in: 1...4, using: &random)
        fleet = upstreams.shuffled(using: &random).prefix(count).sorted { $0.name < $1.name }
    }

    private func answerLookUp() {
        lookUps.removeAll { !$0.isOpen }
        if let lookUp = lookUps.randomElement(using: &random) { answer(lookUp) }
    }

    /// A health service says something, or ends.
    private func tellHealth() {
        let watching = connections.filter { $0.watch != nil && !$0.isStopped }
        guard let connection = watching.randomElement(using: &random), let watch = connection.watch
        else { return }
        let session = connection.peer.session
        let upstream = connection.upstream
        if upstream.isServing == nil {
            var head = ResponseHead()
            head.fields.append("content-type", "application/grpc")
            session.respond(watch, &head, isLast: false)
        }
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1:
            upstream.hasEndedWatch = true
            watch.trailers.append("grpc-status", Bool.random(using: &random) ? "12" : "14")
            watch.finish(withTrailers: true)
            session.resume(watch)
        case 2, 3: tell(watch, on: connection, isServing: false)
        default: tell(watch, on: connection, isServing: true)
        }
        connection.peer.flush()
    }

    private func tell(_ watch: HTTP2Stream, on connection: SimulatedConnection, isServing: Bool) {
        connection.upstream.isServing = isServing
        if !isServing { note(.unhealthy) }
        watch.append(SimulatedMessage.health(isServing: isServing).span)
        connection.peer.session.resume(watch)
    }

    /// One of the two reactors ends in good order.
    private func stopOne() {
        guard !gateways.contains(where: \.isStopping) else { return }
        gateways.randomElement(using: &random)?.stop()
        note(.stopped)
    }

    private func anyConnection() -> SimulatedConnection? {
        connections.filter(\.isOpen).randomElement(using: &random)
    }
}
