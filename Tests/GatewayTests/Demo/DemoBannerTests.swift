import Testing

@testable import Gateway

@Suite struct DemoBannerTests {
    @Test(
        arguments: [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"), ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::1]:8080", "http://[::1]:8080"), ("[::]:80", "http://[::1]:80"),
            ("unix:/run/g.sock", "--unix-socket '/run/g.sock'"),
        ])
    func `every curl line goes to where the gateway is reached`(address: String, part: String)
        throws
    {
        let gateway = try #require(try SocketAddress.resolve(address).first)
        let upstream = try #require(try SocketAddress.resolve("127.0.0.1:50051").first)
        let lines = DemoBanner.lines(gatewayAddress: gateway, upstreamAddress: upstream)
        let curls = lines.filter { $0.contains("curl ") && !$0.contains("buf curl") }
        #expect(curls.count == 10)
        for line in curls { #expect(line.contains(part)) }
        // The one that answers with an error is not among those that succeed.
        #expect(curls.filter { $0.hasPrefix("  curl ") }.count == 9)
        #expect(lines.contains { $0.contains("127.0.0.1:50051") })
    }
}
