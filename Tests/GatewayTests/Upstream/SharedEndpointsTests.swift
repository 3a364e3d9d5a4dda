import Testing

@testable import Gateway

@Suite struct SharedEndpointsTests {
    private let address = SocketAddress(form: .unix("/run/a.sock"))

    @Test func `what is heard of an address is what keeps calls from it`() {
        let endpoint = SharedEndpoints(checksHealth: true).join(address)
        #expect(endpoint.obstacles == .unheard)
        endpoint.set(.notServing)
        #expect(endpoint.obstacles == .unhealthy)
        endpoint.set(isEjected: true)
        endpoint.set(.serving)
        #expect(endpoint.obstacles == .ejected)
        endpoint.set(.unknown)
        endpoint.set(isEjected: false)
        #expect(endpoint.obstacles == .unheard)
        #expect(SharedEndpoints(checksHealth: false).join(address).obstacles == [])
    }

    @Test func `one reactor watches an address, until it lets go`() {
        let endpoints = SharedEndpoints(checksHealth: true)
        let (first, second) = (endpoints.join(address), endpoints.join(address))
        #expect(first.claimWatch())
        #expect(!second.claimWatch())
        first.set(.serving)
        first.releaseWatch()
        #expect(second.obstacles == .unheard, "nobody knows any more")
        #expect(second.claimWatch())
    }

    @Test func `all reactors are told of a change, each on its own loop`() throws {
        let endpoints = SharedEndpoints(checksHealth: true)
        let mailboxes = [try Mailbox(), try Mailbox()]
        for mailbox in mailboxes { endpoints.listen(mailbox) { $0.stop() } }
        endpoints.tellChange()
        #expect(mailboxes.map { $0.take().count } == [1, 1])
    }
}
