/// What a misspelt word was probably meant to be.
enum Spelling {
    /// The candidate nearest to `word`, unless all are too far to be meant. The first of equals.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        // One slip in three letters, two in six.
        let limit = min(word.count, 12) / 3
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(Array(word.lowercased().unicodeScalars.prefix(64)), candidate)
            if distance <= limit, distance < (best?.distance ?? .max) {
                best = (candidate, distance)
            }
        }
        return best?.name
    }

    /// ` (did you mean 'x'?)`, or nothing.
    static func hint(_ word: String, among candidates: [String]) -> String {
        guard let name = nearest(to: word, among: candidates) else { return "" }
        return " (did you mean '\(name)'?)"
    }

    /// Insertions, deletions, replacements, and swaps of neighbours, each 1; hyphens count as underscores.
    private static func distance(_ word: [Unicode.Scalar], _ candidate: String) -> Int {
        let first = word.map { $0 == "-" ? "_" : $0 }
        let second = Array(candidate.lowercased().unicodeScalars.prefix(64))
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let cost = first[row] == second[column] ? 0 : 1
                var value = min(last[column] + cost, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, first[row] == second[column - 1],
                    first[row - 1] == second[column]
                {
                    value = min(value, beforeLast[column - 1] + 1)
                }
                current.append(value)
            }
            beforeLast = last
            last = current
        }
        return last[second.count]
    }
}
