/// Calls that wait for a connection or a free stream, in the order in which they came.
///
/// A call that ends while it waits says `leave` and is passed over later.
struct WaitingCalls {
    /// Ended calls that may stand in the queue beside as many as still wait.
    static let staleMax = 64

    private struct Entry {
        let caller: any UpstreamCall
        /// Tells whether the caller still serves the same call.
        let call: UInt64

        var isCurrent: Bool { caller.call == call && caller.isQueued }
    }

    private var entries: [Entry] = []
    private var first = 0
    /// Calls that still wait.
    private(set) var count = 0

    mutating func append(_ caller: any UpstreamCall) {
        entries.append(Entry(caller: caller, call: caller.call))
        count += 1
        caller.isQueued = true
    }

    /// A call that waited has ended: by its deadline, or with its client.
    mutating func leave(_ caller: any UpstreamCall) {
        caller.isQueued = false
        count -= 1
        guard entries.count - first > 2 * count + WaitingCalls.staleMax else { return }
        entries.removeSubrange(..<first)
        entries.removeAll { !$0.isCurrent }
        first = 0
    }

    /// The call that has waited longest.
    mutating func takeFirst() -> (any UpstreamCall)? {
        while first < entries.count {
            let entry = entries[first]
            advance()
            guard entry.isCurrent else { continue }
            entry.caller.isQueued = false
            count -= 1
            return entry.caller
        }
        return nil
    }

    private mutating func advance() {
        first += 1
        if first == entries.count {
            entries.removeAll(keepingCapacity: true)
            first = 0
        } else if first > 1024, first * 2 > entries.count {
            entries.removeFirst(first)
            first = 0
        }
    }
}
