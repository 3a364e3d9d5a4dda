import Transcode

// How many calls an upstream has, over all reactors, and how they ended.
extension Channel {
    /// Counts a call of which `callEnded` will tell the end.
    /// - Throws: UNAVAILABLE when there are as many as there may be.
    func admit() throws(Status) {
        guard shared.calls.take() else {
            counters.callsRefused &+= 1
            throw Status(
                .unavailable,
                "upstream \(name) has \(shared.calls.limit ?? 0) calls, which is as many as it may have",
                reason: "upstream_calls_max")
        }
        counters.calls &+= 1
    }

    func callEnded(_ outcome: CallOutcome) {
        switch outcome {
        case .succeeded: counters.callsSucceeded &+= 1
        case .failed: counters.callsFailed &+= 1
        case .cancelled: counters.callsCancelled &+= 1
        }
        shared.calls.giveBack()
    }
}
