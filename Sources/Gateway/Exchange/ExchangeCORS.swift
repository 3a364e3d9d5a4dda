import ProtoRuntime
import Transcode

// What pages of other origins are told (`cors`).
extension Exchange {
    /// Answers a preflight. The call may be over when this returns.
    /// - Returns: whether the request was one.
    func answerPreflight() -> Bool {
        guard let policy = reactor.settings.cors,
            client.withHead({ CORSPolicy.isPreflight($0) }) ?? false,
            state.finish(upstreamHasEnded: false) != nil
        else { return false }
        let reactor = reactor
        let client = client
        let scratch = reactor.takeScratch()
        _ = client.withHead { head in
            policy.appendPreflight(head, methods: methods, to: &scratch.head)
        }
        appendRequestID(to: &scratch.head)
        client.respond(&scratch.head, body: Span())
        reactor.giveBack(scratch)
        return true
    }

    /// Adds to a response's head what a page needs to read it.
    func appendCORS(to head: inout ResponseHead) {
        guard let policy = reactor.settings.cors else { return }
        _ = client.withHead { request in policy.append(for: request, to: &head) }
    }
}
