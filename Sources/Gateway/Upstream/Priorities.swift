/// Which priorities of addresses are connected, and which one gets the calls (RFC 2782, as gRPC's priority policy does,
/// gRFC A56). Pure.
struct Priorities: Equatable {
    /// What the addresses of one priority come to.
    enum Condition: Equatable, CaseIterable {
        /// One of them takes calls.
        case ready
        /// One of them may yet.
        case pending
        /// None does: their last attempts have failed, or something keeps calls from them.
        case failed
    }

    /// The one that calls go to.
    var serving = 0
    /// So many, from the most wanted one on, are connected; those that have failed are tried again and again, so that
    /// calls come back to them.
    var connected = 1

    init() {}

    /// - Parameter conditions: of each priority, the most wanted one first.
    init(_ conditions: [Condition]) {
        let wanted = conditions.firstIndex { $0 != .failed } ?? max(0, conditions.count - 1)
        serving = conditions.firstIndex(of: .ready) ?? wanted
        // One that serves does so until one that is more wanted does.
        connected = max(wanted, serving) + 1
    }
}
