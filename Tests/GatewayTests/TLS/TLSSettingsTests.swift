import Testing

@testable import Gateway

@Suite struct TLSSettingsTests {
    @Test(arguments: [
        ("library", "library"),
        ("library.prod.svc.cluster.local.", "library.prod.svc.cluster.local"),
        ("[::1]", "::1"), ("127.0.0.1", "127.0.0.1"), ("", ""),
    ])
    func `the verified name has no brackets and no dot at its end`(name: String, expected: String) {
        #expect(TLSClientSettings(serverName: name).verifiedName == expected)
    }
}
