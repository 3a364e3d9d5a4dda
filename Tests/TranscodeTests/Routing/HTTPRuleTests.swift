import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct HTTPRuleTests {
    private func rule(of name: String) throws -> HTTPRule {
        let pool = try TestPool.rest.get()
        let method = try #require(pool.services.first?.methods.first { $0.name == name })
        let option = try #require(method.httpRule)
        return try HTTPRule(decoding: option.span)
    }

    @Test func `a rule comes from the option's bytes`() throws {
        #expect(
            try rule(of: "ListThings")
                == HTTPRule(
                    httpMethod: "GET", path: "/v1/{parent=shelves/*}/things",
                    responseBody: "things"))
        let update = try rule(of: "UpdateThing")
        #expect(update.httpMethod == "PATCH")
        #expect(update.body == "thing")
        #expect(update.additionalBindings.map(\.httpMethod) == ["PUT"])
        let purge = try rule(of: "Purge")
        #expect(purge.httpMethod == "PURGE")
        #expect(purge.path == "/v1/purge/{name}")
        #expect(purge.additionalBindings.first?.httpMethod == "*")
    }

    @Test func `the last pattern wins and unknown fields are skipped`() throws {
        let bytes: [UInt8] = [0x12, 1, 0x61, 0xf8, 0x07, 5, 0x32, 1, 0x62]
        #expect(
            try HTTPRule(decoding: bytes.span) == HTTPRule(httpMethod: "PATCH", path: "b"))
    }

    @Test(arguments: [[0x12], [0x12, 5, 0x61], [0x00], [0x12, 1, 0xff], [0x10, 1]] as [[UInt8]])
    func `broken bytes are an error`(_ bytes: [UInt8]) {
        #expect(throws: WireError.self) { try HTTPRule(decoding: bytes.span) }
    }

    @Test func `nesting is bounded`() {
        var bytes: [UInt8] = []
        for _ in 0..<20 { bytes = [0x5a, UInt8(bytes.count)] + bytes }
        #expect(throws: WireError.self) { try HTTPRule(decoding: bytes.span) }
    }
}
