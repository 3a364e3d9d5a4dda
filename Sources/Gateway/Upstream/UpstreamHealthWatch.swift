import ProtoRuntime
import Transcode

/// Runs `HealthWatchState` over one connection of a subchannel, and another one when that ends.
final class UpstreamHealthWatch: UpstreamCall, TimerTarget {
    /// Bytes of one answer, which has a number in it.
    static let answerBytesMax = 4 << 10

    private let service: String
    private let reactor: Reactor
    private unowned let subchannel: Subchannel
    private var state = HealthWatchState()
    /// By which the address is asked.
    private(set) var connection: UpstreamConnection
    private var stream: HTTP2Stream?
    private var answers = AnswerReader(limit: UpstreamHealthWatch.answerBytesMax)
    private var openedAt: Int64 = 0
    private var timer: EventLoop.TimerID?
    private(set) var call: UInt64 = 0
    var isQueued = false

    init(
        _ service: String, of subchannel: Subchannel, by connection: UpstreamConnection,
        reactor: Reactor
    ) {
        self.service = service
        self.subchannel = subchannel
        self.connection = connection
        self.reactor = reactor
    }

    func start() { perform(state.connected()) }

    /// The connection ends; another one to the same address is there.
    func move(to other: UpstreamConnection) {
        stop()
        connection = other
        perform(state.connected())
    }

    func stop() {
        if let timer { reactor.loop.cancel(timer) }
        timer = nil
        leaveStream(code: HTTP2Code.cancel)
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        perform(state.backoffElapsed())
    }

    private func perform(_ action: HealthWatchState.Action) {
        switch action {
        case .none: break
        case .open: openUpstream(on: connection)
        case .wait(let nanoseconds): timer = reactor.loop.schedule(after: nanoseconds, self)
        }
    }

    /// Lets go of the stream, which is reset where a code is given.
    private func leaveStream(code: UInt32?) {
        call &+= 1
        guard let stream else { return }
        self.stream = nil
        stream.owner = nil
        connection.watchStream = nil
        if let code { connection.reset(stream, code: code) }
    }

    /// - Parameter why: of the log.
    private func ended(_ status: Status) {
        let lasted = reactor.loop.now - openedAt
        let action = state.ended(
            isUnimplemented: status.code == .unimplemented, lasted: lasted,
            random: reactor.random.fraction())
        let text = status.message.isEmpty ? "" : ": \(status.message)"
        tell(state.isOff ? "it has no health service" : "Watch ended, \(status.code.name)\(text)")
        perform(action)
    }

    private func tell(_ reason: String) {
        subchannel.heardHealth(state.health, isOff: state.isOff, reason: reason)
    }

    // MARK: The stream

    func openUpstream(on connection: UpstreamConnection) {
        openedAt = reactor.loop.now
        guard connection.canOpenStream else {
            ended(Status(.unavailable, "the connection takes no stream"))
            return
        }
        answers = AnswerReader(limit: UpstreamHealthWatch.answerBytesMax)
        let stream = reactor.streams.take()
        stream.owner = self
        stream.withOutgoing { output in
            Health.Request(service: service).appendEnvelope(to: &output)
        }
        stream.finish(withTrailers: false)
        var head = Fields()
        GRPC.appendRequestStart(
            path: "/grpc.health.v1.Health/Watch".utf8Span.span, authority: subchannel.authority,
            scheme: subchannel.scheme, to: &head)
        do throws(HTTP2Error) {
            try connection.open(stream, &head)
            self.stream = stream
            connection.watchStream = stream
        } catch {
            stream.owner = nil
            reactor.streams.giveBack(stream)
            ended(Status(.unavailable, error.description))
        }
    }

    func upstreamUnavailable(_ status: Status) { ended(status) }

    func upstreamHead(isLast: Bool) {
        guard let stream, !isLast else { return }
        guard stream.response.status == 200, GRPC.isContentType(of: stream.response.fields) else {
            let status = GRPC.statusWithoutGRPC(
                httpStatus: stream.response.status, hasGRPCContentType: false, hasTrailers: false)
            leaveStream(code: HTTP2Code.cancel)
            ended(status)
            return
        }
    }

    func upstreamBody(_ bytes: Span<UInt8>) {
        guard let stream else { return }
        connection.consume(stream)
        let call = call
        var offset = 0
        do {
            while call == self.call, try answers.next(in: bytes, from: &offset) {
                try receiveAnswer()
            }
        } catch {
            leaveStream(code: HTTP2Code.cancel)
            ended(error as? Status ?? Status(.internal, "\(error)"))
        }
    }

    private func receiveAnswer() throws {
        let answer = try Health.Answer(decoding: answers.message.bytes)
        state.received(isServing: answer.status == .serving)
        tell("it says \(answer.status.name)")
    }

    func upstreamDrained() {}

    func upstreamEnd() {
        guard let stream else { return }
        let status = GRPC.finalStatus(stream.response, trailers: stream.trailers)
        leaveStream(code: nil)
        ended(status)
    }

    func upstreamClosed(code: UInt32, connectionFailure: String?) {
        // The stream is the connection's to give back.
        stream = nil
        connection.watchStream = nil
        // When the connection has ended, the subchannel knows what is to be done.
        if connectionFailure == nil { ended(GRPC.status(resetCode: code)) }
    }
}

extension Health.ServingStatus {
    /// As grpc.health.v1 writes it.
    fileprivate var name: String {
        switch self {
        case .unknown: "UNKNOWN"
        case .serving: "SERVING"
        case .notServing: "NOT_SERVING"
        case .serviceUnknown: "SERVICE_UNKNOWN"
        }
    }
}
