import Testing

@testable import Gateway
@testable import Transcode

private func decoded(_ json: String) -> (config: ServiceConfig?, problems: [String]) {
    ServiceConfigDecoder.decode(Array(json.utf8))
}

/// The one retry policy of a document, with this in the place of one of its keys.
private func retry(_ change: String) -> [String] {
    var keys = [
        "\"maxAttempts\":3", "\"initialBackoff\":\"0.1s\"", "\"maxBackoff\":\"1s\"",
        "\"backoffMultiplier\":2", "\"retryableStatusCodes\":[\"UNAVAILABLE\"]",
    ]
    let name = change.split(separator: ":")[0]
    keys = keys.map { $0.hasPrefix(name) ? change : $0 }
    return decoded(
        "{\"methodConfig\":[{\"name\":[{}],\"retryPolicy\":{\(keys.joined(separator: ","))}}]}"
    )
    .problems
}

@Suite struct ServiceConfigTests {
    @Test func `a config says what holds for its methods and its channel`() throws {
        let (config, problems) = decoded(
            """
            {
              "loadBalancingConfig": [{"grpclb": {}}, {"round_robin": {}}],
              "methodConfig": [
                {"name": [{"service": "a.S", "method": "Get"}, {"service": "b.T"}],
                 "timeout": "1.5s", "waitForReady": true,
                 "maxRequestMessageBytes": 1024, "maxResponseMessageBytes": "2048",
                 "retryPolicy": {"maxAttempts": 9, "initialBackoff": "0.1s", "maxBackoff": "2s",
                   "backoffMultiplier": 1.5, "retryableStatusCodes": ["unavailable", 8]}},
                {"name": [{}], "timeout": "10s"}
              ],
              "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
              "somethingNew": {}
            }
            """)
        #expect(problems == [])
        let found = try #require(config)
        #expect(found.balance == .roundRobin)
        #expect(found.throttle?.tokensMax == 10 && found.throttle?.ratioThousandths == 100)
        let get = try #require(found.method("a.S.Get"))
        #expect(get == found.method("b.T.Anything"))
        #expect(get.timeout == 1_500_000_000 && get.waitsForReady == true)
        #expect(get.requestBytesMax == 1024 && get.responseBytesMax == 2048)
        var options = MethodOptions()
        get.apply(to: &options)
        #expect(options.retry.attemptsMax == 5)
        #expect(options.retry.codes == [.unavailable, StatusCodeSet(.resourceExhausted)])
        #expect(options.retry.maxBackoff == 2_000_000_000 && options.retry.multiplier == 1.5)
        #expect(found.method("a.S.Other")?.timeout == 10_000_000_000)
    }

    @Test func `retries of a config keep what the upstream says of a request's size`() throws {
        var options = MethodOptions()
        #expect(options.retry.requestBytesMax == 64 << 10)
        options.retry.requestBytes = 1 << 20
        let entry =
            "{\"methodConfig\":[{\"name\":[{}],\"retryPolicy\":{\"maxAttempts\":2,"
            + "\"initialBackoff\":\"1s\",\"maxBackoff\":\"1s\",\"backoffMultiplier\":1,"
            + "\"retryableStatusCodes\":[14]}}]}"
        let config = try #require(decoded(entry).config)
        config.method("a.S.Get")?.apply(to: &options)
        #expect(options.retry.attemptsMax == 2 && options.retry.requestBytesMax == 1 << 20)
        options.retry.requestBytes = nil
        #expect(options.retry.requestBytesMax == 256 << 10)
    }

    @Test(
        arguments: [
            ("\"pick_first\":{\"shuffleAddressList\":true}", true, 2),
            ("\"pick_first\":{}", false, 2),
            ("\"least_request_experimental\":{\"choiceCount\":5}", false, 5),
            ("\"least_request\":{\"choiceCount\":99}", false, 10),
            ("\"round_robin\":{\"choiceCount\":1}", false, 2),
        ])
    func `a policy says more than its name`(_ policy: String, _ shuffles: Bool, _ drawn: Int) throws
    {
        let (config, problems) = decoded(
            "{\"loadBalancingConfig\":[{\"x\":{}},{\(policy)}],"
                + "\"connectionScaling\":{\"maxConnectionsPerSubchannel\":20}}")
        #expect(problems == [])
        let found = try #require(config)
        #expect(found.shufflesAddresses == shuffles && found.drawnMax == drawn)
        #expect(found.connectionsMax == 10, "whatever it says")
    }

    @Test func `hedging has gRPC's own defaults, and no more than five attempts`() {
        var policy = decoded(
            "{\"methodConfig\":[{\"hedgingPolicy\":{\"maxAttempts\":9}}]}"
        ).config?.methods[0].hedging
        #expect(policy?.attemptsMax == 5 && policy?.delay == 0 && policy?.nonFatalCodes == [])
        policy =
            decoded(
                "{\"methodConfig\":[{\"hedgingPolicy\":{\"maxAttempts\":2,\"hedgingDelay\":\"0.5s\",\"nonFatalStatusCodes\":[14,\"aborted\"]}}]}"
            ).config?.methods[0].hedging
        #expect(policy?.delay == 500_000_000)
        #expect(policy?.nonFatalCodes == [.unavailable, StatusCodeSet(.aborted)])
    }

