import Synchronization
import Testing

@testable import Gateway

@Suite struct UpstreamSnapshotTests {
    @Test func `every counter has a metric, named as Prometheus names them`() {
        let names = UpstreamCounters.metrics.map(\.name)
        #expect(names.count == Mirror(reflecting: UpstreamCounters()).children.count)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.hasPrefix("gateway_upstream_") && $0.hasSuffix("_total") })
        #expect(Set(UpstreamCounters.metrics.map(\.counter)).count == names.count)
    }

    @Test func `the counters of reactors are summed, each by itself`() {
        var first = UpstreamCounters()
        var second = UpstreamCounters()
        for (index, (_, counter)) in UpstreamCounters.metrics.enumerated() {
            first[keyPath: counter] = index
            second[keyPath: counter] = 100
        }
        first += second
        #expect(
            UpstreamCounters.metrics.map { first[keyPath: $0.counter] }
                == (0..<UpstreamCounters.metrics.count).map { 100 + $0 })
    }

    @Test func `calls in flight are those that have not ended`() {
        var counters = UpstreamCounters()
        counters.calls = 10
        counters.callsSucceeded = 4
        counters.callsFailed = 2
        counters.callsCancelled = 1
        #expect(counters.callsInFlight == 3)
    }

    @Test func `an address is as ready as the reactor that is most so, and as ill as any says`() {
        var all = UpstreamSnapshot(
            name: "a", callsWaiting: 1,
            endpoints: [EndpointSnapshot(address: "x", state: .ready, callsInFlight: 2)])
        all.merge(
            UpstreamSnapshot(
                name: "a", callsWaiting: 2,
                endpoints: [
                    EndpointSnapshot(
                        address: "x", state: .transientFailure, connections: 1, callsInFlight: 3,
                        isEjected: true),
                    EndpointSnapshot(address: "y", state: .idle, isHealthy: false),
                ]))
        #expect(all.callsWaiting == 3)
        #expect(
            all.endpoints == [
                EndpointSnapshot(
                    address: "x", state: .ready, connections: 1, callsInFlight: 5, isEjected: true),
                EndpointSnapshot(address: "y", state: .idle, isHealthy: false),
            ])
    }

    @Test func `what all reactors see is told once, by the last of them`() {
        let told = Mutex<[[UpstreamSnapshot]]>([])
        let gathering = UpstreamSnapshots(of: 3) { snapshots in
            told.withLock { $0.append(snapshots) }
        }
        gathering.add([UpstreamSnapshot(name: "a", callsWaiting: 1)])
        gathering.add([])
        let early = told.withLock { $0.count }
        #expect(early == 0)
        gathering.add([
            UpstreamSnapshot(name: "a", callsWaiting: 1), UpstreamSnapshot(name: "b"),
        ])
        let waiting = told.withLock { $0.map { $0.map(\.callsWaiting) } }
        #expect(waiting == [[2, 0]])
    }
}
