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
