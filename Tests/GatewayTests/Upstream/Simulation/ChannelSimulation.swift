import ProtoRuntime
import Transcode

@testable import Gateway

/// Two reactors of a gateway with everything that is real in them, between clients and a fleet that are played: from one
/// seed come what these do, in which order (SimulatedFaults.swift), and all that the reactors draw themselves. Time passes
/// when the simulation says so. What must hold is looked at whenever nothing is on its way (ChannelInvariants.swift).
final class ChannelSimulation {
    static let millisecond: Int64 = 1_000_000
    /// No call takes longer.
    static let timeMax = 6000 * millisecond
    static let addresses = 5
    static let (callsMax, waitingMax, retriesMax) = (12, 6, 4)
    /// Turns after which a gateway that nobody tells anything has come to rest.
    static let turnsMax = 500

    var random: RandomSource
    let options: UpstreamOptions
    let shared: UpstreamShared
    let upstreams: [SimulatedUpstream]
    private(set) var gateways: [SimulatedGateway] = []
    /// What the name stands for, and what the last answer was.
    var fleet: [SimulatedUpstream] = []
    private(set) var resolved: [SimulatedUpstream] = []
    /// The priority of each address in the last answer, by its name.
    private(set) var priorities: [String: Int] = [:]
    /// DNS says of addresses how much they are wanted.
    private let hasPriorities: Bool
    /// Questions that wait for an answer, and which reactor asked last.
    var lookUps: [SimulatedLookUp] = []
    private var asker: Int?
    private(set) var now: Int64 = 1_000_000_000_000
    /// What each reactor sees, when nothing is on its way.
    var seen: [UpstreamSnapshot] = []
    /// Every call that was ever begun.
    var begun: [SimulatedCall] = []
    private(set) var attempts = 0
    /// What did not hold.
    private(set) var violations: [String] = []
    /// What happened at all: a simulation in which nothing does proves nothing.
    private(set) var happenings: Set<Happening> = []
    /// A success has been sent that the gateway may not know.
    var hasSuccessUnderWay = false
    /// Upstreams say when an attempt is to be made again: what then follows was decided before.
    let saysWhen: Bool
    /// Set where one order of events is looked at, by whoever has to understand it.
    private let keepsLog: Bool
    private(set) var log: [String] = []
    private let pool = HTTP2StreamPool()

    enum Happening: CaseIterable {
        case callsRefused, waited, waitingRefused, retried, retriesRefused, madeAgainUnseen, hedged
        case hedgesSideBySide, throttled, committed, deadlineExceeded, cancelled, ejected, takenBack
        case unhealthy, watchTakenOver, foundSilent, lookUpTakenOver, goAway, refused, broken,
            anotherConnection, failedOver
        case slept, stopped, succeeded
    }

    private static let snapshot = Result { Snapshot(methods: try SimulatedMethod.table()) }

    init(seed: UInt64, keepsLog: Bool = false) throws {
        self.keepsLog = keepsLog
        random = RandomSource(seed: seed)
        saysWhen = Bool.random(using: &random)
        hasPriorities = Int.random(in: 0..<3, using: &random) == 0
        options = ChannelSimulation.options(&random)
        upstreams = (0..<ChannelSimulation.addresses).compactMap {
            SocketAddress(numericHost: "10.0.0.\($0)", port: 1).map(SimulatedUpstream.init)
        }
        let plan = UpstreamPlan(
            name: "fleet", targets: [.name(host: "fleet", port: 1, server: nil)], options: options)
        shared = plan.shared
        fleet = Array(upstreams.prefix(Int.random(in: 1...4, using: &random)))
        let snapshot = try Self.snapshot.get()
        for index in 0..<2 {
            gateways.append(
                try SimulatedGateway(
                    plan, snapshot, now: now, seed: random.next(), pool: pool,
                    dial: { [unowned self] (address) throws(SystemError) in
                        try connect(address, from: index)
                    },
                    lookUp: { [unowned self] in
                        if let asker, asker != index { note(.lookUpTakenOver) }
                        asker = index
                        lookUps.append($0)
                    }))
        }
        for lookUp in lookUps { answer(lookUp) }
    }

