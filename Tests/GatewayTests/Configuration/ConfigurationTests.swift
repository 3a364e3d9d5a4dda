import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct ConfigurationTests {
    @Test func `what is left out has its default`() throws {
        let gateway = try ConfigurationFixture.load(ConfigurationFixture.minimal())
        let configuration = gateway.configuration
        #expect(configuration.limits == LimitsConfiguration())
        #expect(configuration.drain.timeoutNanoseconds == 30_000_000_000)
        #expect(configuration.log.level == .info)
        #expect(configuration.upstreams[0].timeoutDefault == 15_000_000_000)
        #expect(configuration.upstreams[0].timeoutMax == nil)
        #expect(configuration.services[0].json == JSONOptions())
        #expect(configuration.services[0].rest == RESTOptions())
        let settings = ServerSettings()
        #expect(gateway.settings.messageBytesMax == settings.messageBytesMax)
        #expect(gateway.settings.http1 == settings.http1)
        #expect(gateway.settings.http2 == settings.http2)
        #expect(gateway.settings.upstreamHTTP2 == settings.upstreamHTTP2)
        #expect(gateway.settings.idleNanoseconds == settings.idleNanoseconds)
        #expect(gateway.settings.headNanoseconds == settings.headNanoseconds)
        #expect(gateway.settings.stalledNanoseconds == settings.stalledNanoseconds)
        #expect(gateway.settings.connectionsMax == settings.connectionsMax)
        #expect(!gateway.settings.http1AllowsHalfClose)
        #expect(gateway.settings.drainNanoseconds == settings.drainNanoseconds)
    }

    @Test func `an upstream says how it is treated`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams:
              a:
                target: 127.0.0.1:1
                balance: least_request
                dns: {min_interval: 2s}
                connection: {timeout: 3s, max_idle: 4s, max_age: 5s, max_connections: 6}
                keepalive: {time: 7s, timeout: 8s, without_calls: true}
                limits: {calls: 9, waiting: 10, retries: 11}
                health: {service: a.v1.A}
                outlier_detection:
                  interval: 12s
                  base_ejection: 13s
                  max_ejection: 14s
                  max_ejected_percent: 15
                  failure_percentage: {threshold: 16, min_hosts: 17, volume: 18}
                  success_rate: {factor: 1.5, min_hosts: 19, volume: 20}
              b: {target: 127.0.0.1:2, balance: pick_first}
              c: {target: 127.0.0.1:3, outlier_detection: {}, health: {}}
            services: [{upstream: a, descriptors: {file: demo.binpb}}]
            """)
        var options = UpstreamOptions()
        #expect(options.balance == .roundRobin)
        options.balance = .pickFirst
        #expect(gateway.upstreams[1].options == options)
        options.balance = .leastRequest
        options.resolveIntervalMin = 2_000_000_000
        options.connection.connectTimeout = 3_000_000_000
        options.connection.idleMax = 4_000_000_000
        options.connection.ageMax = 5_000_000_000
        options.connection.countMax = 6
        options.connection.keepaliveTime = 7_000_000_000
        options.connection.keepaliveTimeout = 8_000_000_000
        options.connection.keepaliveWithoutCalls = true
        options.circuit.callsMax = 9
        options.circuit.waitingMax = 10
        options.circuit.retriesMax = 11
        var outliers = OutlierOptions()
        outliers.failurePercentage = OutlierOptions.FailurePercentage()
        #expect(gateway.upstreams[2].options.outliers == outliers)
        #expect(gateway.upstreams[2].options.health == "")
        outliers.interval = 12_000_000_000
        outliers.baseEjection = 13_000_000_000
        outliers.maxEjection = 14_000_000_000
        outliers.ejectedPercentMax = 15
        outliers.failurePercentage?.threshold = 16
        outliers.failurePercentage?.hostsMin = 17
        outliers.failurePercentage?.volumeMin = 18
        outliers.successRate = OutlierOptions.SuccessRate()
        outliers.successRate?.factor = 1.5
        outliers.successRate?.hostsMin = 19
        outliers.successRate?.volumeMin = 20
        options.outliers = outliers
        options.health = "a.v1.A"
        #expect(gateway.upstreams[0].options == options)
    }

    @Test func `retries are an upstream's, and methods may differ`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams:
              a:
                target: 127.0.0.1:1
                retry: {initial_backoff: 20ms, multiplier: 1.5, codes: [UNAVAILABLE, aborted],
                        tokens: 20, token_ratio: 0.25}
            services:
              - upstream: a
                descriptors: {file: demo.binpb}
                methods:
                  - {selector: gateway.demo.v1.ChatService, retry: {max_attempts: 1}}
                  - {selector: gateway.demo.v1.TickerService, retry: {max_attempts: 5, max_backoff: 2s}}
            """)
        func policy(_ service: String) throws -> RetryPolicy {
            try #require(
                gateway.methods.methods.first { $0.descriptor.fullName.contains(".\(service).") }
            ).options.retry
        }
        var expected = RetryPolicy()
        #expect(expected.attemptsMax == 1, "no retries unless configured")
        expected.attemptsMax = 3
        expected.initialBackoff = 20_000_000
        expected.multiplier = 1.5
        expected.codes = [.unavailable, StatusCodeSet(.aborted)]
        #expect(try policy("LibraryService") == expected)
        expected.attemptsMax = 1
        #expect(try policy("ChatService") == expected)
        expected.attemptsMax = 5
        expected.maxBackoff = 2_000_000_000
        #expect(try policy("TickerService") == expected)
        #expect(gateway.upstreams[0].options.throttle.tokensMax == 20)
        #expect(gateway.upstreams[0].options.throttle.ratioThousandths == 250)
    }

    @Test func `hedging and retries take each other's place`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams:
              a:
                target: 127.0.0.1:1
                hedging: {delay: 0s, non_fatal_codes: [], request: 2KiB, tokens: 20, token_ratio: 0.25}
            services:
              - upstream: a
                descriptors: {file: demo.binpb}
                methods:
                  - {selector: gateway.demo.v1.ChatService, hedging: {max_attempts: 1}}
                  - {selector: gateway.demo.v1.UploadService, retry: {max_attempts: 4}}
                  - {selector: gateway.demo.v1.TickerService, hedging: {max_attempts: 5, delay: 2s}}
            """)
        func options(_ service: String) throws -> MethodOptions {
            try #require(
                gateway.methods.methods.first { $0.descriptor.fullName.contains(".\(service).") }
            ).options
        }
        #expect(MethodOptions().hedging == nil, "no hedging unless configured")
        var expected = HedgingPolicy()
        #expect(expected.attemptsMax == 2 && expected.delay == 100_000_000)
        expected.delay = 0
        expected.nonFatalCodes = []
        expected.requestBytesMax = 2 << 10
        #expect(try options("LibraryService").hedging == expected)
        #expect(try options("ChatService").hedging == nil)
        #expect(try options("UploadService").hedging == nil)
        #expect(try options("UploadService").retry.attemptsMax == 4)
        expected.attemptsMax = 5
        expected.delay = 2_000_000_000
        #expect(try options("TickerService").hedging == expected)
        #expect(gateway.upstreams[0].options.throttle.tokensMax == 20)
        #expect(gateway.upstreams[0].options.throttle.ratioThousandths == 250)
    }

    @Test func `entries that are learned by reflection are left out until they are known`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams: {a: {target: 127.0.0.1:1}, b: {target: 127.0.0.1:2, reflection: {timeout: 3s}}}
            services:
              - {upstream: b, descriptors: {reflection: true}, expose: [gateway.demo.v1.LibraryService],
                 rules: [{selector: gateway.demo.v1.LibraryService.ListShelves, get: /shelves}]}
              - {upstream: a, descriptors: {file: demo.binpb}, expose: [gateway.demo.v1.ChatService]}
              - {upstream: b, descriptors: {reflection: true}, expose: [gateway.demo.v1.TickerService.*]}
            """)
        #expect(gateway.upstreamsToLearn == [1], "two entries, one upstream")
        #expect(
            gateway.configuration.upstreams.map(\.reflectionTimeout)
                == [10, 3].map { $0 * Configuration.second })
        #expect(Set(gateway.methods.methods.map(\.options.upstream)) == [0])
        #expect(gateway.summary.last == "  what b tells by reflection when the gateway starts")

        let learned = try gateway.learning([
            1: ConfigurationTests.reflected("LibraryService", "TickerService")
        ])
        #expect(learned.upstreamsToLearn.isEmpty)
        func services(of upstream: Int) -> Set<Substring> {
            let methods = learned.methods.methods.filter { $0.options.upstream == upstream }
            return Set(methods.map { $0.descriptor.fullName.split(separator: ".")[3] })
        }
        #expect(services(of: 0) == ["ChatService"])
        #expect(services(of: 1) == ["LibraryService", "TickerService"])
        #expect(learned.methods.routes.patterns.contains { $0.template.text == "/shelves" })
        #expect(
            learned.methods.pools[1].files.contains { $0.name == "google/rpc/error_details.proto" })
    }

    @Test func `what does not fit the learned services is told with its place`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams: {a: {target: 127.0.0.1:1}}
            services:
              - upstream: a
                descriptors: {reflection: true}
                expose: [gateway.demo.v1.ChatService, gateway.demo.v1.LibrarySrvice.*]
            """)
        let error = #expect(throws: ConfigurationError.self) {
            try gateway.learning([0: ConfigurationTests.reflected("LibraryService")])
        }
        // The files declare the chat, and the upstream does not serve it.
        #expect(
            error?.description == """
                c.yaml:6:14: services[0].expose: 'gateway.demo.v1.ChatService' fits no method of the reflection of \
                upstream 'a'
                c.yaml:6:43: services[0].expose: 'gateway.demo.v1.LibrarySrvice.*' fits no method of the reflection \
                of upstream 'a' (did you mean 'gateway.demo.v1.LibraryService'?)
                """)
    }

    /// What a server of these services of the demo tells.
    private static func reflected(_ services: String...) -> ReflectedServices {
        let files = try? Reflection.Files(decoding: DemoDescriptors.fileDescriptorSet().span).files
        return ReflectedServices(
            protocolName: "grpc.reflection.v1", files: files ?? [],
            services: services.map { "gateway.demo.v1." + $0 }, skipped: [])
    }

    @Test func `metadata is decided for both ways, or for each`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams: {a: {target: 127.0.0.1:1}}
            services:
              - upstream: a
                descriptors: {file: demo.binpb}
                expose: gateway.demo.v1.LibraryService
                metadata:
                  deny: [X-Internal-*, cookie]
                  request: {rename: {Authorization: token}}
                  response: {deny: [], allow: "*"}
              - {upstream: a, descriptors: {file: demo.binpb}, expose: gateway.demo.v1.ChatService}
            trusted_proxies: [10.0.0.0/8, unix]
            """)
        let metadata = try #require(gateway.configuration.services[0].metadata)
        #expect(metadata.request.deny == ["x-internal-*", "cookie"])
        #expect(
            metadata.request.rename == [MetadataRuleSet.Rename(from: "authorization", to: "token")])
        #expect(metadata.request.allow.isEmpty)
        #expect(metadata.response.deny.isEmpty)
        #expect(metadata.response.allow == ["*"])
        let policies = gateway.methods.methods.map(\.options.metadata)
        #expect(policies.contains { $0?.request != nil && $0?.response != nil })
        #expect(policies.contains { $0 == nil })
        #expect(gateway.settings.trustedProxies.networks.count == 1)
        #expect(gateway.settings.trustedProxies.trustsUnix)
    }

    @Test func `limits and times reach the server's settings`() throws {
        let text = ConfigurationFixture.minimal(
            """
            limits: {message: 1MiB, headers: 8KiB, streams_per_connection: 7, connections: 9,
              resets_per_second: 3, idle: 2m, request_headers: 1500ms, stalled: 3s}
            drain: {timeout: 0s}
            log: {level: warning}
            """)
        let gateway = try ConfigurationFixture.load(text)
        let settings = gateway.settings
        #expect(settings.messageBytesMax == 1 << 20)
        #expect(settings.http1.headBytesMax == 8 << 10)
        #expect(settings.http1.targetBytesMax == 8 << 10)
        #expect(settings.http2.headerListBytesMax == 8 << 10)
        #expect(settings.upstreamHTTP2.headerListBytesMax == 8 << 10)
        #expect(settings.http2.streamsMax == 7)
        #expect(settings.http2.resetsPerSecond == 3)
        #expect(settings.connectionsMax == 9)
        #expect(settings.idleNanoseconds == 120_000_000_000)
        #expect(settings.headNanoseconds == 1_500_000_000)
        #expect(settings.stalledNanoseconds == 3_000_000_000)
        #expect(settings.drainNanoseconds == 0)
        #expect(gateway.configuration.log.level == .warning)
    }

    @Test func `each service has its own upstream and options`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: "[::1]:0"}, {address: "unix:/tmp.sock"}]
            upstreams:
              books: {target: ["127.0.0.1:1", dns:///books.example:2], timeout: {default: 1s, max: 2s}}
              talk: {target: 'unix:/run/talk.sock, localhost:3', timeout: {max: 5s}}
            services:
              - upstream: talk
                descriptors: {file: demo.binpb}
                expose: [gateway.demo.v1.ChatService, gateway.demo.v1.TickerService.Watch]
                json: {unknown_fields: reject, enums: number, int64: number, names: proto, indent: 2, defaults: emit}
              - upstream: books
                descriptors: {file: '${file:demo-path}'}
                expose: gateway.demo.v1.LibraryService.*
                rest: {unknown_query: ignore, ignore_query: [utm_*, key], unescape: all, trailing_slash: strict}
            """)
        #expect(gateway.upstreams.map(\.name) == ["books", "talk"])
        #expect(
            gateway.upstreams[1].targets.map(\.description) == [
                "unix:/run/talk.sock", "dns:///localhost:3",
            ])
        #expect(gateway.methods.methods.count == 11)
        for method in gateway.methods.methods {
            let isLibrary = method.descriptor.fullName.contains("LibraryService")
            #expect(method.options.upstream == (isLibrary ? 0 : 1))
            #expect(method.options.timeoutDefault == (isLibrary ? 1_000_000_000 : 5_000_000_000))
            #expect(method.options.timeoutMax == (isLibrary ? 2_000_000_000 : 5_000_000_000))
            #expect(method.options.json.indent == (isLibrary ? 0 : 2))
            #expect(method.options.json.unknownFields == (isLibrary ? .ignore : .reject))
            #expect(method.options.rest.unknownQuery == (isLibrary ? .ignore : .reject))
            #expect(method.options.rest.ignoredQuery == (isLibrary ? ["utm_*", "key"] : []))
        }
    }

    @Test func `rules replace the annotations of their own service's methods`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams: {a: {target: 127.0.0.1:1}}
            services:
              - upstream: a
                descriptors: {file: demo.binpb}
                expose: [gateway.demo.v1.LibraryService]
                rules:
                  - selector: gateway.demo.v1.LibraryService.ListShelves
                    custom: {kind: LIST, path: /all}
                    response_body: shelves
                    additional_bindings: [{post: /all, body: "*"}]
            """)
        let routes = gateway.methods.routes.patterns.filter { $0.owner.hasSuffix(".ListShelves") }
        #expect(routes.map(\.httpMethod) == ["LIST", "POST"])
        #expect(routes.map(\.template.text) == ["/all", "/all"])
    }

    @Test func `JSON is YAML`() throws {
        let gateway = try ConfigurationFixture.load(
            """
            {
            \t"listeners": [{"address": "127.0.0.1:0"}],
            \t"upstreams": {"a": {"target": ["127.0.0.1:1", "127.0.0.1:2"]}},
            \t"services": [{"upstream": "a", "descriptors": {"file": "demo.binpb", "reflection": false}}],
            \t"limits": {"message": "1MiB", "connections": 5}
            }
            """)
        #expect(gateway.settings.connectionsMax == 5)
        #expect(gateway.upstreams[0].targets.count == 2)
    }

    @Test func `variables and files are put in`() throws {
        let text = ConfigurationFixture.minimal("log: {level: '${file:/secret}'}")
            .replacing("127.0.0.1:1", with: "'127.0.0.1:${PORT}'")
        let gateway = try ConfigurationFixture.load(text)
        #expect(gateway.configuration.log.level == .debug)
        #expect(gateway.upstreams[0].targets.map(\.description) == ["127.0.0.1:50051"])
    }

    @Test func `the file that comes with the gateway is fine and sets its defaults`() throws {
        let bytes = try ConfigurationFixture.repositoryFile("config/gateway.yaml")
        let gateway = try ConfigurationFixture.load(bytes)
        #expect(
            gateway.summary == [
                "listeners",
                "  http://127.0.0.1:8081",
                "upstreams",
                "  demo  127.0.0.1:50051, timeout 15s, at most 1m",
                "services",
                "  gateway.demo.v1.ChatService → demo: 1 method, 1 REST route",
                "  gateway.demo.v1.LibraryService → demo: 9 methods, 11 REST routes",
                "  gateway.demo.v1.TickerService → demo: 1 method, 1 REST route",
                "  gateway.demo.v1.UploadService → demo: 1 method, 1 REST route",
            ])
        #expect(gateway.configuration.limits == LimitsConfiguration())
        #expect(gateway.configuration.drain == DrainConfiguration())
        #expect(gateway.configuration.log == LogConfiguration())
        #expect(gateway.configuration.services[0].json == JSONOptions())
        #expect(gateway.configuration.services[0].rest == RESTOptions())
        #expect(gateway.configuration.upstreams[0].timeoutDefault == 15_000_000_000)
    }
}
