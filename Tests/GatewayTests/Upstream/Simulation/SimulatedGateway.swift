import Logging
import ProtoRuntime
import SwiftProtobuf
import Transcode

@testable import Gateway

/// What a call asks for, and what its policy is.
enum SimulatedMethod: String, CaseIterable {
    case plain, retried, patient, streamed, hedged, atOnce

    var isHedged: Bool { self == .hedged || self == .atOnce }
    var attemptsMax: Int {
        switch self {
        case .plain: 1
        case .patient, .streamed: 2
        case .retried, .hedged, .atOnce: 3
        }
    }

    private var options: MethodOptions {
        var options = MethodOptions()
        options.waitsForReady = self == .patient
        if isHedged {
            var policy = HedgingPolicy()
            policy.attemptsMax = attemptsMax
            policy.delay = self == .atOnce ? 0 : 200 * ChannelSimulation.millisecond
            options.hedging = policy
        } else {
            options.retry.attemptsMax = attemptsMax
            options.retry.codes = [.unavailable, StatusCodeSet(.aborted)]
        }
        return options
    }

    /// `sim.Service` with all of them, each of which takes and gives a message with one string.
    static func table() throws -> MethodTable {
        var file = Google_Protobuf_FileDescriptorProto()
        file.name = "sim.proto"
        file.package = "sim"
        file.syntax = "proto3"
        var field = Google_Protobuf_FieldDescriptorProto()
        field.name = "text"
        field.number = 1
        field.type = .string
        field.label = .optional
        var message = Google_Protobuf_DescriptorProto()
        message.name = "Text"
        message.field = [field]
        file.messageType = [message]
        var service = Google_Protobuf_ServiceDescriptorProto()
        service.name = "Service"
        service.method = allCases.map { kind in
            var method = Google_Protobuf_MethodDescriptorProto()
            method.name = kind.rawValue
            method.inputType = ".sim.Text"
            method.outputType = ".sim.Text"
            method.serverStreaming = kind == .streamed
            return method
        }
        file.service = [service]
        var set = Google_Protobuf_FileDescriptorSet()
        set.file = [file]
        let bytes: [UInt8] = try set.serializedBytes()
        return try MethodTable(
            pool: DescriptorPool(fileDescriptorSets: [bytes]),
            options: { SimulatedMethod(rawValue: $0.name)?.options ?? MethodOptions() })
    }
}

/// One of the gateway's reactors, with everything in it real, and a client that is connected to it.
final class SimulatedGateway {
    let loop: EventLoop
    let reactor: Reactor
    let shared: UpstreamShared
    /// Calls under way.
    private(set) var calls: [SimulatedCall] = []
    /// The client's ends of its connections; the last one takes calls.
    private(set) var clients: [SimulatedPeer] = []
    /// The gateway has asked the client for another connection.
    private var isClientLeaving = false
    private let load = ReactorLoad()
    private let pool: HTTP2StreamPool
    /// It takes no more calls.
    private(set) var isStopping = false

