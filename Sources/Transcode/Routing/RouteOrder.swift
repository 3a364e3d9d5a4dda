/// The order in which routes are tried. Cold: for people.
extension RouteTable {
    /// Every route, best first: of those that fit a request the first one here serves it.
    ///
    /// Verbs come first, the longest before all; then segment by segment literals (in the alphabet's order), `*`, `**`;
    /// at one place the routes of one HTTP method before those of any.
    public var matchingOrder: [Int] {
        var children: [Int32: [(literal: [UInt8], child: Int)]] = [:]
        for edge in storage.edges where edge.child >= 0 {
            children[edge.node, default: []].append((bytes(of: edge.literal), Int(edge.child)))
        }
        for node in children.keys {
            children[node]?.sort { $0.literal.lexicographicallyPrecedes($1.literal) }
        }
        var order: [Int] = []
        for verb in Array(storage.verbs.indices.map(Int32.init)) + [-1] {
            collect(0, verb, children, into: &order)
        }
        return order
    }

    private func collect(
        _ index: Int, _ verb: Int32, _ children: [Int32: [(literal: [UInt8], child: Int)]],
        into order: inout [Int]
    ) {
        let node = storage.nodes[index]
        appendEntries(node.firstEntry, node.entryCount, verb, into: &order)
        for (_, child) in children[Int32(index)] ?? [] {
            collect(child, verb, children, into: &order)
        }
        if node.single >= 0 { collect(Int(node.single), verb, children, into: &order) }
        for tail in storage.tails[Int(node.firstTail)..<Int(node.firstTail + node.tailCount)] {
            appendEntries(tail.firstEntry, tail.entryCount, verb, into: &order)
        }
    }

    private func appendEntries(
        _ first: Int32, _ count: Int32, _ verb: Int32, into order: inout [Int]
    ) {
        let entries = storage.entries[Int(first)..<Int(first + count)].filter { $0.verb == verb }
        order += entries.filter { $0.method != RouteTable.anyMethod }.map { Int($0.route) }
        order += entries.filter { $0.method == RouteTable.anyMethod }.map { Int($0.route) }
    }

    private func bytes(of literal: Literal) -> [UInt8] {
        Array(storage.text[Int(literal.offset)..<Int(literal.offset + literal.length)])
    }
}
