/// One way into one method: an HTTP method and a path template.
public struct RoutePattern: Equatable, Sendable {
    /// An HTTP method token, or `*` for any.
    public var httpMethod: String
    public var template: PathTemplate
    /// Whose route it is, for errors: the RPC's full name.
    public var owner: String
    /// Slashes at the end of a path say nothing.
    public var ignoresTrailingSlash: Bool

    public init(
        httpMethod: String, template: PathTemplate, owner: String,
        ignoresTrailingSlash: Bool = false
    ) {
        self.httpMethod = httpMethod
        self.template = template
        self.owner = owner
        self.ignoresTrailingSlash = ignoresTrailingSlash
    }
}

/// The immutable table of all routes: a trie in flat arrays, shared by all threads.
///
/// Segment by segment from the left a literal beats `*` beats `**`, with backtracking; at one node the exact
/// HTTP method beats `*`. A verb that some template has is cut off before anything else is tried, the longest
/// first; then the colon counts as data. Since a node stands at one depth, no node is visited twice in one
/// walk: the work is bounded by the table, not by the path.
public final class RouteTable: Sendable {
    struct Node: Sendable {
        /// Child for `*`; -1 when there is none.
        var single: Int32 = -1
        var hasLiterals = false
        /// `entries[firstEntry ..< firstEntry + entryCount]`: the routes that end here.
        var firstEntry: Int32 = 0
        var entryCount: Int32 = 0
        /// `tails[firstTail ..< firstTail + tailCount]`: `**` and what follows, most literals first.
        var firstTail: Int32 = 0
        var tailCount: Int32 = 0
    }

    /// A slot of the open-addressed table (node, literal) → child; `child` is -1 in a free one.
    struct Edge: Sendable {
        var node: Int32 = -1
        var child: Int32 = -1
        var hash: UInt32 = 0
        var literal = Literal(offset: 0, length: 0)
    }

    /// Normalised bytes in `text`.
    struct Literal: Sendable {
        var offset: Int32
        var length: Int32
    }

    struct Tail: Sendable {
        /// `tailLiterals[firstLiteral ..< firstLiteral + literalCount]` follow `**`.
        var firstLiteral: Int32
        var literalCount: Int32
        var firstEntry: Int32
        var entryCount: Int32
    }

    struct Entry: Sendable {
        /// Index in `verbs`; -1 without one.
        var verb: Int32
        /// Index in `methods`; `anyMethod` for `*`.
        var method: Int32
        var route: Int32
        var ignoresTrailingSlash: Bool
    }

    /// One route's variables: `variables[firstVariable ..< firstVariable + variableCount]`.
    struct Shape: Sendable {
        var firstVariable: Int32
        var variableCount: Int32
        /// Segment index of `**`; -1 without one.
        var multiple: Int32
    }

    struct VariableExtent: Sendable {
        var firstSegment: Int32
        var lastSegment: Int32
    }

    /// Everything the walk reads.
    struct Storage: Sendable {
        var nodes: [Node] = []
        var edges: [Edge] = []
        var tails: [Tail] = []
        var tailLiterals: [Literal] = []
        var entries: [Entry] = []
        var shapes: [Shape] = []
        var variables: [VariableExtent] = []
        var verbs: [Literal] = []
        var text: [UInt8] = []
        var methodNames: [String] = []
        /// Some route ignores trailing slashes.
        var ignoresTrailingSlash = false

        func isEqual(_ segment: Span<UInt8>, _ range: Range<Int>) -> Bool {
            segment.isEqual(to: text.span.extracting(range))
        }
    }

    static let anyMethod: Int32 = -2
    static let getMethod: Int32 = 0
    static let headMethod: Int32 = 1

    public let patterns: [RoutePattern]
    let storage: Storage
    let methods: NameTable
    let edgeMask: UInt32

    /// Builds the table; route ids are indices in `patterns`. Throws all duplicates at once.
    public init(_ patterns: [RoutePattern]) throws(RouteConflicts) {
        let builder = try RouteTableBuilder(patterns)
        self.patterns = patterns
        storage = builder.storage
        methods = NameTable(storage.methodNames)
        edgeMask = UInt32(storage.edges.count - 1)
    }

    /// Finds the route of a raw request path (still percent-encoded, without query).
    public func match(
        method: Span<UInt8>, path: Span<UInt8>, into match: RouteMatch
    ) -> RouteOutcome {
        match.route = -1
        match.captureCount = 0
        match.isPathKnown = false
        guard path.count > 0, path[0] == UInt8(ascii: "/"), path.count < Int(Int32.max) else {
            return .notFound
        }
        let name = methods.index(of: method)
        if storage.ignoresTrailingSlash, path.count > 1, path[path.count - 1] == UInt8(ascii: "/") {
            var end = path.count - 1
            while end > 1, path[end - 1] == UInt8(ascii: "/") { end -= 1 }
            let goal = Goal(method: name, verb: -1, ignoresTrailingSlash: true)
            let outcome = find(goal, path.extracting(0..<end), match)
            if case .route = outcome { return outcome }
        }
        return find(Goal(method: name, verb: -1, ignoresTrailingSlash: false), path, match)
    }

