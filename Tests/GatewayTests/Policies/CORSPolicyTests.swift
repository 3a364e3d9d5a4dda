import ProtoRuntime
import Testing

@testable import Gateway
@testable import Transcode

private func origins(_ texts: String...) throws -> [CORSPolicy.Origin] {
    try texts.map { try CORSPolicy.Origin($0) }
}

private func head(_ line: String, _ fields: [(String, String)]) -> RequestHead {
    let words = line.split(separator: " ").map(String.init)
    var head = RequestHead()
    head.setMethod(words[0].utf8Span.span)
    head.setTarget(words[1].utf8Span.span)
    for (name, value) in fields {
        head.fields.append(name: name.utf8Span.span, value: value.utf8Span.span)
    }
    return head
}

@Suite struct CORSPolicyTests {
    @Test(arguments: [
        ("https://app.example.com", "https://app.example.com", true),
        ("https://app.example.com", "http://app.example.com", false),
        ("https://app.example.com", "https://app.example.com:444", false),
        ("https://app.example.com", "https://app.example.com.evil.net", false),
        ("https://app.example.com", "", false), ("*", "https://anything", true),
        ("*", "null", true), ("null", "null", true), ("https://a", "null", false),
        ("capacitor://localhost", "capacitor://localhost", true),
        ("http://a:443", "http://a:443", true),
        ("https://*.example.com", "https://a.example.com", true),
        ("https://*.example.com", "https://a.b-c.example.com", true),
        ("https://*.example.com", "https://example.com", false),
        ("https://*.example.com", "https://.example.com", false),
        ("https://*.example.com", "https://aexample.com", false),
        ("https://*.example.com", "http://a.example.com", false),
        ("https://*.example.com", "https://evil.net/.example.com", false),
        ("https://*.example.com", "https://evil.net:1.example.com", false),
        ("https://*.example.com", "https://a@b.example.com", false),
        ("https://*.example.com", "https://a.example.com:8443", false),
        ("http://*.localhost:3000", "http://a.localhost:3000", true),
    ])
    func `an origin is allowed by one of the patterns`(
        pattern: String, origin: String, isAllowed: Bool
    ) throws {
        let policy = CORSPolicy(
            origins: try origins("https://other", pattern), allowsCredentials: false,
            maxAgeSeconds: 1)
        #expect(policy.allows(origin.utf8Span.span) == isAllowed)
    }

    @Test(arguments: [
        "", "example.com", "https://", "https://a/", "https://a/b", "1p://a", "://a",
        "https://A.com", "https://a:443", "http://a:80", "https://u@a", "https://a b",
        "https://a?b",
        "https://*", "https://*.", "https://a.*.com", "https://*a.com", "https://*.a.*",
    ])
    func `what is no origin is refused`(text: String) {
        #expect(throws: CORSPolicy.Origin.ParseError.self) { try CORSPolicy.Origin(text) }
    }

    @Test func `a page reads every field of the answer that is not safe anyway`() throws {
        let policy = CORSPolicy(
            origins: try origins("https://a"), allowsCredentials: true, maxAgeSeconds: 1)
        var response = ResponseHead()
        response.fields.append(.contentType, "application/json")
        response.fields.append("x-request-id", "1")
        response.fields.append("grpc-status", "5")
        policy.append(for: head("GET /", [("origin", "https://a")]), to: &response)
        #expect(
            response.fields.text
                == "content-type=application/json x-request-id=1 grpc-status=5 vary=Origin "
                + "access-control-allow-origin=https://a access-control-allow-credentials=true "
                + "access-control-expose-headers=x-request-id, grpc-status")
    }

    @Test(
        arguments: [
            ([], "vary=Origin"), ([("origin", "https://b")], "vary=Origin"),
        ] as [([(String, String)], String)])
    func `who has no permission is told none, but caches are told that it depends`(
        fields: [(String, String)], expected: String
    ) throws {
        let policy = CORSPolicy(
            origins: try origins("https://a"), allowsCredentials: false, maxAgeSeconds: 1)
        var response = ResponseHead()
        policy.append(for: head("GET /", fields), to: &response)
        #expect(response.fields.text == expected)
    }

    @Test func `an open policy does not depend on who asks`() {
        var response = ResponseHead()
        CORSPolicy.open.append(for: head("GET /", [("origin", "https://b")]), to: &response)
        #expect(
            response.fields.text
                == "access-control-allow-origin=* access-control-expose-headers=*")
    }

    @Test(
        arguments: [
            ("OPTIONS", [("origin", "https://a"), ("access-control-request-method", "GET")], true),
            ("GET", [("origin", "https://a"), ("access-control-request-method", "GET")], false),
            ("OPTIONS", [("access-control-request-method", "GET")], false),
            ("OPTIONS", [("origin", "https://a")], false),
        ] as [(String, [(String, String)], Bool)])
    func `a preflight has a method, an origin and a question`(
        method: String, fields: [(String, String)], isOne: Bool
    ) {
        let isPreflight = CORSPolicy.isPreflight(head("\(method) /", fields))
        #expect(isPreflight == isOne)
    }
}
