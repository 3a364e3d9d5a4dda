import Testing

@testable import Gateway

@Suite struct UpstreamTargetTests {
    @Test(arguments: [
        ("127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:1"),
        ("[::1]:50051", "[::1]:50051", "[::1]:50051"),
        ("unix:/run/a.sock", "unix:/run/a.sock", "localhost"),
        ("unix:///run/a.sock", "unix:/run/a.sock", "localhost"),
        ("localhost:80", "dns:///localhost:80", "localhost:80"),
        ("dns:localhost:80", "dns:///localhost:80", "localhost:80"),
        ("dns:///a.b.c.:50051", "dns:///a.b.c.:50051", "a.b.c:50051"),
        ("dns:///10.0.0.1:1", "10.0.0.1:1", "10.0.0.1:1"),
        ("dns://8.8.8.8/a:1", "dns://8.8.8.8:53/a:1", "a:1"),
        ("dns://127.0.0.1:5353/a:1", "dns://127.0.0.1:5353/a:1", "a:1"),
        ("dns://[::1]:53/a_b-c:1", "dns://[::1]:53/a_b-c:1", "a_b-c:1"),
        ("srv:///_grpc._tcp.a.test", "srv:///_grpc._tcp.a.test", "a.test"),
        ("srv:a.service.consul.", "srv:///a.service.consul.", "a.service.consul"),
        ("srv://127.0.0.1:5353/_grpc._tcp.a", "srv://127.0.0.1:5353/_grpc._tcp.a", "a"),
    ])
    func `a target is an address or a name`(_ text: String, _ shown: String, _ authority: String)
        throws
    {
        let target = try UpstreamTarget(text)
        #expect(target.description == shown)
        #expect(target.authority == authority)
        if !authority.contains(":") { #expect(target.host == authority || text.hasPrefix("unix:")) }
    }

    @Test(arguments: [
        "", "localhost", "localhost:", ":1", "a:0", "a:65536", "a:-1", "a b:1", "a/b:1", "unix:",
        "http://a:1",
        "https://a:1", "dns://a:1", "dns://ns/a:1", "dns:///", "dns:///a", "[::1:1", "[a]:1",
        "1:2:3", "::1:1", "é:1", "srv:", "srv:///", "srv:///a:1", "srv://a", "srv://ns/a",
        "srv:///a b",
    ])
    func `anything else is refused`(_ text: String) {
        #expect(throws: SocketAddress.ParseError.self) { try UpstreamTarget(text) }
    }
}

@Suite struct ResolverScheduleTests {
    private static let second: Int64 = 1_000_000_000

    @Test(
        arguments: [
            (nil, 30), (0, 5), (1, 5), (5, 5), (6, 6), (300, 300), (86_400, 300),
        ] as [(Int64?, Int64)])
    func `an answer lives its time, within bounds`(_ timeToLive: Int64?, _ wait: Int64) {
        var schedule = ResolverSchedule(intervalMin: 5 * ResolverScheduleTests.second)
        let nanoseconds = timeToLive.map { $0 * ResolverScheduleTests.second }
        #expect(
            schedule.waitAfterAnswer(timeToLive: nanoseconds) == wait * ResolverScheduleTests.second
        )
    }

    @Test func `an interval longer than any time to live holds`() {
        var schedule = ResolverSchedule(intervalMin: 600 * ResolverScheduleTests.second)
        #expect(schedule.waitAfterAnswer(timeToLive: 1) == 600 * ResolverScheduleTests.second)
    }

    @Test func `failures are repeated ever more slowly, until an answer`() {
        var schedule = ResolverSchedule(intervalMin: 5 * ResolverScheduleTests.second)
        let waits = (0..<7).map { _ in schedule.waitAfterFailure() / ResolverScheduleTests.second }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30])
        _ = schedule.waitAfterAnswer(timeToLive: nil)
        #expect(schedule.waitAfterFailure() == ResolverScheduleTests.second)
    }
}
