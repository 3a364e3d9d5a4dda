/// Why a route does not take a request. Cold: for people.
public struct RouteMismatch: Equatable, Sendable {
    /// An index in `RouteTable.patterns`.
    public var route: Int
    /// In words: "segment 2 is 'boks', not 'books'".
    public var reason: String
    /// How near the route is; the nearest have most.
    var nearness: Double
}

extension RouteTable {
    /// Why each route does not take a request that none takes, the nearest routes first.
    public func mismatches(method: String, path: String) -> [RouteMismatch] {
        let found = patterns.indices.compactMap { index in
            RouteComparison(patterns[index], method, path).mismatch(route: index)
        }
        return found.enumerated().sorted { left, right in
            (right.element.nearness, left.offset) < (left.element.nearness, right.offset)
        }.map(\.element)
    }
}

/// One route against one request, from the left to the right.
private struct RouteComparison {
    private let pattern: RoutePattern
    private let method: String
    private var parts: [String]
    private var lacksVerb = false

    init(_ pattern: RoutePattern, _ method: String, _ path: String) {
        self.pattern = pattern
        self.method = method
        parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        if pattern.ignoresTrailingSlash {
            while parts.count > 1, parts.last == "" { parts.removeLast() }
        }
        guard let verb = pattern.template.verb, let last = parts.popLast() else { return }
        let ending = ":" + String(decoding: verb, as: UTF8.self)
        lacksVerb = !last.hasSuffix(ending)
        parts.append(lacksVerb ? last : String(last.dropLast(ending.count)))
    }

    func mismatch(route: Int) -> RouteMismatch? {
        let reason: String
        var nearness = nearness
        if let why = pathMismatch() {
            reason = why
        } else if lacksVerb, let verb = pattern.template.verb {
            let text = String(decoding: verb, as: UTF8.self)
            reason = "the path does not end in ':\(text)'"
            if let colon = parts.last?.lastIndex(of: ":") {
                let given = parts.last.map { String($0[colon...].dropFirst()) } ?? ""
                nearness += 1 + RouteComparison.likeness(given, text)
            }
        } else {
            guard pattern.httpMethod != "*", pattern.httpMethod != method else { return nil }
            reason = "it takes \(pattern.httpMethod)"
            nearness += 1
        }
        return RouteMismatch(route: route, reason: reason, nearness: nearness)
    }

    /// How many segments fit, less what one side has more.
    private var nearness: Double {
        var sum = 0.0
        let segments = pattern.template.segments
        for (part, segment) in zip(parts, segments) {
            switch segment {
            case .literal(let bytes):
                sum += RouteComparison.likeness(part, String(decoding: bytes, as: UTF8.self))
            case .single: sum += part.isEmpty ? 0.5 : 0.95
            case .multiple: return sum + 0.5
            }
        }
        let extra = parts.count - segments.count
        return sum - (extra == 1 && parts.last == "" ? 0.1 : 0.6 * Double(abs(extra)))
    }

    /// Where the path leaves the template, in words; nil where it does not.
    private func pathMismatch() -> String? {
        let segments = pattern.template.segments
        for (index, segment) in segments.enumerated() {
            if segment == .multiple {
                return tailMismatch(segments[(index + 1)...], from: index)
            }
            guard index < parts.count else {
                let count = segments.count - index
                return "the path lacks \(count) segment\(count == 1 ? "" : "s") at its end"
            }
            if let found = segmentMismatch(segment, at: index) { return found }
        }
        let extra = parts.count - segments.count
        guard extra > 0 else { return nil }
        if extra == 1, parts.last == "" { return "the path ends in a slash" }
        return "the path has \(extra) segment\(extra == 1 ? "" : "s") more"
    }

    private func segmentMismatch(_ segment: PathTemplate.Segment, at index: Int) -> String? {
        let part = parts[index]
        switch segment {
        case .literal(let bytes):
            if PathBytes.isEqual(Array(part.utf8).span, bytes, 0, bytes.count) { return nil }
            return
                "segment \(index + 1) is '\(part)', not '\(String(decoding: bytes, as: UTF8.self))'"
        case .single where part.isEmpty: return "segment \(index + 1) is empty"
        case .single, .multiple: return nil
        }
    }

    /// The literals behind `**`, from the end of the path.
    private func tailMismatch(
        _ tail: ArraySlice<PathTemplate.Segment>, from index: Int
    ) -> String? {
        guard parts.count - index >= tail.count else { return "the path is too short" }
        let start = parts.count - tail.count
        for (offset, segment) in tail.enumerated() {
            if let found = segmentMismatch(segment, at: start + offset) { return found }
        }
        return nil
    }

    /// From 0 to 1: how much of two texts is the same at their beginning and end.
    private static func likeness(_ left: String, _ right: String) -> Double {
        if left == right { return 1 }
        let longest = max(left.count, right.count, 1)
        let front = zip(left, right).prefix { $0 == $1 }.count
        let back = zip(left.reversed(), right.reversed()).prefix { $0 == $1 }.count
        return 0.9 * Double(min(front + back, longest)) / Double(longest)
    }
}