    @Test func `the health of addresses is asked of the service that is named`() {
        let named = decoded("{\"healthCheckConfig\":{\"serviceName\":\"a.B\"}}").config
        #expect(named?.healthService == "a.B")
        #expect(decoded("{\"healthCheckConfig\":{}}").config?.healthService == nil)
        #expect(
            decoded("{\"healthCheckConfig\":{\"serviceName\":\"\"}}").config?.healthService == "")
    }

    @Test(arguments: ["{}", "{\"methodConfig\":[]}", "{\"methodConfig\":null}"])
    func `a config may say nothing`(json: String) {
        #expect(decoded(json).config == ServiceConfig())
    }

    @Test(arguments: [
        ("\"maxAttempts\":1", "maxAttempts: expected an integer of at least 2"),
        ("\"maxAttempts\":2.5", "maxAttempts: expected an integer of at least 2"),
        ("\"maxAttempts\":\"3\"", "maxAttempts: expected a number"),
        ("\"initialBackoff\":\"0s\"", "initialBackoff: expected more than 0"),
        ("\"maxBackoff\":1", "maxBackoff: expected seconds, such as \"1.5s\""),
        ("\"maxBackoff\":\"1m\"", "maxBackoff: expected seconds, such as \"1.5s\""),
        ("\"backoffMultiplier\":0", "backoffMultiplier: expected more than 0"),
        ("\"retryableStatusCodes\":[]", "retryableStatusCodes: at least one is needed"),
        (
            "\"retryableStatusCodes\":[\"OK\"]",
            "retryableStatusCodes: expected names or numbers of codes"
        ),
        (
            "\"retryableStatusCodes\":[99]",
            "retryableStatusCodes: expected names or numbers of codes"
        ),
    ])
    func `a policy that gRPC would discard is refused with its place`(
        change: String, problem: String
    ) {
        #expect(retry(change).first == "methodConfig[0].retryPolicy.\(problem)")
    }

    @Test(arguments: [
        ("", "no JSON at byte 0"), ("{", "no JSON at byte"), ("[]", "expected an object"),
        ("{} x", "no JSON at byte"), ("{\"methodConfig\":{}}", "methodConfig: expected an array"),
        (
            "{\"methodConfig\":[{\"name\":[{\"method\":\"Get\"}]}]}",
            "methodConfig[0].name: a method needs its service"
        ),
        (
            "{\"methodConfig\":[{\"name\":[{}]},{\"name\":[{}]}]}",
            "methodConfig[1].name: every method has an entry before"
        ),
        (
            "{\"methodConfig\":[{\"name\":[{}],\"hedgingPolicy\":{}}]}",
            "methodConfig[0].hedgingPolicy.maxAttempts: missing"
        ),
        (
            "{\"methodConfig\":[{\"hedgingPolicy\":{\"maxAttempts\":1}}]}",
            "methodConfig[0].hedgingPolicy.maxAttempts: expected an integer of at least 2"
        ),
        (
            "{\"methodConfig\":[{\"hedgingPolicy\":{\"maxAttempts\":2,\"hedgingDelay\":1}}]}",
            "methodConfig[0].hedgingPolicy.hedgingDelay: expected seconds, such as \"1.5s\""
        ),
        (
            "{\"methodConfig\":[{\"hedgingPolicy\":{\"maxAttempts\":2,\"nonFatalStatusCodes\":[\"X\"]}}]}",
            "methodConfig[0].hedgingPolicy.nonFatalStatusCodes: expected names or numbers of codes"
        ),
        (
            "{\"loadBalancingConfig\":[{\"xds\":{}}]}",
            "loadBalancingConfig: none of its policies is known"
        ),
        (
            "{\"loadBalancingConfig\":[{\"pick_first\":{\"shuffleAddressList\":1}}]}",
            "loadBalancingConfig.pick_first.shuffleAddressList: expected true or false"
        ),
        (
            "{\"loadBalancingConfig\":[{\"least_request\":{\"choiceCount\":1}}]}",
            "loadBalancingConfig.least_request.choiceCount: expected an integer of at least 2"
        ),
        (
            "{\"connectionScaling\":{\"maxConnectionsPerSubchannel\":0}}",
            "connectionScaling.maxConnectionsPerSubchannel: expected an integer of at least 1"
        ),
        (
            "{\"retryThrottling\":{\"maxTokens\":0,\"tokenRatio\":1}}",
            "retryThrottling.maxTokens: expected an integer from 1 to 1000"
        ),
        (
            "{\"methodConfig\":[{\"name\":[{}],\"maxRequestMessageBytes\":-1}]}",
            "methodConfig[0].maxRequestMessageBytes: expected a number of bytes"
        ),
        (
            "{\"methodConfig\":[{\"name\":[{}],\"waitForReady\":1}]}",
            "methodConfig[0].waitForReady: expected true or false"
        ),
    ])
    func `what is no config is refused with its place`(json: String, problem: String) {
        let found = decoded(json)
        #expect(found.config == nil)
        #expect(found.problems.first?.hasPrefix(problem) == true)
    }

    @Test func `a document that is too deep is refused`() {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(decoded("{\"a\":\(deep)}").problems.first?.hasPrefix("no JSON") == true)
    }
}
