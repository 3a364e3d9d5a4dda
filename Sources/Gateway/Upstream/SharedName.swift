import Synchronization

/// One name that is resolved for all reactors: one of them asks, the others are told what it stands for. A reactor that
/// comes later has the last answer at once; when the one who asks leaves, another takes over.
final class SharedName: Sendable {
    private struct User {
        let id: UInt64
        let mailbox: Mailbox
        let work: Mailbox.Work
    }

    private struct State {
        var resolution: NameResolution
        var users: [User] = []
    }

    private static let lastUser = Atomic<UInt64>(0)

    let name: DNSName
    private let state: Mutex<State>

    /// - Parameter intervalMin: nanoseconds from a look-up to the next one.
    init(_ name: DNSName, intervalMin: Int64) {
        self.name = name
        state = Mutex(State(resolution: NameResolution(intervalMin: intervalMin)))
    }

    /// A number that no other user of any name has.
    static func newUser() -> UInt64 { lastUser.add(1, ordering: .relaxed).newValue }

    /// From now on `work` is done on the loop of `mailbox` when the user should look; `leave` must follow.
    func join(_ user: UInt64, _ mailbox: Mailbox, _ work: @escaping Mailbox.Work) {
        state.withLock { $0.users.append(User(id: user, mailbox: mailbox, work: work)) }
    }

    func leave(_ user: UInt64) {
        change { state in
            state.users.removeAll { $0.id == user }
            return state.resolution.leave(user) ? state.users : []
        }
    }

    /// What the name stands for, and what the user is to do.
    func look(_ user: UInt64, now: Int64) -> (NameResolution.Outcome, NameResolution.Action) {
        state.withLock { state in
            let action = state.resolution.look(user, now: now)
            return (state.resolution.outcome, action)
        }
    }

    /// A connection failed: the name may stand for other addresses by now.
    func refresh(now: Int64) {
        change { state in
            guard state.resolution.refresh(now: now) else { return [] }
            return state.users.filter { $0.id == state.resolution.asker }
        }
    }

    /// What came of the look-up that the user was told to make.
    func finish(_ outcome: NameAnswer, by user: UInt64, now: Int64) {
        change { state in
            let isChanged =
                switch outcome {
                case .answer(let addresses, let timeToLive):
                    state.resolution.answered(
                        addresses, timeToLive: timeToLive, by: user, now: now)
                case .failure(let reason):
                    state.resolution.failed(
                        "\(name.host) cannot be resolved: \(reason)", by: user, now: now)
                }
            return isChanged ? state.users.filter { $0.id != user } : []
        }
    }

    /// Does `body`, then tells the users that it names.
    private func change(_ body: (inout State) -> [User]) {
        for user in state.withLock({ body(&$0) }) { user.mailbox.send(user.work) }
    }
}
