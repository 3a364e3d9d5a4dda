import Testing

@testable import Gateway

@Suite struct KeepaliveTests {
    @Test func `a PING follows silence, and the end follows a PING without an answer`() {
        var keepalive = Keepalive(time: 100, timeout: 20)
        #expect(keepalive.check(now: 50, lastRead: 0, isNeeded: true) == .wait(until: 100))
        #expect(keepalive.check(now: 99, lastRead: 0, isNeeded: true) == .wait(until: 100))
        #expect(keepalive.check(now: 105, lastRead: 0, isNeeded: true) == .ping)
        #expect(keepalive.check(now: 110, lastRead: 0, isNeeded: true) == .wait(until: 125))
        #expect(keepalive.check(now: 124, lastRead: 0, isNeeded: true) == .wait(until: 125))
        #expect(keepalive.check(now: 125, lastRead: 0, isNeeded: true) == .dead)
    }

    @Test func `whatever is read after a PING is a sign of life`() {
        var keepalive = Keepalive(time: 100, timeout: 20)
        #expect(keepalive.check(now: 100, lastRead: 0, isNeeded: true) == .ping)
        #expect(keepalive.check(now: 130, lastRead: 110, isNeeded: true) == .wait(until: 210))
        #expect(keepalive.check(now: 210, lastRead: 110, isNeeded: true) == .ping)
        #expect(keepalive.check(now: 230, lastRead: 110, isNeeded: true) == .dead)
    }

    @Test func `without a call, or a time, nobody is asked`() {
        var keepalive = Keepalive(time: 100, timeout: 20)
        #expect(keepalive.check(now: 500, lastRead: 0, isNeeded: false) == .wait(until: .max))
        #expect(keepalive.check(now: 500, lastRead: 0, isNeeded: true) == .ping)
        // The call ended meanwhile, and another began.
        #expect(keepalive.check(now: 510, lastRead: 0, isNeeded: false) == .wait(until: .max))
        #expect(keepalive.check(now: 900, lastRead: 0, isNeeded: true) == .ping)
        var never = Keepalive(time: nil, timeout: 20)
        #expect(never.check(now: 500, lastRead: 0, isNeeded: true) == .wait(until: .max))
    }

    @Test func `times that are out of range never come`() {
        var keepalive = Keepalive(time: .max, timeout: .max)
        #expect(keepalive.check(now: 5, lastRead: 4, isNeeded: true) == .wait(until: .max))
    }
}
