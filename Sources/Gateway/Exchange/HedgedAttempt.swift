import Transcode

/// One attempt of a call that is hedged, until it has failed or the exchange takes over its stream.
final class HedgedAttempt: UpstreamCall {
    private unowned let hedged: HedgedCall
    private unowned let exchange: Exchange
    /// Attempts before it.
    private let number: Int
    private var channel: Channel?
    private var stream: HTTP2Stream?
    private(set) var connection: UpstreamConnection?
    /// What is made again since the upstream has not seen it.
    private var repeats = CallAttempts()
    let call: UInt64 = 0
    var isQueued = false

    init(of hedged: HedgedCall, _ exchange: Exchange, number: Int) {
        self.hedged = hedged
        self.exchange = exchange
        self.number = number
    }

    var waitsForReady: Bool { exchange.waitsForReady }

    func start(on channel: Channel, avoiding used: [SharedEndpoint]) {
        guard let request = exchange.stream else { return }
        self.channel = channel
        let taken = exchange.streams.take()
        taken.owner = self
        taken.copyBody(of: request)
        stream = taken
        do throws(Status) {
            try channel.start(self, avoiding: used)
        } catch {
            upstreamUnavailable(error)
        }
    }

    /// Lets go of the stream, and resets it where it runs.
    func cancel() {
        if isQueued { channel?.leave(self) }
        guard let stream else { return }
        self.stream = nil
        stream.owner = nil
        guard stream.wasOpened, let connection else {
            exchange.streams.giveBack(stream)
            return
        }
        connection.reset(stream, code: HTTP2Code.cancel)
    }

    /// The call goes on, or ends, with this attempt alone.
    private func decide() -> Exchange {
        let exchange = exchange
        hedged.cancel(except: self)
        exchange.takeOver(stream, on: connection)
        stream = nil
        return exchange
    }

    /// - Returns: whether the attempt's failure is the call's end.
    private func isEnd(_ status: Status, pushback: CallAttempts.Pushback = .none) -> Bool {
        hedged.isEnd(self, status.code, pushback)
    }

    // MARK: What the channel reports

    func openUpstream(on connection: UpstreamConnection) {
        guard let stream else { return }
        self.connection = connection
        hedged.used.append(connection.endpoint)
        do throws(Status) {
            try exchange.open(stream, on: connection, previousAttempts: number)
        } catch {
            self.connection = nil
            upstreamUnavailable(error)
        }
    }

    func upstreamUnavailable(_ status: Status) {
        guard isEnd(status) else { return }
        cancel()
        decide().upstreamUnavailable(status)
    }

    // MARK: What the stream reports

    func upstreamHead(isLast: Bool) {
        guard let stream, !isLast || stream.isHeadTooLarge else { return }
        let httpStatus = stream.response.status
        if !stream.isHeadTooLarge,
            httpStatus != 200 || !GRPC.isContentType(of: stream.response.fields)
        {
            let status = GRPC.statusWithoutGRPC(
                httpStatus: httpStatus, hasGRPCContentType: false, hasTrailers: false)
            guard isEnd(status, pushback: .init(in: stream.response.fields)) else { return }
        }
        decide().upstreamHead(isLast: isLast)
    }

    func upstreamBody(_ bytes: Span<UInt8>) {
        if let stream { connection?.consume(stream) }
    }

    func upstreamDrained() {}

    /// There was no head before: the answer is nothing but trailers.
    func upstreamEnd() {
        guard let stream else { return }
        let status = GRPC.finalStatus(stream.response, trailers: stream.trailers)
        if !status.isOK {
            guard isEnd(status, pushback: .init(in: stream.response.fields)) else { return }
        }
        let exchange = decide()
        exchange.upstreamHead(isLast: true)
        exchange.upstreamEnd()
    }

    func upstreamClosed(code: UInt32, connectionFailure: String?) {
        guard let closed = stream else { return }
        // The stream is the connection's to give back.
        stream = nil
        let status = Status(resetCode: code, connectionFailure: connectionFailure)
        let failure = CallAttempts.Failure(closing: closed, code: code, status)
        let wait = repeats.waitAfter(failure, policy: RetryPolicy(), random: 0) { true }
        if wait != nil, let channel {
            channel.counters.transparentRetries &+= 1
            connection = nil
            start(on: channel, avoiding: hedged.used)
            return
        }
        guard isEnd(status) else { return }
        stream = closed
        decide().upstreamClosed(code: code, connectionFailure: connectionFailure)
    }
}
