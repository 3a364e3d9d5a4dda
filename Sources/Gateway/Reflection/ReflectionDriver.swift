import Logging
import ProtoRuntime
import Transcode

/// Runs `ReflectionClientState` over a real upstream: connects, and tries again until the time is over.
final class ReflectionDriver: UpstreamCall, TimerTarget {
    /// The wait between two attempts; shorter than a gateway's own, as someone waits for it to start.
    static let retryNanoseconds: Int64 = 250_000_000

    private enum Timer { static let (deadline, retry): (UInt8, UInt8) = (0, 1) }

    private let reactor: Reactor
    private let whenDone: () -> Void
    private let limits: ReflectionLimits
    private let channel: Channel
    private var state: ReflectionClientState
    private var version = Reflection.Version.v1
    private var stream: HTTP2Stream?
    private var connection: UpstreamConnection?
    private var answers: AnswerReader
    /// Why the last attempt came to nothing.
    private var lastFailure: String?
    private var hasAnswer = false
    private var deadlineTimer: EventLoop.TimerID?
    private var retryTimer: EventLoop.TimerID?
    var isQueued = false
    private var isWaiting = false
    private(set) var call: UInt64 = 0
    /// How it ended, once it has.
    private(set) var result: Result<ReflectedServices, ReflectionError>?

    init(
        _ upstream: UpstreamPlan, reactor: Reactor, limits: ReflectionLimits,
        whenDone: @escaping () -> Void
    ) {
        self.reactor = reactor
        self.limits = limits
        self.whenDone = whenDone
        channel = Channel(upstream.withoutHealth, reactor: reactor)
        state = ReflectionClientState(limits: limits, ownServices: LocalServices.names)
        answers = AnswerReader(limit: limits.answerBytesMax)
    }

    /// Begins; `whenDone` is called when there is a result.
    func start() {
        deadlineTimer = reactor.loop.schedule(
            after: limits.timeoutNanoseconds, self, kind: Timer.deadline)
        channel.connect()
        perform(state.start())
    }

    /// Closes the connection, and leaves nothing in the loop.
    func close() {
        channel.shutDown()
        if let deadlineTimer { reactor.loop.cancel(deadlineTimer) }
        if let retryTimer { reactor.loop.cancel(retryTimer) }
    }

    func timerFired(_ kind: UInt8) {
        guard result == nil else { return }
        if kind == Timer.deadline {
            deadlineTimer = nil
            end(.failure(hasAnswer ? .incomplete(state.awaited) : timedOut))
            return
        }
        retryTimer = nil
        channel.reconnect()
        state = ReflectionClientState(limits: limits, ownServices: LocalServices.names)
        perform(state.start())
    }

    private var timedOut: ReflectionError {
        if let lastFailure { return .unreachable(lastFailure) }
        return stream == nil || isWaiting
            ? .unreachable("no connection yet") : .incomplete(state.awaited)
    }

    // MARK: What the state machine wants

    private func perform(_ actions: [ReflectionClientState.Action]) {
        for action in actions where result == nil {
            switch action {
            case .open(let version): open(version)
            case .ask(let question): ask(question)
            case .finish(let services): end(.success(services))
            case .fail(let error): end(.failure(error))
            }
        }
    }

    private func open(_ version: Reflection.Version) {
        leaveStream()
        self.version = version
        answers = AnswerReader(limit: limits.answerBytesMax)
        let stream = reactor.streams.take()
        stream.owner = self
        self.stream = stream
        isWaiting = true
        do throws(Status) {
            try channel.start(self)
        } catch {
            retry(error.message)
        }
    }

    private func ask(_ question: Reflection.Question) {
        guard let stream else { return }
        var output = OutputBlock()
        Reflection.Request(question).appendEnvelope(to: &output)
        if let connection {
            connection.send(stream, output.bytes)
        } else {
            stream.append(output.bytes)
        }
    }

    private func end(_ result: Result<ReflectedServices, ReflectionError>) {
        guard self.result == nil else { return }
        self.result = result
        if let stream, let connection {
            stream.finish(withTrailers: false)
            connection.resume(stream)
        }
        leaveStream(resetting: false)
        whenDone()
    }

    /// Starts all over in a while: the upstream is not there, or not ready.
    private func retry(_ reason: String) {
        guard result == nil else { return }
        lastFailure = reason
        leaveStream()
        retryTimer = reactor.loop.schedule(
            after: ReflectionDriver.retryNanoseconds, self, kind: Timer.retry)
    }

    private func leaveStream(resetting: Bool = true) {
        if isQueued { channel.leave(self) }
        isWaiting = false
        call &+= 1
        guard let stream else { return }
        self.stream = nil
        stream.owner = nil
        let connection = connection
        self.connection = nil
        guard stream.wasOpened, let connection else {
            reactor.streams.giveBack(stream)
            return
        }
        if resetting { connection.reset(stream, code: HTTP2Code.cancel) }
    }

    // MARK: What the channel reports

    func openUpstream(on connection: UpstreamConnection) {
        guard let stream, isWaiting else { return }
        isWaiting = false
        var head = Fields()
        GRPC.appendRequestStart(
            path: version.path.utf8Span.span, authority: channel.authority,
            scheme: channel.scheme, to: &head)
        do throws(HTTP2Error) {
            try connection.open(stream, &head)
            self.connection = connection
        } catch {
            retry(error.description)
        }
    }

    func upstreamUnavailable(_ status: Status) { retry(status.message) }

    // MARK: What the stream reports

    func upstreamHead(isLast: Bool) {
        guard let stream, !isLast else { return }
        guard stream.response.status == 200, GRPC.isContentType(of: stream.response.fields)
        else {
            streamOver(
                GRPC.statusWithoutGRPC(
                    httpStatus: stream.response.status, hasGRPCContentType: false,
                    hasTrailers: false))
            return
        }
    }

    func upstreamBody(_ bytes: Span<UInt8>) {
        guard let stream else { return }
        connection?.consume(stream)
        let call = call
        var offset = 0
        do {
            // An answer may open another stream: the rest of this one means nothing then.
            while call == self.call, try answers.next(in: bytes, from: &offset) {
                try receiveAnswer()
            }
        } catch let error as Status {
            let isTooLong = error.code == .resourceExhausted
            end(.failure(isTooLong ? .limit(error.message) : .malformed(error.message)))
        } catch {
            end(.failure(error as? ReflectionError ?? .malformed("\(error)")))
        }
    }

    private func receiveAnswer() throws(ReflectionError) {
        let answer: Reflection.Answer
        do throws(WireError) {
            answer = try Reflection.Answer(decoding: answers.message.bytes)
        } catch {
            throw .malformed("an answer is no ServerReflectionResponse: \(error)")
        }
        hasAnswer = true
        perform(state.receive(answer))
    }

    func upstreamDrained() {}

    func upstreamEnd() {
        guard let stream else { return }
        streamOver(GRPC.finalStatus(stream.response, trailers: stream.trailers))
    }

    func upstreamClosed(code: UInt32, connectionFailure: String?) {
        // The stream is the connection's to give back.
        stream = nil
        connection = nil
        if let connectionFailure {
            retry(connectionFailure)
        } else {
            streamOver(GRPC.status(resetCode: code))
        }
    }

    private func streamOver(_ status: Status) {
        guard result == nil else { return }
        if status.code == .unavailable {
            retry(ReflectionClientState.described(status))
        } else {
            perform(state.streamEnded(status))
        }
    }
}
