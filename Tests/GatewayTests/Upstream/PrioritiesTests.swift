import Testing

@testable import Gateway

@Suite struct PrioritiesTests {
    private typealias Condition = Priorities.Condition

    @Test(
        arguments: [
            ([], 0, 1),
            ([.pending], 0, 1), ([.ready], 0, 1), ([.failed], 0, 1),
            // Those behind one that may yet serve rest.
            ([.ready, .pending, .pending], 0, 1), ([.pending, .pending], 0, 1),
            // Fail-over, one after the other.
            ([.failed, .pending, .pending], 1, 2), ([.failed, .ready, .pending], 1, 2),
            ([.failed, .failed, .pending], 2, 3), ([.failed, .failed, .failed], 2, 3),
            // What serves does so until one that is more wanted does.
            ([.pending, .ready], 1, 2), ([.pending, .failed, .ready], 2, 3),
            ([.failed, .pending, .ready], 2, 3),
            // The return.
            ([.ready, .ready], 0, 1), ([.failed, .ready, .ready], 1, 2),
        ] as [([Priorities.Condition], Int, Int)])
    func `calls go to the most wanted priority that serves`(
        _ conditions: [Priorities.Condition], _ serving: Int, _ connected: Int
    ) {
        let priorities = Priorities(conditions)
        #expect(priorities.serving == serving)
        #expect(priorities.connected == connected)
    }

    @Test
    func `whatever the conditions, what serves is connected, and so is all that is more wanted`() {
        let all = Condition.allCases
        for first in all {
            for second in all {
                for third in all {
                    let conditions = [first, second, third]
                    let priorities = Priorities(conditions)
                    #expect(priorities.serving < priorities.connected)
                    #expect(priorities.connected <= 3)
                    if conditions.contains(.ready) {
                        #expect(conditions[priorities.serving] == .ready)
                        #expect(!conditions[..<priorities.serving].contains(.ready))
                    }
                }
            }
        }
    }
}
