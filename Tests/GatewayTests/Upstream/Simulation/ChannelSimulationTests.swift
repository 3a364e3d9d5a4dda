import Testing

@testable import Gateway

@Suite struct ChannelSimulationTests {
    /// Runs one order of events.
    private static func run(_ simulation: ChannelSimulation) throws {
        for _ in 0..<80 where simulation.violations.isEmpty {
            try simulation.step()
            // What comes next may come while this is still on its way.
            if Bool.random(using: &simulation.random) {
                _ = simulation.turn(Int.random(in: 0..<2, using: &simulation.random))
            } else {
                simulation.settle()
                simulation.checkInvariants()
            }
        }
        guard simulation.violations.isEmpty else { return }
        // No new calls; those under way have their deadlines.
        simulation.pass(ChannelSimulation.timeMax)
        simulation.settle()
        simulation.checkInvariants()
        simulation.must(simulation.calls.isEmpty, "a call is under way after its deadline")
        simulation.stop()
    }

    @Test(arguments: 0..<10)
    func `whatever happens in whatever order, every call ends once`(block: UInt64) throws {
        var wrong: [String] = []
        var happenings: Set<ChannelSimulation.Happening> = []
        for seed in block * 200..<(block + 1) * 200 {
            let simulation = try ChannelSimulation(seed: seed)
            try Self.run(simulation)
            happenings.formUnion(simulation.happenings)
            if let first = simulation.violations.first { wrong.append("seed \(seed): \(first)") }
        }
        #expect(wrong == [])
        #expect(Set(ChannelSimulation.Happening.allCases).subtracting(happenings) == [])
    }

    /// One seed is one order of events, or what goes wrong could not be looked at again. What led to it is then the end
    /// of `log`.
    @Test func `the same seed plays the same`() throws {
        let first = try ChannelSimulation(seed: 9, keepsLog: true)
        let second = try ChannelSimulation(seed: 9, keepsLog: true)
        try Self.run(first)
        try Self.run(second)
        #expect(first.log == second.log)
        #expect(first.log.count > 40)
    }
}
