import ProtoRuntime
import Transcode

// What a call adds to the fields that pass it, and what `services[].metadata` makes of them.
extension Exchange {
    /// Gives the call its id: known before anything can fail.
    func takeRequestID(of client: ClientSide) {
        requestID.removeAll()
        guard let peer = client.peer else { return }
        _ = client.withHead { head in
            ForwardedFields.appendRequestID(
                of: head, peer: peer, &reactor.requestIDs, to: &requestID)
        }
    }

    /// Puts the head of the upstream's request into `scratch.head`.
    func appendUpstreamHead(
        remainingNanoseconds: Int64?, previousAttempts: Int, to scratch: Scratch
    ) {
        guard let peer = client.peer else { return }
        let start = starts.start(of: plan.method, in: methods) { upstream }
        _ = client.withHead { head in
            plan.appendUpstreamHead(
                start.fields, from: head, remainingNanoseconds: remainingNanoseconds,
                to: &scratch.head.fields)
            ForwardedFields.append(
                from: head, peer: peer, requestID: requestID, to: &scratch.head.fields)
        }
        if previousAttempts > 0 { set(previousAttempts: previousAttempts, in: scratch) }
        if let rules = policy?.request {
            rules.apply(to: &scratch.head.fields, using: &scratch.trailers)
        }
    }

    /// Tells the upstream how many attempts there were, in the place of what the client may say of its own.
    private func set(previousAttempts: Int, in scratch: Scratch) {
        let name: StaticString = "grpc-previous-rpc-attempts"
        for index in 0..<scratch.head.fields.count
        where !scratch.head.fields.name(at: index).isEqual(to: name) {
            scratch.trailers.append(scratch.head.fields, at: index)
        }
        swap(&scratch.trailers, &scratch.head.fields)
        scratch.trailers.removeAll()
        scratch.head.fields.append(name, text: "\(previousAttempts)")
    }

    /// Takes out of the upstream's head or trailers what the client is not to see.
    func filter(_ fields: inout Fields) {
        guard let rules = policy?.response else { return }
        let scratch = reactor.takeScratch()
        rules.apply(to: &fields, using: &scratch.trailers)
        reactor.giveBack(scratch)
    }

    /// Tells the client the id of its call.
    func appendRequestID(to head: inout ResponseHead) {
        guard policy?.returnsRequestID ?? true, !requestID.isEmpty else { return }
        ForwardedFields.append(requestID: requestID, to: &head.fields)
    }
}
