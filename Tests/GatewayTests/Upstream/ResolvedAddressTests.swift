import Testing

@testable import Gateway

@Suite struct ResolvedAddressTests {
    private func address(_ name: String) -> SocketAddress {
        SocketAddress(form: .unix("/run/\(name).sock"))
    }

    private func host(_ priority: UInt16, _ weight: UInt16, _ addresses: [String])
        -> (record: ServiceRecord, addresses: [SocketAddress])
    {
        (
            ServiceRecord(priority: priority, weight: weight, port: 1, host: "h"),
            addresses.map(address)
        )
    }

    private func told(_ addresses: [ResolvedAddress]) -> [String] {
        addresses.map { "\($0.address) \($0.priority) \($0.weight ?? -1)" }
    }

    @Test func `priorities count from nought, without those that have no address`() {
        let found = ResolvedAddress.of([
            host(30, 1, ["c"]), host(10, 1, []), host(20, 1, ["b"]), host(20, 3, ["a"]),
        ])
        #expect(
            told(found) == [
                "unix:/run/a.sock 0 48", "unix:/run/b.sock 0 16", "unix:/run/c.sock 1 16",
            ])
    }

    @Test func `the addresses of a host share its weight, and none has nothing`() {
        let found = ResolvedAddress.of([host(1, 2, ["a", "b"]), host(1, 0, ["c"])])
        #expect(found.map(\.weight) == [16, 16, 1])
        let many = (0..<40).map { "\($0)" }
        #expect(ResolvedAddress.of([host(1, 1, many)]).allSatisfy { $0.weight == 1 })
    }

    @Test func `where no record has a weight all are equal`() {
        let found = ResolvedAddress.of([host(1, 0, ["a"]), host(1, 0, ["b"])])
        #expect(found.map(\.weight) == [16, 16])
        let greatest = ResolvedAddress.of([host(1, .max, ["a"]), host(1, 1, ["b"])])
        #expect(greatest.map(\.weight) == [65535 * 16, 16])
    }

    @Test func `an address that is there twice counts where it is most wanted`() {
        let addresses = [
            ResolvedAddress(address("b"), priority: 1), ResolvedAddress(address("a")),
            ResolvedAddress(address("c"), priority: 1), ResolvedAddress(address("b")),
            ResolvedAddress(address("a"), priority: 1),
        ]
        let groups = ResolvedAddress.groups(addresses)
        #expect(
            groups.map { $0.map(\.address) } == [[address("a"), address("b")], [address("c")]])
        #expect(ResolvedAddress.groups([]).isEmpty)
    }
}
