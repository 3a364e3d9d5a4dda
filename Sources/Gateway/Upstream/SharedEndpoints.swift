import Synchronization

/// The addresses of one upstream that any reactor has, and whom to tell when what keeps calls from them has changed.
final class SharedEndpoints: Sendable {
    private struct Entry {
        let endpoint: SharedEndpoint
        var users = 1
    }

    private struct Listener {
        let mailbox: Mailbox
        let work: Mailbox.Work
    }

    private struct State {
        var entries: [Entry] = []
        var listeners: [Listener] = []
    }

    /// Whether an address gets no call before its health service was heard.
    let checksHealth: Bool
    private let state = Mutex(State())

    init(checksHealth: Bool) { self.checksHealth = checksHealth }

    var all: [SharedEndpoint] { state.withLock { $0.entries.map(\.endpoint) } }

    /// A reactor has that address; `leave` must follow.
    func join(_ address: SocketAddress) -> SharedEndpoint {
        state.withLock { state in
            if let index = state.entries.firstIndex(where: { $0.endpoint.address == address }) {
                state.entries[index].users += 1
                return state.entries[index].endpoint
            }
            let endpoint = SharedEndpoint(address, checksHealth: checksHealth)
            state.entries.append(Entry(endpoint: endpoint))
            return endpoint
        }
    }

    func leave(_ endpoint: SharedEndpoint) {
        state.withLock { state in
            guard let index = state.entries.firstIndex(where: { $0.endpoint === endpoint })
            else { return }
            state.entries[index].users -= 1
            if state.entries[index].users == 0 { state.entries.remove(at: index) }
        }
    }

    /// `work` is done on the loop of `mailbox` after every change.
    func listen(_ mailbox: Mailbox, _ work: @escaping Mailbox.Work) {
        state.withLock { $0.listeners.append(Listener(mailbox: mailbox, work: work)) }
    }

    /// Tells every reactor that calls may go which could not, or the other way round.
    func tellChange() {
        for listener in state.withLock({ $0.listeners }) { listener.mailbox.send(listener.work) }
    }
}
