import Testing

@testable import Gateway

@Suite struct TrustedProxiesTests {
    private static func trusts(_ networks: [String], _ address: String) throws -> Bool {
        var proxies = TrustedProxies()
        proxies.networks = try networks.map { try ProxyNetwork($0) }
        let peer: SocketAddress = try #require(SocketAddress(numericHost: address, port: 1234))
        return proxies.contains(peer)
    }

    @Test(
        arguments: [
            ("10.0.0.0/8", "10.0.0.0", true), ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "11.0.0.0", false), ("10.0.0.0/8", "9.255.255.255", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7/32", "192.0.2.7", true), ("192.0.2.6/31", "192.0.2.7", true),
            ("192.0.2.6/31", "192.0.2.8", false), ("0.0.0.0/0", "203.0.113.1", true),
            ("0.0.0.0/0", "2001:db8::1", false), ("::/0", "2001:db8::1", true),
            ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
            ("2001:db8::/64", "2001:db8::ffff:1", true),
            ("2001:db8::/64", "2001:db8:0:1::1", false),
            ("2001:db8::/65", "2001:db8::7fff:0:0:0", true),
            ("2001:db8::/65", "2001:db8::8000:0:0:0", false),
            ("2001:db8::1", "2001:db8::1", true), ("2001:db8::1", "2001:db8::2", false),
            ("::/0", "192.0.2.1", false), ("::/0", "::ffff:192.0.2.1", false),
            ("::1/127", "::1", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ] as [(String, String, Bool)])
    func `a network has the addresses behind its prefix`(
        network: String, address: String, expected: Bool
    ) throws {
        if network == "::1/127" {
            #expect(throws: ProxyNetwork.ParseError.self) { try ProxyNetwork(network) }
            return
        }
        #expect(try TrustedProxiesTests.trusts([network], address) == expected)
    }

    @Test(arguments: [
        ("", "is no network"), ("proxy.example", "is no network"), ("10.0.0", "is no network"),
        ("10.0.0.0/", "must be a number from 0 to 32"), ("10.0.0.0/33", "from 0 to 32"),
        ("10.0.0.0/-1", "from 0 to 32"), ("10.0.0.0/+8", "from 0 to 32"),
        ("10.0.0.0/8/8", "from 0 to 32"), ("::/129", "from 0 to 128"),
        ("10.0.0.0/99999999999999999999", "from 0 to 32"), ("10.0.0.1/8", "bits behind its prefix"),
        ("fd00::1/64", "bits behind its prefix"), ("10.0.0.0:80", "is no network"),
        ("[::1]", "is no network"), ("10.0.0.0 /8", "is no network"),
    ])
    func `what is no network is refused with the reason`(text: String, reason: String) {
        let error = #expect(throws: ProxyNetwork.ParseError.self) { try ProxyNetwork(text) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test func `one of several networks is enough, and none trusts nobody`() throws {
        #expect(try TrustedProxiesTests.trusts(["10.0.0.0/8", "fd00::/8"], "fd00::1"))
        #expect(try !TrustedProxiesTests.trusts([], "127.0.0.1"))
    }

    @Test func `a Unix socket is trusted only by its own word`() throws {
        let peer = try SocketAddress(unix: "unix:/run/a")
        var proxies = TrustedProxies()
        proxies.networks = [try ProxyNetwork("0.0.0.0/0"), try ProxyNetwork("::/0")]
        #expect(!proxies.contains(peer))
        #expect(!proxies.contains(nil))
        proxies.trustsUnix = true
        #expect(proxies.contains(peer))
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::1", "::1"), ("2001:DB8:0::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ])
    func `a host is written without port and brackets, and IPv4 as itself`(
        address: String, host: String
    ) throws {
        #expect(try #require(SocketAddress(numericHost: address, port: 9)).host == host)
    }
}
