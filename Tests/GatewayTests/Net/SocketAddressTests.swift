import Testing

@testable import Gateway

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1:8080"), ("0.0.0.0:0", "0.0.0.0:0"),
        ("255.255.255.255:65535", "255.255.255.255:65535"), ("[::1]:8080", "[::1]:8080"),
        ("[2001:DB8::0:7]:1", "[2001:db8::7]:1"),
        ("unix:/run/gateway.sock", "unix:/run/gateway.sock"),
        ("unix:relative.sock", "unix:relative.sock"),
    ])
    func `an address is read and told`(text: String, told: String) throws {
        let addresses = try SocketAddress.resolve(text)
        #expect(addresses.map(\.description) == [told])
        #expect(addresses[0].isUnix == text.hasPrefix("unix:"))
    }

    @Test(arguments: [
        ("", "expected HOST:PORT"), ("localhost", "expected HOST:PORT"),
        ("127.0.0.1:", "the port must be a number"),
        ("127.0.0.1:65536", "the port must be a number"),
        ("127.0.0.1:-1", "the port must be a number"),
        ("127.0.0.1:+80", "the port must be a number"),
        ("127.0.0.1:http", "the port must be a number"),
        ("127.0.0.1:80 ", "the port must be a number"),
        ("127.0.0.1:8 0", "the port must be a number"),
        ("256.0.0.1.invalid:80", "is not known"), ("[::1:80", "is not known"),
        ("unix:", "1 to 107 bytes"),
        ("unix:/" + String(repeating: "x", count: 107), "1 to 107 bytes"),
    ])
    func `what is no address is refused with its reason`(text: String, reason: String) {
        let error = #expect(throws: SocketAddress.ParseError.self) {
            try SocketAddress.resolve(text)
        }
        #expect(error?.description.contains("'\(text)'") == true)
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
    }

    @Test func `a host left out means every address when listening`() throws {
        let addresses = try SocketAddress.resolve(":8080", passive: true).map(\.description)
        #expect(addresses.contains("0.0.0.0:8080"))
    }

    @Test func `a path of 107 bytes still fits the kernel's form`() throws {
        let path = "/" + String(repeating: "x", count: 106)
        #expect(try SocketAddress.resolve("unix:\(path)").map(\.description) == ["unix:\(path)"])
    }

    @Test(arguments: ["127.0.0.1:8080", "[fe80::1]:443"])
    func `another port changes nothing else`(text: String) throws {
        let address = try #require(try SocketAddress.resolve(text).first)
        let changed = address.withPort(9)
        #expect(changed.family == address.family)
        #expect(changed.description.hasSuffix(":9"))
        #expect(changed.withPort(443) == address.withPort(443))
        #expect(changed != address)
    }
}
