import ProtoRuntime
import Transcode

// When an attempt failed: whether the call is made again, and how.
extension Exchange {
    private var retryPolicy: RetryPolicy {
        methods.methods[Int(plan.method)].options.retry
    }

    var keptRequestBytesMax: Int { retryPolicy.requestBytesMax }

    /// The upstream's answer has begun: the call stays with this attempt.
    func commitAttempt() {
        attempts.commit()
        stream?.forgetSent()
    }

    /// An attempt failed, by `connection`. Makes another one, of `failed`'s request, or says that there is none.
    /// - Returns: whether the call goes on.
    func attemptAgain(
        _ failed: HTTP2Stream, by connection: UpstreamConnection?,
        after failure: CallAttempts.Failure
    ) -> Bool {
        guard !attempts.isCommitted, failed.isWhole, state.response != .closed else { return false }
        let upstream = upstream
        let previous = attempts.previous
        let wait = attempts.waitAfter(
            failure, policy: retryPolicy, random: reactor.random.fraction(),
            isThrottled: {
                let isThrottled = upstream.shared.throttle.failed()
                return isThrottled || !countRetry()
            })
        guard let wait, deadline == .max || deadline - loop.now > wait else { return false }
        if attempts.previous > previous {
            upstream.counters.retries &+= 1
        } else {
            upstream.counters.transparentRetries &+= 1
        }
        if let connection { avoided.append(connection.endpoint) }
        let next = streams.take()
        next.owner = self
        next.repeatBody(of: failed)
        if stream === failed { leaveStream(isCancelled: true) }
        stream = next
        state.restartUpstream()
        if wait == 0 {
            startAttempt(on: upstream)
        } else {
            retryTimer = loop.schedule(
                after: wait, self, kind: Exchange.TimerKind.retry)
        }
        return true
    }

    /// Counts the call among those that are made again, unless they are as many as they may be.
    func countRetry() -> Bool {
        if !isRetried { isRetried = upstream.shared.retries.take() }
        if !isRetried { upstream.counters.retriesRefused &+= 1 }
        return isRetried
    }

    func endRetries() {
        if isRetried { upstream.shared.retries.giveBack() }
        isRetried = false
    }

    func startAttempt(on upstream: Channel) {
        retryTimer = nil
        do throws(Status) {
            try upstream.start(self, avoiding: avoided)
        } catch {
            upstreamUnavailable(error)
        }
    }

    /// The upstream answered with nothing but a status.
    func attemptAgain(afterAnswer status: Status) -> Bool {
        guard let stream, !attempts.isCommitted else { return false }
        let pushback = CallAttempts.Pushback(in: stream.response.fields)
        return attemptAgain(stream, by: connection, after: .status(status.code, pushback))
    }

    /// A success gives retries back to an upstream that has failed.
    func noteSuccess() {
        guard retryPolicy.attemptsMax > 1 || hedgingPolicy != nil else { return }
        upstream.shared.throttle.succeeded()
    }
}

extension CallAttempts.Pushback {
    /// What an answer says that is nothing but a status.
    init(in fields: borrowing Fields) {
        for index in 0..<fields.count where fields.known(at: index) == .other {
            if fields.name(at: index).isEqual(to: "grpc-retry-pushback-ms") {
                self.init(fields.value(at: index))
                return
            }
        }
        self = .none
    }
}

extension CallAttempts.Failure {
    /// How an attempt failed whose stream was closed by RST_STREAM with `code`, or with its connection.
    init(closing stream: HTTP2Stream, code: UInt32, _ status: Status) {
        if !stream.wasSent {
            self = .unsent
        } else if code == HTTP2Code.refusedStream, !stream.hasHead {
            self = .refused
        } else {
            self = .status(status.code, .none)
        }
    }
}

extension Status {
    /// What a call ends with whose stream was closed by the upstream, or with its connection.
    init(resetCode: UInt32, connectionFailure: String?) {
        if let connectionFailure {
            self.init(.unavailable, connectionFailure, reason: "upstream_connection_lost")
        } else {
            self = GRPC.status(resetCode: resetCode)
        }
    }
}