    /// Reads the path with each verb that it ends in, then without.
    private func find(
        _ goal: consuming Goal, _ path: Span<UInt8>, _ match: RouteMatch
    ) -> RouteOutcome {
        var lastSlash = 0
        var lastColon = -1
        for index in path.indices {
            let byte = path[index]
            // Letters stand behind all that has a meaning.
            if byte > UInt8(ascii: ":") { continue }
            if byte == UInt8(ascii: "/") {
                lastSlash = index
            } else if byte == UInt8(ascii: ":") {
                lastColon = index
            } else if byte == UInt8(ascii: "%") {
                guard let value = PercentEncoding.escapedByte(in: path, at: index), value != 0
                else { return .malformedPath(at: index) }
            }
        }
        if lastColon > lastSlash, !storage.verbs.isEmpty {
            for (verb, literal) in storage.verbs.enumerated() {
                guard
                    let end = PathBytes.verbStart(
                        in: path, from: lastSlash + 1, storage.text, Int(literal.offset),
                        Int(literal.length))
                else { continue }
                if end == lastSlash + 1 { return .notFound }
                goal.verb = Int32(truncatingIfNeeded: verb)
                let route = walk(0, 0, 0, in: path.extracting(0..<end), goal, match)
                if route >= 0 { return found(route, match) }
            }
            goal.verb = -1
        }
        let route = walk(0, 0, 0, in: path, goal, match)
        if route >= 0 { return found(route, match) }
        return match.isPathKnown ? .methodNotAllowed : .notFound
    }

    /// The value of `Allow` for a path that has no route for the method asked. Cold.
    public func allowedMethods(path: Span<UInt8>) -> String {
        let match = RouteMatch()
        var allowed: [String] = []
        for name in storage.methodNames {
            if case .route = self.match(method: name.utf8Span.span, path: path, into: match) {
                allowed.append(name)
            }
        }
        return allowed.joined(separator: ", ")
    }

    // MARK: - The walk

    struct Goal: BitwiseCopyable {
        var method: Int32
        var verb: Int32
        /// The path had a trailing slash, which only some routes ignore.
        var ignoresTrailingSlash: Bool
    }

    /// Tries everything below `node` for the rest of the path, which is empty or begins with `/` at
    /// `offset`. Gives the route, or -1. A node with one way on takes no recursion; at most 33 deep.
    private func walk(
        _ node: Int, _ offset: Int, _ depth: Int, in path: Span<UInt8>, _ goal: Goal,
        _ match: RouteMatch
    ) -> Int32 {
        var (node, offset, depth) = (node, offset, depth)
        while true {
            let here = storage.nodes[node]
            guard offset < path.count else {
                let route = select(here.firstEntry, here.entryCount, goal, match)
                if route >= 0 || here.tailCount == 0 { return route }
                return walkTails(here, offset, depth, in: path, goal, match)
            }
            let segment = Segment(of: path, at: offset &+ 1)
            match.front[depth] = RouteMatch.Extent(
                start: UInt32(truncatingIfNeeded: offset &+ 1),
                end: UInt32(truncatingIfNeeded: segment.end))
            let literal = here.hasLiterals ? literalChild(of: node, path, segment, offset &+ 1) : -1
            let single = segment.end > offset &+ 1 ? here.single : -1
            var next = literal
            if literal < 0 {
                if here.tailCount == 0 { next = single }
            } else if single >= 0 || here.tailCount > 0 {
                let route = walk(Int(literal), segment.end, depth &+ 1, in: path, goal, match)
                if route >= 0 { return route }
                next = here.tailCount == 0 ? single : -1
            }
            if next < 0 {
                if single >= 0 {
                    let route = walk(Int(single), segment.end, depth &+ 1, in: path, goal, match)
                    if route >= 0 { return route }
                }
                return here.tailCount == 0
                    ? -1 : walkTails(here, offset, depth, in: path, goal, match)
            }
            (node, offset, depth) = (Int(next), segment.end, depth &+ 1)
        }
    }

    /// A segment of the path as it is read.
    private struct Segment {
        var end: Int
        /// As `NameTable.hash`, for segments without an escape.
        var hash: UInt32
        var isCoded = false

        @inline(__always)
        init(of path: Span<UInt8>, at start: Int) {
            var hash = NameTable.hashSeed
            end = start
            while end < path.count {
                let byte = path[end]
                // Letters and digits stand behind all that has a meaning.
                if byte <= UInt8(ascii: "/") {
                    if byte == UInt8(ascii: "/") { break }
                    if byte == UInt8(ascii: "%") { isCoded = true }
                }
                hash = NameTable.mix(hash, byte)
                end &+= 1
            }
            self.hash = NameTable.finish(hash)
        }
    }

