/// A value and where it stands in the file.
public struct Located<Value> {
    public var value: Value
    public var position: SourcePosition
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}

/// Turns nodes into typed values and gathers everything that is wrong with them.
///
/// A value that cannot be read is reported and stands for its default, so that decoding always goes on to the end.
final class ConfigurationDecoder {
    private(set) var problems: [ConfigurationProblem] = []
    private let expansion: Expansion

    init(expansion: Expansion) { self.expansion = expansion }

    func report(_ position: SourcePosition, _ message: String) {
        problems.append(ConfigurationProblem(position: position, message: message))
    }

    /// Says that `node`, which is named `path`, is not what it should be.
    func report(_ node: YAMLNode, _ path: String, expected: String) {
        let place = path.isEmpty ? "" : "\(path): "
        report(node.position, "\(place)expected \(expected), not \(node.kindName)")
    }

    /// The keys of a mapping. Nothing at all counts as an empty one.
    func mapping(_ node: YAMLNode, _ path: String) -> MappingDecoder? {
        if case .mapping(let members) = node.content {
            return MappingDecoder(members, at: node.position, path: path, decoder: self)
        }
        if node.isNull {
            return MappingDecoder([], at: node.position, path: path, decoder: self)
        }
        report(node, path, expected: "a mapping")
        return nil
    }

    /// The items of a list. Nothing at all counts as an empty one.
    func items(_ node: YAMLNode, _ path: String) -> [YAMLNode] {
        if case .sequence(let items) = node.content { return items }
        if !node.isNull { report(node, path, expected: "a list") }
        return []
    }

    // MARK: Scalars

    /// The text of a scalar with its references expanded; nil after a report.
    func text(_ node: YAMLNode, _ path: String, expected: String = "a text") -> String? {
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            report(node, path, expected: expected)
            return nil
        }
        do throws(Expansion.Failure) {
            return try expansion.expand(text)
        } catch {
            report(node.position, "\(path): \(error.message)")
            return nil
        }
    }

    /// Nanoseconds.
    func duration(_ node: YAMLNode, _ path: String, in range: ClosedRange<Int64>) -> Int64? {
        let expected = "a duration such as 15s, 100ms or 2h"
        guard let text = text(node, path, expected: expected) else { return nil }
        guard let value = ConfigurationUnits.duration(text) else {
            if Int(text) != nil {
                report(node.position, "\(path): the unit is missing: write \(text)s or \(text)ms")
            } else {
                report(node, path, expected: expected)
            }
            return nil
        }
        guard range.contains(value) else {
            let low = ConfigurationUnits.format(nanoseconds: range.lowerBound)
            let high = ConfigurationUnits.format(nanoseconds: range.upperBound)
            return outOfRange(node, path, "\(low) to \(high)")
        }
        return value
    }

    /// Bytes.
    func size(_ node: YAMLNode, _ path: String, in range: ClosedRange<Int>) -> Int? {
        let expected = "a size such as 4MiB, 32KiB or 512B"
        guard let text = text(node, path, expected: expected) else { return nil }
        guard let value = ConfigurationUnits.size(text) else {
            report(node, path, expected: expected)
            return nil
        }
        guard range.contains(value) else {
            let low = ConfigurationUnits.format(bytes: range.lowerBound)
            let high = ConfigurationUnits.format(bytes: range.upperBound)
            return outOfRange(node, path, "\(low) to \(high)")
        }
        return value
    }

    func integer(_ node: YAMLNode, _ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, path, expected: "a whole number") else { return nil }
        guard let value = Int(text) else {
            report(node, path, expected: "a whole number")
            return nil
        }
        guard range.contains(value) else {
            return outOfRange(node, path, "\(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// A number with digits behind a point, or none; no exponent.
    func decimal(_ node: YAMLNode, _ path: String, in range: ClosedRange<Double>) -> Double? {
        let expected = "a number such as 2 or 1.5"
        guard let text = text(node, path, expected: expected) else { return nil }
        let isPlain = text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") }
        guard isPlain, text.utf8.count <= 20, let value = Double(text) else {
            report(node, path, expected: expected)
            return nil
        }
        guard range.contains(value) else {
            return outOfRange(
                node, path,
                "\(ConfigurationUnits.format(range.lowerBound)) to \(ConfigurationUnits.format(range.upperBound))"
            )
        }
        return value
    }

    func boolean(_ node: YAMLNode, _ path: String) -> Bool? {
        guard let text = text(node, path, expected: "true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            report(node, path, expected: "true or false")
            return nil
        }
    }

    /// One of some words.
    func choice<Value>(
        _ node: YAMLNode, _ path: String, among choices: [(name: String, value: Value)]
    ) -> Value? {
        let names = choices.map(\.name)
        let expected = names.count == 1 ? names[0] : "one of \(names.joined(separator: ", "))"
        guard let text = text(node, path, expected: expected) else { return nil }
        if let found = choices.first(where: { $0.name == text }) { return found.value }
        let hint = Spelling.hint(text, among: names)
        report(node.position, "\(path): expected \(expected), not \(node.kindName)\(hint)")
        return nil
    }

    private func outOfRange<Value>(_ node: YAMLNode, _ path: String, _ range: String) -> Value? {
        let shown = node.kindName
        report(node.position, "\(path): \(shown) is out of range; allowed is \(range)")
        return nil
    }
}
