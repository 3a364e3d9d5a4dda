import Testing

@testable import Transcode

/// A matcher as plain as the rules: every way to read the path, every template, the best one wins.
private struct NaiveMatcher {
    let patterns: [RoutePattern]

    /// The rank of a template on a path: one digit a segment, literal 0, `*` 1, `**` 2 (ends it);
    /// nil when it does not match.
    private func rank(_ template: PathTemplate, _ path: String) -> String? {
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        return rank(template.segments[...], parts[...])
    }

    private func rank(
        _ segments: ArraySlice<PathTemplate.Segment>, _ parts: ArraySlice<Substring>
    ) -> String? {
        guard let segment = segments.first else { return parts.isEmpty ? "" : nil }
        switch segment {
        case .literal(let bytes):
            guard let part = parts.first, part.utf8.elementsEqual(bytes) else { return nil }
            return rank(segments.dropFirst(), parts.dropFirst()).map { "0" + $0 }
        case .single:
            guard let part = parts.first, !part.isEmpty else { return nil }
            return rank(segments.dropFirst(), parts.dropFirst()).map { "1" + $0 }
        case .multiple:
            let tail = segments.dropFirst()
            guard parts.count >= tail.count, rank(tail, parts.suffix(tail.count)) != nil else {
                return nil
            }
            // Among several `**` at one place the one with most literals behind it.
            return "2" + String(UnicodeScalar(UInt8(99 - tail.count)))
        }
    }

    func match(_ method: String, _ path: String) -> (Int?, isPathKnown: Bool) {
        var readings: [(String, String?)] = [(path, nil)]
        let lastSlash = path.lastIndex(of: "/") ?? path.startIndex
        let verbs = Set(
            patterns.compactMap { $0.template.verb.map { String(decoding: $0, as: UTF8.self) } })
        for verb in verbs.sorted(by: { $0.utf8.count < $1.utf8.count })
        where path[lastSlash...].hasSuffix(":" + verb) {
            readings.insert((String(path.dropLast(verb.count + 1)), verb), at: 0)
        }
        var isPathKnown = false
        for (path, verb) in readings {
            if verb != nil, path.hasSuffix("/") { return (nil, false) }
            var best: (rank: String, method: Int, index: Int)?
            for (index, pattern) in patterns.enumerated() {
                guard pattern.template.verb.map({ String(decoding: $0, as: UTF8.self) }) == verb,
                    let rank = rank(pattern.template, path)
                else { continue }
                isPathKnown = true
                let methodRank =
                    pattern.httpMethod == method ? 0 : pattern.httpMethod == "*" ? 1 : nil
                guard let methodRank else { continue }
                if let best, (best.rank, best.method) <= (rank, methodRank) { continue }
                best = (rank, methodRank, index)
            }
            if let best { return (best.index, true) }
        }
        return (nil, isPathKnown)
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 29
    }
}

@Suite struct RouteTableRandomTests {
    private func pick(_ choices: [String], _ random: inout SeededGenerator) -> String {
        choices[Int.random(in: choices.indices, using: &random)]
    }

    private func template(_ random: inout SeededGenerator) -> String {
        var text = ""
        var hasMultiple = false
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2 where !hasMultiple: text += "/*"
            case 3 where !hasMultiple:
                text += "/**"
                hasMultiple = true
            default: text += "/" + pick(["a", "b", "c", "d:e"], &random)
            }
        }
        if text.hasSuffix("d:e") || Int.random(in: 0..<4, using: &random) > 0 { return text }
        return text + ":" + (text.hasSuffix("*") ? pick(["v", "w:v"], &random) : "v")
    }

    private func path(_ random: inout SeededGenerator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            text += "/" + pick(["a", "b", "c", "d:e", "x", ""], &random)
        }
        return text + pick(["", "", "", ":v", ":w:v", ":x", ":"], &random)
    }

    @Test(arguments: 1...40)
    func `the table agrees with a naive matcher`(_ seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        var patterns: [RoutePattern] = []
        var shapes: Set<String> = []
        while patterns.count < 30 {
            let method = pick(["GET", "POST", "*"], &random)
            let parsed = try PathTemplate(template(&random))
            guard shapes.insert("\(method) \(parsed.shape)").inserted else { continue }
            patterns.append(RoutePattern(httpMethod: method, template: parsed, owner: ""))
        }
        let table = try RouteTable(patterns)
        let order = table.matchingOrder
        let alone = try patterns.map { try RouteTable([$0]) }
        let naive = NaiveMatcher(patterns: patterns)
        let match = RouteMatch()
        for _ in 0..<500 {
            let method = pick(["GET", "POST", "PUT"], &random)
            let path = path(&random)
            let outcome = table.match(
                method: method.utf8Span.span, path: path.utf8Span.span, into: match)
            let (route, isPathKnown) = naive.match(method, path)
            let expected: RouteOutcome =
                route.map { .route(Int32($0)) } ?? (isPathKnown ? .methodNotAllowed : .notFound)
            #expect(
                outcome == expected,
                "\(method) \(path) in \(patterns.map { "\($0.httpMethod) \($0.template.text)" })")
            guard case .route(let index) = outcome else { continue }
            // What comes before it in the printed order does not take the request by itself.
            for earlier in order.prefix(while: { $0 != Int(index) }) {
                let outcome = alone[earlier].match(
                    method: method.utf8Span.span, path: path.utf8Span.span, into: match)
                if case .route = outcome {
                    Issue.record("\(method) \(path): \(patterns[earlier]) comes first")
                }
            }
        }
    }
}
