import Testing

@testable import Gateway

@Suite struct TLSContextTests {
    private static let missing = "no/such/file.pem"

    @Test(arguments: [("library.test", "library.test"), ("library.test.", "library.test")])
    func `a name is sent to the upstream`(name: String, sent: String) throws {
        let context = try TLSClientContext(TLSClientSettings(serverName: name))
        #expect(context.serverNameIndication == sent)
    }

    @Test(arguments: ["127.0.0.1", "[::1]", "2001:db8::1"])
    func `an address is not sent to the upstream`(name: String) throws {
        let context = try TLSClientContext(TLSClientSettings(serverName: name))
        #expect(context.serverNameIndication == nil)
    }

    @Test(arguments: ["", "[]", "."])
    func `an empty server name is refused`(name: String) {
        #expect(throws: TLSLoadError.self) {
            try TLSClientContext(TLSClientSettings(serverName: name))
        }
    }

    @Test func `a missing file is named with the reason`() {
        let expected = TLSLoadError(
            file: TLSContextTests.missing, reason: "No such file or directory")
        #expect(throws: expected) {
            try TLSServerContext(
                TLSServerSettings(certificate: TLSContextTests.missing, key: "no/such/file.key"))
        }
        #expect(throws: expected) {
            try TLSClientContext(
                TLSClientSettings(serverName: "library", ca: TLSContextTests.missing))
        }
        #expect(expected.description == "no/such/file.pem: No such file or directory")
    }

    @Test func `certificate and key go together`() {
        #expect(throws: TLSLoadError(file: "me.pem", reason: "a certificate needs a key")) {
            try TLSClientContext(TLSClientSettings(serverName: "library", certificate: "me.pem"))
        }
        #expect(throws: TLSLoadError(file: "me.key", reason: "a key needs a certificate")) {
            try TLSClientContext(TLSClientSettings(serverName: "library", key: "me.key"))
        }
    }
}
