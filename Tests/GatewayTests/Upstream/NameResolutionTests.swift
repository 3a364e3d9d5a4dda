import Testing

@testable import Gateway

@Suite final class NameResolutionTests {
    private static let second: Int64 = 1_000_000_000
    private let addresses = (1...3).map {
        ResolvedAddress(SocketAddress(form: .unix("/run/\($0).sock")))
    }
    private var resolution = NameResolution(intervalMin: 5 * second)

    /// What a user is to do `seconds` after the start; a time to wait until is told in seconds.
    private func look(_ user: UInt64, at seconds: Int64) -> NameResolution.Action {
        let action = resolution.look(user, now: seconds * NameResolutionTests.second)
        guard case .wait(let until) = action else { return action }
        return .wait(until: until / NameResolutionTests.second)
    }

    private func answer(
        _ count: Int, timeToLive: Int64? = nil, by user: UInt64, at seconds: Int64
    ) -> Bool {
        resolution.answered(
            Array(addresses.prefix(count)),
            timeToLive: timeToLive.map { $0 * NameResolutionTests.second }, by: user,
            now: seconds * NameResolutionTests.second)
    }

    private func fail(by user: UInt64, at seconds: Int64) -> Bool {
        resolution.failed("gone", by: user, now: seconds * NameResolutionTests.second)
    }

    private func refresh(at seconds: Int64) -> Bool {
        resolution.refresh(now: seconds * NameResolutionTests.second)
    }

    private func leave(_ user: UInt64) -> Bool { resolution.leave(user) }

    @Test func `the first user that looks asks, and no other does`() {
        #expect(look(1, at: 0) == .ask)
        #expect(look(2, at: 0) == .none)
        #expect(look(1, at: 1) == .none, "one look-up at a time")
        #expect(answer(2, timeToLive: 20, by: 1, at: 1))
        #expect(look(1, at: 1) == .wait(until: 21))
        #expect(look(2, at: 30) == .none)
        #expect(look(1, at: 21) == .ask)
    }

    @Test func `a user that comes later has the last answer at once`() {
        _ = look(1, at: 0)
        _ = answer(2, by: 1, at: 1)
        #expect(look(2, at: 2) == .none)
        #expect(resolution.outcome == .init(addresses: Array(addresses.prefix(2))))
    }

    @Test func `others are told of what changes, and of nothing else`() {
        _ = look(1, at: 0)
        #expect(answer(1, timeToLive: 5, by: 1, at: 0))
        _ = look(1, at: 5)
        #expect(!answer(1, timeToLive: 5, by: 1, at: 5))
        _ = look(1, at: 10)
        #expect(fail(by: 1, at: 10))
        _ = look(1, at: 15)
        #expect(!fail(by: 1, at: 15))
        _ = look(1, at: 20)
        #expect(answer(1, by: 1, at: 20), "it is resolved again")
    }

    @Test func `a failure keeps the last addresses and tells why`() {
        _ = look(1, at: 0)
        _ = answer(2, timeToLive: 5, by: 1, at: 0)
        _ = look(1, at: 5)
        _ = fail(by: 1, at: 6)
        #expect(resolution.outcome == .init(addresses: Array(addresses.prefix(2)), failure: "gone"))
        #expect(look(1, at: 6) == .wait(until: 11))
    }

    @Test func `a connection that fails has the name looked up, after the interval`() {
        #expect(!refresh(at: 0), "it was never asked for")
        _ = look(1, at: 0)
        #expect(!refresh(at: 1), "the answer is under way")
        _ = answer(1, timeToLive: 300, by: 1, at: 2)
        #expect(look(1, at: 2) == .wait(until: 302))
        #expect(refresh(at: 3))
        #expect(!refresh(at: 4), "the asker knows")
        #expect(look(1, at: 4) == .wait(until: 7))
        #expect(look(1, at: 7) == .ask)
        _ = answer(1, timeToLive: 300, by: 1, at: 7)
        #expect(refresh(at: 100))
        #expect(look(1, at: 100) == .ask)
    }

