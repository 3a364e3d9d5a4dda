import Testing
import Transcode

@testable import Gateway

@Suite struct OutlierDetectionTests {
    private static let second: Int64 = 1_000_000_000

    private func options(_ change: (inout OutlierOptions) -> Void = { _ in }) -> OutlierOptions {
        var options = OutlierOptions()
        options.failurePercentage = OutlierOptions.FailurePercentage()
        change(&options)
        return options
    }

    /// Hosts with so many failures of 100 calls.
    private func sweep(
        _ options: OutlierOptions, _ hosts: inout [OutlierHost], _ failures: [Int],
        at seconds: Int64
    ) -> [Int] {
        for (index, count) in failures.enumerated() {
            hosts[index].failures = count
            hosts[index].successes = 100 - count
        }
        options.sweep(&hosts, now: seconds * OutlierDetectionTests.second)
        return hosts.indices.filter { hosts[$0].isEjected }
    }

    @Test func `who fails above the threshold is ejected`() {
        var hosts = [OutlierHost](repeating: OutlierHost(), count: 5)
        #expect(sweep(options(), &hosts, [0, 85, 0, 0, 0], at: 10) == [])
        #expect(sweep(options(), &hosts, [0, 86, 0, 0, 0], at: 20) == [1])
    }

    @Test func `few hosts, or few calls, tell nothing`() {
        var hosts = [OutlierHost](repeating: OutlierHost(), count: 4)
        #expect(sweep(options(), &hosts, [100, 0, 0, 0], at: 10) == [])
        hosts = [OutlierHost](repeating: OutlierHost(), count: 6)
        for index in hosts.indices { hosts[index].failures = 49 }
        options().sweep(&hosts, now: 0)
        #expect(hosts.allSatisfy { !$0.isEjected })
        for index in hosts.indices { hosts[index].successes = index == 0 ? 0 : 100 }
        hosts[0].failures = 49
        options().sweep(&hosts, now: 0)
        #expect(hosts.allSatisfy { !$0.isEjected }, "49 calls are fewer than 50")
    }

    @Test func `one may always be ejected, more up to the limit`() {
        var hosts = [OutlierHost](repeating: OutlierHost(), count: 5)
        #expect(sweep(options(), &hosts, [100, 100, 100, 0, 0], at: 10).count == 1)
        hosts = [OutlierHost](repeating: OutlierHost(), count: 5)
        let most = options { $0.ejectedPercentMax = 60 }
        #expect(sweep(most, &hosts, [100, 100, 100, 100, 0], at: 10).count == 3)
    }

    @Test func `ejections grow with each, up to a limit, and good intervals make up for them`() {
        var hosts = [OutlierHost](repeating: OutlierHost(), count: 5)
        let options = options { $0.maxEjection = 50 * OutlierDetectionTests.second }
        let bad = [100, 0, 0, 0, 0]
        let good = [0, 0, 0, 0, 0]
        #expect(sweep(options, &hosts, bad, at: 0) == [0])
        #expect(sweep(options, &hosts, good, at: 29) == [0])
        #expect(sweep(options, &hosts, good, at: 30) == [])
        #expect(sweep(options, &hosts, bad, at: 40) == [0])
        #expect(sweep(options, &hosts, good, at: 89) == [0], "twice 30 s, at most 50 s")
        #expect(sweep(options, &hosts, good, at: 90) == [])
        #expect(hosts[0].ejections == 2)
        _ = sweep(options, &hosts, good, at: 100)
        _ = sweep(options, &hosts, good, at: 110)
        _ = sweep(options, &hosts, good, at: 120)
        #expect(hosts[0].ejections == 0)
    }

    @Test func `who succeeds far less than the others is ejected`() {
        let options = options {
            $0.failurePercentage = nil
            $0.successRate = OutlierOptions.SuccessRate()
        }
        var hosts = [OutlierHost](repeating: OutlierHost(), count: 6)
        #expect(sweep(options, &hosts, [1, 2, 1, 0, 2, 1], at: 10) == [])
        #expect(sweep(options, &hosts, [1, 2, 1, 0, 2, 40], at: 20) == [5])
        hosts = [OutlierHost](repeating: OutlierHost(), count: 6)
        #expect(sweep(options, &hosts, [90, 90, 90, 90, 90, 90], at: 30) == [], "all are alike")
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `whatever happens no more are ejected than may, and all come back`(seed: UInt64) {
        var random = RandomSource(seed: seed)
        let options = options { $0.ejectedPercentMax = 40 }
        var hosts = [OutlierHost](repeating: OutlierHost(), count: 10)
        var now: Int64 = 0
        for _ in 0..<300 {
            now += 10
            let failures = hosts.map { _ in Int.random(in: 0...100, using: &random) }
            #expect(sweep(options, &hosts, failures, at: now).count <= 4)
        }
        for _ in 0..<40 {
            now += 10
            _ = sweep(options, &hosts, hosts.map { _ in 0 }, at: now)
        }
        #expect(hosts.allSatisfy { !$0.isEjected })
    }

    @Test func `reactors share the counts of an address, and one of them looks`() throws {
        let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: 1))
        let detector = OutlierDetector(options { $0.failurePercentage?.hostsMin = 1 })
        let endpoints = SharedEndpoints(checksHealth: false)
        let (first, second) = (endpoints.join(address), endpoints.join(address))
        #expect(first === second)
        for _ in 0..<30 {
            first.record(.unavailable)
            second.record(.deadlineExceeded)
        }
        let changes = detector.sweep(endpoints, now: 10 * OutlierDetectionTests.second)
        #expect(changes == [OutlierDetector.Change(address: address, isEjected: true)])
        #expect(detector.sweep(endpoints, now: 11 * OutlierDetectionTests.second).isEmpty)
        #expect(second.isEjected)
        endpoints.leave(first)
        #expect(endpoints.join(address) === second, "somebody still has it")
        for _ in 0..<2 { endpoints.leave(second) }
        #expect(!endpoints.join(address).isEjected, "nobody had it: it begins anew")
    }

    @Test func `a client's own mistakes are no failures of the address`() throws {
        let address = try #require(SocketAddress(numericHost: "127.0.0.1", port: 1))
        let detector = OutlierDetector(options { $0.failurePercentage?.hostsMin = 1 })
        let endpoints = SharedEndpoints(checksHealth: false)
        let endpoint = endpoints.join(address)
        for _ in 0..<60 {
            for code in [.notFound, .invalidArgument, .unimplemented, .cancelled] as [StatusCode] {
                endpoint.record(code)
            }
        }
        #expect(detector.sweep(endpoints, now: 0).isEmpty)
    }
}
