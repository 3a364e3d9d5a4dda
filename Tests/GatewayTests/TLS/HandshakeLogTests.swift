import Testing

@testable import Gateway

@Suite struct HandshakeLogTests {
    @Test func `a second has so many lines and the next one tells how many were left out`() {
        var log = HandshakeLog()
        let first = (0..<50).map { log.admit(now: 5_000_000_000 + Int64($0)).isAdmitted }
        #expect(first.count { $0 } == HandshakeLog.linesPerSecond)
        let next = log.admit(now: 6_000_000_000)
        #expect(next.isAdmitted)
        #expect(next.dropped == 50 - HandshakeLog.linesPerSecond)
        #expect(log.admit(now: 6_000_000_001).dropped == 0)
    }
}