    /// `**` here: it takes what the literals behind it leave, also nothing at all.
    private func walkTails(
        _ node: Node, _ offset: Int, _ depth: Int, in path: Span<UInt8>, _ goal: Goal,
        _ match: RouteMatch
    ) -> Int32 {
        for index in node.firstTail..<node.firstTail + node.tailCount {
            let tail = storage.tails[Int(index)]
            guard let end = matchBackwards(tail, path, from: offset, match) else { continue }
            let route = select(tail.firstEntry, tail.entryCount, goal, match)
            guard route >= 0 else { continue }
            let start = end > offset ? offset + 1 : offset
            match.front[depth] = RouteMatch.Extent(
                start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: end))
            return route
        }
        return -1
    }

    /// Matches a tail's literals from the end of the path; gives where `**` ends, at least `offset`.
    private func matchBackwards(
        _ tail: Tail, _ path: Span<UInt8>, from offset: Int, _ match: RouteMatch
    ) -> Int? {
        var end = path.count
        var index = Int(tail.literalCount)
        while index > 0 {
            index -= 1
            var slash = end - 1
            while slash >= offset, path[slash] != UInt8(ascii: "/") { slash -= 1 }
            guard slash >= offset else { return nil }
            let literal = storage.tailLiterals[Int(tail.firstLiteral) + index]
            guard
                PathBytes.isEqual(
                    path.extracting(slash + 1..<end), storage.text, Int(literal.offset),
                    Int(literal.length))
            else { return nil }
            match.back[index] = RouteMatch.Extent(
                start: UInt32(truncatingIfNeeded: slash + 1), end: UInt32(truncatingIfNeeded: end))
            end = slash
        }
        return end
    }

    /// The best of the routes that end at one place: exact method, GET for HEAD, then any method.
    private func select(
        _ first: Int32, _ count: Int32, _ goal: Goal, _ match: RouteMatch
    ) -> Int32 {
        var best: Int32 = -1
        var bestRank = 0
        for index in first..<first + count {
            let entry = storage.entries[Int(index)]
            guard entry.verb == goal.verb,
                entry.ignoresTrailingSlash || !goal.ignoresTrailingSlash
            else { continue }
            match.isPathKnown = true
            var rank = 0
            if entry.method == goal.method {
                rank = 3
            } else if goal.method == RouteTable.headMethod, entry.method == RouteTable.getMethod {
                rank = 2
            } else if entry.method == RouteTable.anyMethod {
                rank = 1
            }
            if rank > bestRank { (best, bestRank) = (entry.route, rank) }
        }
        return best
    }

    private func literalChild(
        of node: Int, _ path: Span<UInt8>, _ found: Segment, _ start: Int
    ) -> Int32 {
        let segment = path.extracting(start..<found.end)
        let isCoded = found.isCoded
        let hash = isCoded ? PathBytes.normalizedHash(segment) : found.hash
        var slot = Int(RouteTable.edgeSlot(node: node, hash: hash) & edgeMask)
        while true {
            let edge = storage.edges[slot]
            if edge.child < 0 { return -1 }
            if edge.hash == hash, Int(edge.node) == node, isEqual(segment, edge.literal, isCoded) {
                return edge.child
            }
            slot = (slot &+ 1) & Int(edgeMask)
        }
    }

    private func isEqual(_ segment: Span<UInt8>, _ literal: Literal, _ isCoded: Bool) -> Bool {
        let offset = Int(literal.offset)
        if isCoded {
            return PathBytes.isEqual(segment, storage.text, offset, Int(literal.length))
        }
        return storage.isEqual(segment, offset..<offset + Int(literal.length))
    }

    static func edgeSlot(node: Int, hash: UInt32) -> UInt32 {
        let mixed = (hash ^ UInt32(truncatingIfNeeded: node) &* 0x9E37_79B9) &* 0x85EB_CA6B
        return mixed ^ mixed >> 16
    }

    // MARK: - Captures

    private func found(_ route: Int32, _ match: RouteMatch) -> RouteOutcome {
        let shape = storage.shapes[Int(route)]
        match.route = route
        match.captureCount = Int(shape.variableCount)
        for index in 0..<match.captureCount {
            let variable = storage.variables[Int(shape.firstVariable) + index]
            let first = extent(of: variable.firstSegment, shape, match)
            let last = extent(of: variable.lastSegment, shape, match)
            // A `**` that took nothing stands behind the segment before it, without a slash between.
            match.captures[index] = RouteMatch.Extent(
                start: first.start, end: max(first.start, last.end))
        }
        return .route(route)
    }

    private func extent(
        of segment: Int32, _ shape: Shape, _ match: RouteMatch
    ) -> RouteMatch.Extent {
        if shape.multiple >= 0, segment > shape.multiple {
            return match.back[Int(segment &- shape.multiple &- 1)]
        }
        return match.front[Int(segment)]
    }
}