    private static func options(_ random: inout RandomSource) -> UpstreamOptions {
        var options = UpstreamOptions()
        options.balance =
            [.roundRobin, .leastRequest, .pickFirst].randomElement(using: &random) ?? .roundRobin
        options.health = Bool.random(using: &random) ? "" : nil
        options.connection.countMax = Int.random(in: 1...3, using: &random)
        options.connection.keepaliveTime = Bool.random(using: &random) ? 2000 * millisecond : nil
        options.connection.keepaliveTimeout = 500 * millisecond
        options.connection.ageMax =
            Int.random(in: 0..<4, using: &random) == 0 ? 4000 * millisecond : nil
        options.connection.idleMax = 20_000 * millisecond
        options.resolveIntervalMin = 500 * millisecond
        options.circuit.callsMax = callsMax
        options.circuit.waitingMax = waitingMax
        options.circuit.retriesMax = retriesMax
        options.throttle.tokensMax = 20
        var outliers = OutlierOptions()
        outliers.interval = 1000 * millisecond
        outliers.baseEjection = 3000 * millisecond
        outliers.ejectedPercentMax = 50
        outliers.failurePercentage = OutlierOptions.FailurePercentage()
        outliers.failurePercentage?.threshold = 50
        outliers.failurePercentage?.hostsMin = 2
        outliers.failurePercentage?.volumeMin = 3
        options.outliers = outliers
        return options
    }

    var checksHealth: Bool { options.healthService != nil }
    var calls: [SimulatedCall] { gateways.flatMap(\.calls) }
    var connections: [SimulatedConnection] { upstreams.flatMap(\.connections) }

    // MARK: The fleet

    /// A question is answered: whether the name stands for other addresses is for the reactors to find out.
    func answer(_ lookUp: SimulatedLookUp) {
        if Int.random(in: 0..<6, using: &random) == 0 {
            lookUp.finish(.failure("the server does not answer"))
            return
        }
        resolved = fleet
        let addresses = addresses()
        priorities = Dictionary(
            uniqueKeysWithValues: addresses.map { ($0.address.description, $0.priority) })
        say("the name is \(addresses.map { "\($0.address) \($0.priority)" })")
        lookUp.finish(.answer(addresses, timeToLive: 2000 * Self.millisecond))
    }

    private func addresses() -> [ResolvedAddress] {
        guard hasPriorities else { return fleet.map { ResolvedAddress($0.address) } }
        return ResolvedAddress.of(
            fleet.map { upstream in
                let priority = UInt16.random(in: 0...1, using: &random)
                let weight = UInt16.random(in: 0...3, using: &random)
                let record = ServiceRecord(priority: priority, weight: weight, port: 1, host: "h")
                return (record, [upstream.address])
            })
    }

    /// A reactor connects. The upstream says nothing until it is made to.
    private func connect(_ address: SocketAddress, from gateway: Int) throws(SystemError) -> Socket
    {
        guard let upstream = upstreams.first(where: { $0.address == address }), !upstream.refuses
        else { throw SystemError("connect", code: 111) }
        let (near, far) = try SimulatedPeer.socketPair()
        let streamsMax = Int.random(in: 1...6, using: &random)
        do {
            let peer = try SimulatedPeer(
                far, role: .server, streamsMax: UInt32(streamsMax), pool: pool, isStopped: true)
            upstream.connections.append(
                SimulatedConnection(peer, to: upstream, gateway: gateway, streamsMax: streamsMax))
        } catch {
            throw SystemError("nghttp2", code: 12)
        }
        return near
    }

    /// Takes what the gateway has sent to the fleet.
    /// - Parameter left: addresses that were to get no call since before it was sent.
    private func receive(leaving left: [SimulatedUpstream]) -> Bool {
        var hasReceived = false
        for connection in connections {
            if receive(on: connection, isLeftOut: left.contains { $0 === connection.upstream }) {
                hasReceived = true
            }
        }
        for upstream in upstreams { upstream.connections.removeAll { !$0.isOpen } }
        return hasReceived
    }

    /// - Parameter isLate: what comes may have been sent long ago.
    func receive(
        on connection: SimulatedConnection, isLeftOut: Bool = false, isLate: Bool = false
    ) -> Bool {
        connection.peer.receive { event, bytes in
            guard let stream = event.stream else { return }
            switch event.kind {
            case .head:
                if stream.request.path.isEqual(to: "/grpc.health.v1.Health/Watch") {
                    connection.beginWatch(stream)
                    say("\(connection): is watched")
                } else {
                    arrive(stream, on: connection, isLeftOut: isLeftOut, isLate: isLate)
                }
            case .closed(let code):
                say("\(connection): stream \(stream.id) closed, \(code)")
                if connection.watch === stream { connection.watch = nil }
                connection.attempts.removeAll { $0.stream === stream }
                pool.giveBack(stream)
            case .body(let range):
                guard let attempt = connection.attempt(of: stream) else { return }
                attempt.request += bytes[range]
                connection.peer.session.consume(stream)
            case .end:
                guard let attempt = connection.attempt(of: stream) else { return }
                attempt.hasRequest = true
                must(
                    attempt.request == SimulatedMessage.envelope("\(attempt.call.number)"),
                    "an attempt has the whole request of its call")
            default: break
            }
        }
    }

