import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// What upstreams are told of the client, by whether it may say so itself.
@Suite struct ForwardedFieldsTests {
    private static let id = "11111111-2222-4333-8444-555555555555"

    private static func head(_ fields: [(String, String)], authority: String = "api.example")
        -> RequestHead
    {
        var head = RequestHead()
        head.setAuthority(authority.utf8Span.span)
        for (name, value) in fields {
            head.fields.append(name: name.utf8Span.span, value: value.utf8Span.span)
        }
        return head
    }

    private static func peer(
        _ isTrusted: Bool, address: String = "192.0.2.1", scheme: StaticString = "http",
        certificate: String = ""
    ) -> Peer {
        Peer(
            address: address, scheme: scheme, isTrusted: isTrusted,
            certificate: Array(certificate.utf8))
    }

    /// What is appended, as "name=value name=value", without the request id.
    private static func appended(
        _ fields: [(String, String)], _ peer: Peer, authority: String = "api.example"
    ) -> String {
        var result = Fields()
        ForwardedFields.append(
            from: head(fields, authority: authority), peer: peer, requestID: OutputBlock(),
            to: &result)
        return result.text.split(separator: " x-request-id=").joined()
    }

    /// Everything a client may try to pretend.
    private static let claims = [
        ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"), ("x-forwarded-client-cert", "Hash=0"),
        ("x-forwarded-port", "443"), ("forwarded", "for=1.1.1.1"),
    ]

    @Test func `a client's own word counts for nothing`() {
        #expect(
            ForwardedFieldsTests.appended(
                ForwardedFieldsTests.claims, ForwardedFieldsTests.peer(false))
                == "x-forwarded-for=192.0.2.1 x-forwarded-proto=http x-forwarded-host=api.example")
    }

    @Test func `a client without a word is told of alike`() {
        #expect(
            ForwardedFieldsTests.appended([], ForwardedFieldsTests.peer(false, scheme: "https"))
                == "x-forwarded-for=192.0.2.1 x-forwarded-proto=https x-forwarded-host=api.example")
    }

    @Test func `a trusted proxy's word is kept, and its own address added`() {
        #expect(
            ForwardedFieldsTests.appended(
                ForwardedFieldsTests.claims, ForwardedFieldsTests.peer(true))
                == "x-forwarded-for=1.1.1.1, 192.0.2.1 x-forwarded-proto=https x-forwarded-host=evil.example"
                + " x-forwarded-client-cert=Hash=0 x-forwarded-port=443 forwarded=for=1.1.1.1")
    }

    @Test func `a trusted proxy that says nothing is told of as any client`() {
        #expect(
            ForwardedFieldsTests.appended([], ForwardedFieldsTests.peer(true))
                == "x-forwarded-for=192.0.2.1 x-forwarded-proto=http x-forwarded-host=api.example")
        #expect(
            ForwardedFieldsTests.appended(
                [("x-forwarded-proto", ""), ("x-forwarded-host", "")],
                ForwardedFieldsTests.peer(true))
                == "x-forwarded-for=192.0.2.1 x-forwarded-proto=http x-forwarded-host=api.example")
    }

    @Test func `several lists become one, in their order`() {
        #expect(
            ForwardedFieldsTests.appended(
                [
                    ("x-forwarded-for", "1.1.1.1, 2.2.2.2"), ("x", "y"),
                    ("x-forwarded-for", "3.3.3.3"),
                ],
                ForwardedFieldsTests.peer(true)
            ).hasPrefix("x-forwarded-for=1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.1 "))
    }

    @Test func `a certificate is told of, and added to those before it`() {
        let peer = ForwardedFieldsTests.peer(false, certificate: "Hash=1")
        #expect(
            ForwardedFieldsTests.appended(ForwardedFieldsTests.claims, peer)
                .hasSuffix(" x-forwarded-client-cert=Hash=1"))
        let proxy = ForwardedFieldsTests.peer(true, certificate: "Hash=1")
        #expect(
            ForwardedFieldsTests.appended([("x-forwarded-client-cert", "Hash=0")], proxy)
                .hasSuffix(" x-forwarded-client-cert=Hash=0,Hash=1"))
    }

    @Test func `a Unix socket has no address, and a request may have no authority`() {
        let peer = ForwardedFieldsTests.peer(false, address: "")
        #expect(
            ForwardedFieldsTests.appended([], peer, authority: "") == "x-forwarded-proto=http")
        let proxy = ForwardedFieldsTests.peer(true, address: "")
        #expect(
            ForwardedFieldsTests.appended([("x-forwarded-for", "1.1.1.1")], proxy)
                .hasPrefix("x-forwarded-for=1.1.1.1 x-forwarded-proto"))
    }

    private static func requestID(_ fields: [(String, String)], isTrusted: Bool) -> String {
        var source = RandomSource(seed: 1)
        var ids = RequestIDs(seededBy: &source)
        var output = OutputBlock()
        ForwardedFields.appendRequestID(
            of: head(fields), peer: peer(isTrusted), &ids, to: &output)
        return output.bytes.text
    }

    @Test(
        arguments: [
            (["abc"], true), ([id], true), ([String(repeating: "x", count: 256)], true),
            (["first", "second"], true), ([String(repeating: "x", count: 257)], false),
            ([""], false),
            (["a\u{e9}"], false), (["a\u{1}"], false), ([], false),
        ] as [([String], Bool)])
    func `a trusted proxy's request id is kept where it is one`(values: [String], isKept: Bool) {
        let fields = values.map { ("x-request-id", $0) }
        let made = ForwardedFieldsTests.requestID(fields, isTrusted: true)
        #expect((made == values.first) == isKept)
        #expect(isKept || made.utf8.count == RequestIDs.byteCount)
        #expect(ForwardedFieldsTests.requestID(fields, isTrusted: false) != values.first)
    }

    @Test func `the request id goes upstream`() {
        var output = Fields()
        var id = OutputBlock()
        id.append(ForwardedFieldsTests.id.utf8Span.span)
        ForwardedFields.append(
            from: ForwardedFieldsTests.head([]), peer: ForwardedFieldsTests.peer(false),
            requestID: id, to: &output)
        #expect(output.text.hasSuffix(" x-request-id=" + ForwardedFieldsTests.id))
    }

    @Test(arguments: [
        ("plain.example", "plain.example"), ("a,b", "\"a,b\""), ("a;b", "\"a;b\""),
        ("a=b", "\"a=b\""), ("a\"b", "\"a\\\"b\""),
    ])
    func `what would end a value is quoted`(text: String, quoted: String) {
        #expect(ForwardedCertificate.quoted(text) == quoted)
    }
}