    init(
        _ plan: UpstreamPlan, _ snapshot: Snapshot, now: Int64, seed: UInt64, pool: HTTP2StreamPool,
        dial: @escaping Reactor.Dial, lookUp: @escaping (SimulatedLookUp) -> Void
    ) throws {
        self.pool = pool
        shared = plan.shared
        loop = try EventLoop(mailbox: try Mailbox(), now: now)
        reactor = Reactor(
            loop: loop, settings: ServerSettings(), snapshot: snapshot, load: load,
            tlsCounters: TLSCounters(),
            log: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() },
            random: RandomSource(seed: seed), dial: dial)
        loop.reactor = reactor
        reactor.makeLookUp = { _, _, whenDone in
            let made = SimulatedLookUp(whenDone)
            made.whenStarted = { lookUp(made) }
            return made
        }
        reactor.connect([plan])
    }

    var channel: Channel { reactor.channel(0) }

    /// Sends a call on its way.
    func begin(_ call: SimulatedCall, timeout: Int64) throws {
        let client = try connectedClient()
        var head = Fields()
        head.append(":method", "POST")
        head.append(":scheme", "http")
        head.append(":path", text: "/sim.Service/\(call.method.rawValue)")
        head.append(":authority", "gateway")
        head.append("content-type", "application/grpc")
        head.append("te", "trailers")
        head.append("grpc-timeout", text: "\(timeout / ChannelSimulation.millisecond)m")
        head.append("x-call", text: "\(call.number)")
        let stream = pool.take()
        stream.append(SimulatedMessage.envelope("\(call.number)").span)
        stream.finish(withTrailers: false)
        try client.session.request(stream, &head)
        call.stream = stream
        call.client = client
        calls.append(call)
        client.flush()
    }

    private func connectedClient() throws -> SimulatedPeer {
        if let client = clients.last, client.isOpen, !isClientLeaving { return client }
        let (near, far) = try SimulatedPeer.socketPair()
        let made = try SimulatedPeer(far, role: .client, streamsMax: 0, pool: pool)
        clients.append(made)
        isClientLeaving = false
        load.connectionOpened()
        reactor.serve(AcceptedConnection(socket: near, peer: nil, tls: nil))
        return made
    }

    /// The client goes away from a call.
    func cancel(_ call: SimulatedCall) {
        guard let client = call.client, let stream = call.stream else { return }
        call.wasCancelled = true
        client.session.reset(stream, code: HTTP2Code.cancel)
        client.flush()
    }

    /// Takes what the reactor has sent to its client.
    func receive() -> Bool {
        var hasReceived = false
        for client in clients {
            let moved = client.receive { event, bytes in
                if case .goAway = event.kind, client === clients.last { isClientLeaving = true }
                guard let stream = event.stream,
                    let index = calls.firstIndex(where: { $0.stream === stream })
                else { return }
                calls[index].receive(event, bytes)
                if calls[index].isOver {
                    calls.remove(at: index).stream = nil
                    pool.giveBack(stream)
                }
            }
            hasReceived = hasReceived || moved
        }
        clients.removeAll { !$0.isOpen }
        return hasReceived
    }

    /// The process of this reactor ends, as SIGTERM has it.
    func stop() {
        guard !isStopping else { return }
        isStopping = true
        reactor.drain {}
    }

    func end() { loop.reactor = nil }
}

/// A call of a client: what it was, and what came back.
final class SimulatedCall {
    let number: Int
    let method: SimulatedMethod
    let deadline: Int64
    /// Its stream, while it is under way, and the connection of that.
    var stream: HTTP2Stream?
    var client: SimulatedPeer?
    var wasCancelled = false
    /// The status with which it ended.
    private(set) var code: Int?
    /// Which attempt the answer is of.
    private(set) var attempt: String?
    private(set) var messages: [UInt8] = []
    private(set) var endings = 0
    private(set) var closings = 0
    /// Attempts that have come to an upstream, and those of them that it did not look at.
    var arrivals = 0
    var unprocessed = 0
    /// All that could be said of it has been looked at.
    var isChecked = false
    /// An upstream has begun to answer, and the gateway knows.
    var isCommitted = false

    init(_ number: Int, _ method: SimulatedMethod, deadline: Int64) {
        self.number = number
        self.method = method
        self.deadline = deadline
    }

    var isOver: Bool { closings > 0 }

    func receive(_ event: HTTP2Event, _ bytes: [UInt8]) {
        guard let stream = event.stream else { return }
        switch event.kind {
        case .head: attempt = stream.response.fields.text(of: "x-attempt")
        case .body(let range):
            messages += bytes[range]
            client?.session.consume(stream)
        case .end:
            endings += 1
            let text =
                stream.trailers.text(of: "grpc-status")
                ?? stream.response.fields.text(of: "grpc-status")
            code = text.flatMap { Int($0) }
        case .closed: closings += 1
        default: break
        }
    }
}
