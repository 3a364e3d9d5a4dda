import ProtoRuntime

// How a connection of HTTP/1.1 ends: by itself after the last answer, by its clock, or by the gateway's drain.

extension HTTP1Connection {
    /// Ends a body that came in pieces without its last chunk, and closes: its client sees that it is not complete.
    /// One of HTTP/1.0 cannot see that.
    func abortResponse() {
        closesAfterResponse = true
        finishResponse()
    }

    /// The client sends no more (FIN). With a complete request it is gone, unless half-closed connections are served.
    func clientFinished() {
        guard reactor.settings.http1AllowsHalfClose, phase == .call, isRequestComplete else {
            clientLeft()
            return
        }
        closesAfterResponse = true
        transport.setReading(false, hangUp: false)
    }

    /// The answer is out: tell the client by FIN, and read what it still sends, lest a reset destroys the answer.
    func beginLinger() {
        guard !hasFinishedSending else { return }
        if isRequestComplete, !hasExtraInput {
            close()
            return
        }
        hasFinishedSending = true
        transport.finishSending()
        transport.setReading(true, hangUp: false)
        cancelTimer()
        timer = loop.schedule(
            after: HTTP1Connection.lingerNanoseconds, self, kind: TimerKind.linger)
    }

    /// Bytes behind the last request: dropped, and too many of them end the connection.
    func drop(_ count: Int, behind dropped: Int) {
        phase = .lingering(dropped: dropped + count)
        if dropped + count > HTTP1Connection.lingerBytesMax { close() }
    }

    func cancelTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    /// Closes a connection that waits too long: for a request, for the rest of its head, or for the client to take
    /// what was answered. While a call is under way and the client reads, the call's deadline decides.
    func timerFired(_ kind: UInt8) {
        timer = nil
        guard phase != .closed else { return }
        if kind == TimerKind.linger || isIdleTooLong || isStalled {
            close()
        } else {
            scheduleIdleCheck()
        }
    }

    /// Whether only the rest of a request is awaited, whose answer is out.
    var isAnsweredEarly: Bool { phase == .call && isResponseComplete && exchange == nil }

    private var isIdleTooLong: Bool {
        let limit =
            hasPartialHead ? reactor.settings.headNanoseconds : reactor.settings.idleNanoseconds
        return (phase != .call || isAnsweredEarly) && loop.now - idleSince >= limit
    }

    /// Whether the client has let response bytes wait for too long, counted from the first look that sees them.
    private var isStalled: Bool {
        guard !transport.output.isEmpty, !isHoldingBack else {
            waitsSince = 0
            return false
        }
        if waitsSince == 0 { waitsSince = loop.now }
        return loop.now - waitsSince >= reactor.settings.stalledNanoseconds
    }

    func scheduleIdleCheck() {
        let settings = reactor.settings
        let interval = min(
            settings.headNanoseconds, settings.idleNanoseconds, settings.stalledNanoseconds / 4)
        timer = loop.schedule(after: interval, self, kind: TimerKind.idle)
    }
}

extension HTTP1Connection: DrainingConnection {
    /// Closes now when idle and everything is sent, else after the response under way.
    func drain() {
        switch phase {
        case .idle where transport.output.isEmpty: close()
        case .idle:
            phase = .lingering(dropped: 0)
            flushLater()
        case .call: closesAfterResponse = true
        case .lingering, .closed: break
        }
    }
}
