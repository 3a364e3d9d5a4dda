/// The keys of one mapping. Whatever is asked for becomes a known key; `finish` reports those that nobody asked for.
final class MappingDecoder {
    let decoder: ConfigurationDecoder
    let position: SourcePosition
    /// How messages name this mapping; empty for the whole file.
    let path: String
    private let members: [YAMLNode.Member]
    private var known: [String] = []

    init(
        _ members: [YAMLNode.Member], at position: SourcePosition, path: String,
        decoder: ConfigurationDecoder
    ) {
        self.members = members
        self.position = position
        self.path = path
        self.decoder = decoder
    }

    var all: [YAMLNode.Member] { members }

    /// The keys that are there, and those of mappings among them as "key.key".
    var keys: Set<String> {
        var keys: Set<String> = []
        for member in members {
            keys.insert(member.key)
            guard case .mapping(let nested) = member.value.content else { continue }
            for inner in nested { keys.insert("\(member.key).\(inner.key)") }
        }
        return keys
    }

    /// How messages name the value of `key`.
    func path(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The value of a key that may be left out.
    func value(_ key: String) -> YAMLNode? {
        known.append(key)
        return members.first { $0.key == key }?.value
    }

    /// The value of a key that must be there.
    func required(_ key: String) -> YAMLNode? {
        if let value = value(key) { return value }
        decoder.report(
            position, path.isEmpty ? "'\(key)' is missing" : "\(path): '\(key)' is missing")
        return nil
    }

    /// Keys that the contract has and this version has not built yet.
    func unsupported(_ keys: String...) {
        known += keys
        for member in members where keys.contains(member.key) {
            decoder.report(member.position, "\(path(member.key)): not supported yet")
        }
    }

    /// Reports the keys that nobody asked for.
    func finish() {
        for member in members where !known.contains(member.key) {
            let hint = Spelling.hint(member.key, among: known)
            let place = path.isEmpty ? "" : "\(path): "
            let name = YAMLNode.shortened(member.key)
            decoder.report(member.position, "\(place)unknown key '\(name)'\(hint)")
        }
    }
}

extension MappingDecoder {
    /// The mapping under `key`, if there is one.
    func mapping(_ key: String) -> MappingDecoder? {
        value(key).flatMap { decoder.mapping($0, path(key)) }
    }

    /// The mappings of the list under `key`.
    func mappings(_ key: String) -> [MappingDecoder] {
        guard let node = value(key) else { return [] }
        return decoder.items(node, path(key)).enumerated().compactMap { index, item in
            decoder.mapping(item, "\(path(key))[\(index)]")
        }
    }

    func text(_ key: String) -> Located<String>? {
        value(key).flatMap { located($0, key) }
    }

    func requiredText(_ key: String) -> Located<String>? {
        required(key).flatMap { located($0, key) }
    }

    private func located(_ node: YAMLNode, _ key: String) -> Located<String>? {
        decoder.text(node, path(key)).map { Located(value: $0, position: node.position) }
    }

    /// A list of texts; a single text counts as a list of one.
    func texts(_ key: String) -> [Located<String>]? {
        guard let node = value(key) else { return nil }
        if case .scalar = node.content, !node.isNull {
            return located(node, key).map { [$0] } ?? []
        }
        var found: [Located<String>] = []
        for (index, item) in decoder.items(node, path(key)).enumerated() {
            if let text = decoder.text(item, "\(path(key))[\(index)]") {
                found.append(Located(value: text, position: item.position))
            }
        }
        return found
    }

    /// Nanoseconds.
    func duration(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        value(key).flatMap { decoder.duration($0, path(key), in: range) }
    }

    /// Bytes.
    func size(_ key: String, in range: ClosedRange<Int>) -> Int? {
        value(key).flatMap { decoder.size($0, path(key), in: range) }
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        value(key).flatMap { decoder.integer($0, path(key), in: range) }
    }

    func decimal(_ key: String, in range: ClosedRange<Double>) -> Double? {
        value(key).flatMap { decoder.decimal($0, path(key), in: range) }
    }

    func boolean(_ key: String) -> Bool? {
        value(key).flatMap { decoder.boolean($0, path(key)) }
    }

    func choice<Value>(_ key: String, _ choices: [(name: String, value: Value)]) -> Value? {
        value(key).flatMap { decoder.choice($0, path(key), among: choices) }
    }
}