    private func arrive(
        _ stream: HTTP2Stream, on connection: SimulatedConnection, isLeftOut: Bool, isLate: Bool
    ) {
        guard let number = stream.request.fields.text(of: "x-call").flatMap({ Int($0) }),
            begun.indices.contains(number)
        else { return must(false, "an attempt is of a call") }
        let call = begun[number]
        let attempt = SimulatedAttempt(attempts, of: call, by: stream, connection)
        attempts += 1
        connection.attempts.append(attempt)
        call.arrivals += 1
        say("\(connection): attempt \(attempt.serial) of call \(number), \(call.method)")
        let previous = stream.request.fields.text(of: "grpc-previous-rpc-attempts")
        must(
            previous.map { Int($0) ?? .max } ?? 0 < call.method.attemptsMax,
            "the policy limits attempts")
        must(
            call.arrivals <= call.method.attemptsMax + call.unprocessed,
            "no more attempts than the policy and the upstream allow")
        must(!isLeftOut, "an address gets no call that is left out")
        guard !isLate else { return }
        must(!call.isCommitted, "an answer that has begun is not made again")
        let timeout = stream.request.fields.text(of: "grpc-timeout").flatMap(Self.nanoseconds)
        must(timeout ?? .max <= call.deadline - now, "what is sent upstream is what remains")
    }

    /// "250m" and its like.
    private static func nanoseconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = [
            "n": 1, "u": 1000, "m": millisecond, "S": 1000 * millisecond,
        ]
        guard let unit = text.last.flatMap({ units[$0] }) else { return nil }
        return Int64(text.dropLast()).map { $0 * unit }
    }

    // MARK: Turns and the clock

    /// One turn of one reactor, and what it has sent arrives.
    /// - Returns: whether anything happened.
    func turn(_ index: Int) -> Bool {
        let before = leftOut
        let throttledBefore = throttled
        var hasWorked = false
        do {
            hasWorked = try gateways[index].loop.turn(at: now)
        } catch {
            must(false, "a turn failed: \(error)")
        }
        if let throttledBefore, let throttled {
            must(
                throttledBefore == throttled,
                "an upstream that fails as a whole gets no more attempts")
        }
        // Who was left out all the time must not have got a call.
        let left = leftOut.filter { after in before.contains { $0 === after } }
        let hasReceived = receive(leaving: left)
        return gateways[index].receive() || hasReceived || hasWorked
    }

    /// Attempts after and beside the first ones; nil while there may be more of them.
    private var throttled: Int? {
        guard shared.throttle.isThrottled, !saysWhen, !hasSuccessUnderWay else { return nil }
        return gateways.reduce(0) {
            $0 + $1.channel.counters.retries + $1.channel.counters.hedges
        }
    }

    /// Addresses that are to get no call.
    private var leftOut: [SimulatedUpstream] {
        let obstacles: SharedEndpoint.Obstacles = checksHealth ? [.ejected, .health] : .ejected
        let endpoints = shared.endpoints.all.filter { !$0.obstacles.isDisjoint(with: obstacles) }
        return upstreams.filter { upstream in endpoints.contains { $0.address == upstream.address }
        }
    }

    /// Lets everything arrive that is on its way.
    func settle() {
        for _ in 0..<ChannelSimulation.turnsMax {
            var hasWorked = false
            for index in gateways.indices where turn(index) { hasWorked = true }
            guard hasWorked else {
                hasSuccessUnderWay = false
                return
            }
        }
        must(false, "a gateway works without end")
    }

    /// Lets so many nanoseconds pass, and what is due happen at its time.
    func pass(_ nanoseconds: Int64) {
        let end = now + nanoseconds
        while now < end {
            let wait = gateways.compactMap { $0.loop.timeToTimer(from: now) }.min() ?? .max
            now = min(end, now + min(max(wait, ChannelSimulation.millisecond), nanoseconds))
            for index in gateways.indices.shuffled(using: &random) { _ = turn(index) }
        }
    }

    /// What happened, where it is kept: to look at an order of events that went wrong.
    func say(_ what: @autoclosure () -> String) {
        if keepsLog { log.append("\(now / Self.millisecond) ms: \(what())") }
    }

    func note(_ happening: Happening) { happenings.insert(happening) }
    func happened(_ happening: Happening) -> Bool { happenings.contains(happening) }

    func must(_ holds: Bool, _ what: @autoclosure () -> String) {
        if !holds { violations.append(what()) }
    }

    // MARK: The end

    /// Every reactor is stopped, and nothing of it is left.
    func stop() {
        for gateway in gateways { gateway.stop() }
        settle()
        pass(5000 * ChannelSimulation.millisecond)
        settle()
        checkStopped()
        for gateway in gateways { gateway.end() }
    }
}