    @Test func `while look-ups fail, connections that fail do not hasten them`() {
        _ = look(1, at: 0)
        _ = fail(by: 1, at: 0)
        #expect(!refresh(at: 6))
    }

    @Test func `another user takes over when the one who asks leaves`() {
        _ = look(1, at: 0)
        _ = look(2, at: 0)
        _ = answer(1, timeToLive: 20, by: 1, at: 0)
        #expect(!leave(2), "it did not ask")
        #expect(leave(1))
        #expect(look(3, at: 3) == .wait(until: 20))
        #expect(look(2, at: 20) == .none)
        #expect(look(3, at: 20) == .ask)
    }

    @Test func `a look-up that was given up is made again, after the interval`() {
        _ = look(1, at: 0)
        #expect(leave(1))
        #expect(look(2, at: 2) == .wait(until: 5))
        #expect(!answer(1, by: 1, at: 3), "nobody waits for it")
        #expect(look(2, at: 5) == .ask)
        #expect(answer(1, by: 2, at: 5))
    }

    @Test(arguments: 0..<20)
    func `however many users look, refresh and leave, the interval holds`(_ seed: UInt64) {
        var random = RandomSource(seed: seed)
        let millisecond: Int64 = 1_000_000
        var resolution = NameResolution(intervalMin: 5000 * millisecond)
        var users: [UInt64] = Array(1...4)
        var asking: UInt64?
        var begun: [Int64] = []
        for tick in 0..<4000 {
            let now = Int64(tick) * 100 * millisecond
            for user in users where resolution.look(user, now: now) == .ask {
                #expect(asking == nil, "one look-up at a time")
                asking = user
                begun.append(now)
            }
            switch Int.random(in: 0..<6, using: &random) {
            case 0: _ = resolution.refresh(now: now)
            case 1, 2:
                guard let user = asking else { break }
                asking = nil
                if Bool.random(using: &random) {
                    _ = resolution.answered(addresses, timeToLive: 1, by: user, now: now)
                } else {
                    _ = resolution.failed("gone", by: user, now: now)
                }
            case 3 where Int.random(in: 0..<20, using: &random) == 0:
                let left = users.removeFirst()
                users.append(left + 10)
                if resolution.leave(left) { asking = nil }
            default: break
            }
        }
        let gaps = zip(begun, begun.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { $0 >= 5000 * millisecond })
        #expect(begun.count > 10, "it is looked up all the time")
    }
}

@Suite struct SharedNameTests {
    private let name = SharedName(
        DNSName(host: "a.test", records: .addresses(1), server: nil), intervalMin: 5)
    private let address = ResolvedAddress(SocketAddress(form: .unix("/run/a.sock")))

    @Test func `an answer is told to all users but the one who asked, each on its own loop`() throws
    {
        let mailboxes = [try Mailbox(), try Mailbox(), try Mailbox()]
        let users = mailboxes.map { mailbox in
            let user = SharedName.newUser()
            name.join(user, mailbox) { _ in }
            return user
        }
        #expect(name.look(users[0], now: 0).1 == .ask)
        name.finish(.answer([address], timeToLive: 100), by: users[0], now: 0)
        #expect(mailboxes.map { $0.take().count } == [0, 1, 1])
        name.refresh(now: 50)
        name.refresh(now: 50)
        #expect(mailboxes.map { $0.take().count } == [1, 0, 0], "only the asker, and only once")
        name.leave(users[0])
        #expect(mailboxes.map { $0.take().count } == [0, 1, 1], "somebody must take over")
        name.leave(users[2])
        #expect(mailboxes.map { $0.take().count } == [0, 0, 0])
        #expect(name.look(users[1], now: 50) == (.init(addresses: [address]), .ask))
    }

    @Test func `a failure names the name`() throws {
        let user = SharedName.newUser()
        name.join(user, try Mailbox()) { _ in }
        _ = name.look(user, now: 0)
        name.finish(.failure("no such name"), by: user, now: 0)
        #expect(name.look(user, now: 0).0.failure == "a.test cannot be resolved: no such name")
    }
}
