import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct MetadataPolicyTests {
    private static func rules(
        allow: [String] = [], deny: [String] = [], rename: [(String, String)] = []
    ) -> MetadataRuleSet {
        var rules = MetadataRuleSet()
        rules.allow = allow
        rules.deny = deny
        rules.rename = rename.map { MetadataRuleSet.Rename(from: $0.0, to: $0.1) }
        return rules
    }

    /// What is left, as "name=value name=value".
    private static func applied(_ rules: MetadataRuleSet, to fields: [(String, String)]) -> String {
        var block = Fields()
        block.append(fields)
        var spare = Fields()
        spare.append("left", "over")
        MetadataPolicy(request: rules, response: MetadataRuleSet()).request?
            .apply(to: &block, using: &spare)
        return (0..<block.count).map { index in
            String(copying: block.name(at: index)) + "=" + String(copying: block.value(at: index))
        }.joined(separator: " ")
    }

    private static let fields = [
        (":path", "/a.S/M"), ("te", "trailers"), ("content-type", "application/grpc"),
        ("grpc-timeout", "1S"), ("authorization", "t"), ("x-tenant", "1"), ("x-tenant", "2"),
        ("x-team", "3"), ("user-agent", "u"), ("accept", "a"), ("x-forwarded-for", "1.1.1.1"),
        ("x-request-id", "id"),
    ]
    private static let protocolFields =
        ":path=/a.S/M te=trailers content-type=application/grpc grpc-timeout=1S"

    @Test func `without rules there is nothing to apply`() {
        let policy = MetadataPolicy(request: MetadataRuleSet(), response: MetadataRuleSet())
        #expect(policy.request == nil)
        #expect(policy.response == nil)
        #expect(policy.returnsRequestID)
    }

    @Test(arguments: [
        (["authorization"], " authorization=t"), (["x-tenant"], " x-tenant=1 x-tenant=2"),
        (["x-te*"], " x-tenant=1 x-tenant=2 x-team=3"), (["x-te"], ""), (["x-tenant-*"], ""),
        (["accept", "user-agent"], " user-agent=u accept=a"),
        (["*"], " authorization=t x-tenant=1 x-tenant=2 x-team=3 user-agent=u accept=a"),
    ])
    func `only what is allowed passes, beside what the gateway says itself`(
        allow: [String], expected: String
    ) {
        #expect(
            MetadataPolicyTests.applied(
                MetadataPolicyTests.rules(allow: allow), to: MetadataPolicyTests.fields)
                == MetadataPolicyTests.protocolFields + expected
                + " x-forwarded-for=1.1.1.1 x-request-id=id")
    }

    @Test(arguments: [
        (
            ["x-te*"],
            " authorization=t user-agent=u accept=a x-forwarded-for=1.1.1.1 x-request-id=id"
        ),
        (
            ["x-forwarded-*", "x-request-id", "user-agent"],
            " authorization=t x-tenant=1 x-tenant=2 x-team=3 accept=a"
        ), (["*"], ""),
        (
            ["grpc-*", "te", ":path"],
            " authorization=t x-tenant=1 x-tenant=2 x-team=3 user-agent=u accept=a"
                + " x-forwarded-for=1.1.1.1 x-request-id=id"
        ),
    ])
    func `what is denied does not pass, but for the protocol's own fields`(
        deny: [String], expected: String
    ) {
        #expect(
            MetadataPolicyTests.applied(
                MetadataPolicyTests.rules(deny: deny), to: MetadataPolicyTests.fields)
                == MetadataPolicyTests.protocolFields + expected)
    }

    @Test func `denied beats allowed and renamed`() {
        let rules = MetadataPolicyTests.rules(
            allow: ["x-*"], deny: ["x-tenant"], rename: [("x-tenant", "tenant")])
        #expect(
            MetadataPolicyTests.applied(
                rules, to: [("x-tenant", "1"), ("x-team", "2"), ("y", "3")])
                == "x-team=2")
    }

    @Test func `a renamed field keeps its place and its values, and needs no other leave`() {
        let rules = MetadataPolicyTests.rules(
            allow: ["y"], rename: [("x-tenant", "tenant"), ("x-data-bin", "data-bin")])
        #expect(
            MetadataPolicyTests.applied(
                rules,
                to: [
                    ("x-tenant", "1"), ("y", "2"), ("x-data-bin", "AA"), ("x-tenant", "3"),
                    ("z", "4"),
                ])
                == "tenant=1 y=2 data-bin=AA tenant=3")
    }

    /// Or a client could say what only the renamed field is meant to say.
    @Test func `what comes under a new name already does not pass`() {
        let rules = MetadataPolicyTests.rules(rename: [("x-user", "user")])
        #expect(
            MetadataPolicyTests.applied(rules, to: [("user", "root"), ("x-user", "me")])
                == "user=me")
    }

    @Test func `two names may be swapped`() {
        let rules = MetadataPolicyTests.rules(rename: [("a", "b"), ("b", "a")])
        #expect(MetadataPolicyTests.applied(rules, to: [("a", "1"), ("b", "2")]) == "b=1 a=2")
    }

    @Test(
        arguments: [
            ([], true), (["x-request-id"], false), (["x-request-*"], false), (["*"], false),
            (["x-request"], true),
        ] as [([String], Bool)])
    func `the client is told the request's id unless that is denied`(
        deny: [String], isTold: Bool
    ) {
        let policy = MetadataPolicy(
            request: MetadataRuleSet(), response: MetadataPolicyTests.rules(deny: deny))
        #expect(policy.returnsRequestID == isTold)
    }

    @Test func `policies are equal by their rules`() {
        let one = MetadataPolicyTests.rules(deny: ["a"])
        let none = MetadataRuleSet()
        #expect(
            MetadataPolicy(request: one, response: none)
                == MetadataPolicy(request: one, response: none))
        #expect(
            MetadataPolicy(request: one, response: none)
                != MetadataPolicy(request: none, response: one))
    }
}
