/// Routes that cannot be told apart.
public struct RouteConflicts: Error, Equatable, Sendable, CustomStringConvertible {
    public struct Problem: Equatable, Sendable {
        /// Names both methods.
        public var message: String
        /// The two routes, as indices of the patterns.
        public var routes: [Int]
    }

    public var problems: [Problem]

    public var description: String { problems.map(\.message).joined(separator: "\n") }
}

/// Builds the trie of `RouteTable` as a tree of values, then lays it out in flat arrays. Start-up only.
struct RouteTableBuilder {
    private struct BuildNode {
        var literals: [[UInt8]: Int] = [:]
        var single: Int?
        var entries: [RouteTable.Entry] = []
        /// By the literals behind `**`.
        var tails: [[[UInt8]]: [RouteTable.Entry]] = [:]
    }

    private(set) var storage = RouteTable.Storage()
    private var tree = [BuildNode()]
    private var verbs: [[UInt8]] = []
    private let patterns: [RoutePattern]
    private var problems: [RouteConflicts.Problem] = []

    init(_ patterns: [RoutePattern]) throws(RouteConflicts) {
        self.patterns = patterns
        storage.methodNames = ["GET", "HEAD"]
        storage.ignoresTrailingSlash = patterns.contains(where: \.ignoresTrailingSlash)
        collectVerbs()
        for index in patterns.indices { insert(index) }
        guard problems.isEmpty else { throw RouteConflicts(problems: problems) }
        layOutNodes()
        layOutEdges()
    }

    /// Longest first, so that the first that fits is the longest that fits.
    private mutating func collectVerbs() {
        for pattern in patterns {
            if let verb = pattern.template.verb, !verbs.contains(verb) { verbs.append(verb) }
        }
        verbs.sort { $0.count > $1.count }
        storage.verbs = verbs.map { add($0) }
    }

    // MARK: - The tree

    private mutating func insert(_ index: Int) {
        let template = patterns[index].template
        addShape(of: template)
        let entry = RouteTable.Entry(
            verb: template.verb.flatMap(verbs.firstIndex(of:)).map(Int32.init) ?? -1,
            method: methodIndex(patterns[index].httpMethod), route: Int32(index),
            ignoresTrailingSlash: patterns[index].ignoresTrailingSlash)
        var node = 0
        for (position, segment) in template.segments.enumerated() {
            switch segment {
            case .literal(let bytes):
                if let child = tree[node].literals[bytes] {
                    node = child
                } else {
                    let child = addNode()
                    tree[node].literals[bytes] = child
                    node = child
                }
            case .single:
                let child = tree[node].single ?? addNode()
                tree[node].single = child
                node = child
            case .multiple:
                let literals = template.segments[(position + 1)...].compactMap { segment in
                    if case .literal(let bytes) = segment { bytes } else { nil }
                }
                check(entry, against: tree[node].tails[literals] ?? [])
                tree[node].tails[literals, default: []].append(entry)
                return
            }
        }
        check(entry, against: tree[node].entries)
        tree[node].entries.append(entry)
    }

    private mutating func addNode() -> Int {
        tree.append(BuildNode())
        return tree.count - 1
    }

    private mutating func addShape(of template: PathTemplate) {
        storage.shapes.append(
            RouteTable.Shape(
                firstVariable: Int32(storage.variables.count),
                variableCount: Int32(template.variables.count),
                multiple: template.multipleIndex.map(Int32.init) ?? -1))
        storage.variables += template.variables.map {
            RouteTable.VariableExtent(
                firstSegment: Int32($0.segments.lowerBound),
                lastSegment: Int32($0.segments.upperBound - 1))
        }
    }

    private mutating func check(_ entry: RouteTable.Entry, against others: [RouteTable.Entry]) {
        for other in others where other.verb == entry.verb && other.method == entry.method {
            let first = patterns[Int(other.route)]
            let second = patterns[Int(entry.route)]
            let message =
                "\(first.owner) and \(second.owner) both have the route \(second.httpMethod) "
                + (first.template.text == second.template.text
                    ? second.template.text
                    : "\(second.template.text), which \(first.template.text) already covers")
            let routes = [Int(other.route), Int(entry.route)]
            problems.append(RouteConflicts.Problem(message: message, routes: routes))
        }
    }

    private mutating func methodIndex(_ name: String) -> Int32 {
        if name == "*" { return RouteTable.anyMethod }
        if let known = storage.methodNames.firstIndex(of: name) { return Int32(known) }
        storage.methodNames.append(name)
        return Int32(storage.methodNames.count - 1)
    }

    // MARK: - The flat arrays

    private mutating func layOutNodes() {
        for built in tree {
            var node = RouteTable.Node()
            node.single = built.single.map(Int32.init) ?? -1
            node.hasLiterals = !built.literals.isEmpty
            (node.firstEntry, node.entryCount) = add(built.entries)
            node.firstTail = Int32(storage.tails.count)
            node.tailCount = Int32(built.tails.count)
            let tails = built.tails.sorted { left, right in
                (right.key.count, left.value[0].route) < (left.key.count, right.value[0].route)
            }
            for (literals, entries) in tails {
                let (firstEntry, entryCount) = add(entries)
                storage.tails.append(
                    RouteTable.Tail(
                        firstLiteral: Int32(storage.tailLiterals.count),
                        literalCount: Int32(literals.count), firstEntry: firstEntry,
                        entryCount: entryCount))
                storage.tailLiterals += literals.map { add($0) }
            }
            storage.nodes.append(node)
        }
    }

    /// At most half full, so that a miss ends soon.
    private mutating func layOutEdges() {
        let edgeCount = tree.reduce(0) { $0 + $1.literals.count }
        var capacity = 8
        while capacity < edgeCount * 2 { capacity *= 2 }
        storage.edges = [RouteTable.Edge](repeating: RouteTable.Edge(), count: capacity)
        for (node, built) in tree.enumerated() {
            for (bytes, child) in built.literals {
                let hash = NameTable.hash(bytes.span, foldsCase: false)
                var slot = Int(RouteTable.edgeSlot(node: node, hash: hash)) & (capacity - 1)
                while storage.edges[slot].child >= 0 { slot = (slot + 1) & (capacity - 1) }
                storage.edges[slot] = RouteTable.Edge(
                    node: Int32(node), child: Int32(child), hash: hash, literal: add(bytes))
            }
        }
    }

    private mutating func add(_ entries: [RouteTable.Entry]) -> (Int32, Int32) {
        defer { storage.entries += entries }
        return (Int32(storage.entries.count), Int32(entries.count))
    }

    private mutating func add(_ bytes: [UInt8]) -> RouteTable.Literal {
        defer { storage.text += bytes }
        return RouteTable.Literal(offset: Int32(storage.text.count), length: Int32(bytes.count))
    }
}
