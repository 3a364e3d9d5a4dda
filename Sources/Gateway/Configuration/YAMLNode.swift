/// A value of a YAML document and where it stands.
struct YAMLNode {
    enum Content {
        /// `isPlain`: written without quotes.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Member])
    }

    struct Member {
        let key: String
        let position: SourcePosition
        let value: YAMLNode
    }

    var content: Content
    var position: SourcePosition

    /// Whether nothing was written, or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What it is, for messages.
    var kindName: String {
        if isNull { return "nothing" }
        return switch content {
        case .scalar(let text, _): "'\(YAMLNode.shortened(text))'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// At most 60 characters of a text from the file.
    static func shortened(_ text: String) -> String {
        text.count <= 60 ? text : text.prefix(60) + "…"
    }
}

/// Reads one YAML document into nodes.
///
/// A configuration is small: its bytes and its nesting are limited. Anchors, aliases and tags are refused, so that
/// the nodes cannot be more than the bytes.
struct YAMLDocument {
    static let bytesMax = 1 << 20
    static let depthMax = 32

    /// What is wrong but does not end the reading, such as a key that stands twice.
    private(set) var problems: [ConfigurationProblem] = []
    private let events: YAMLEvents

    /// Reads `bytes`: the root and what is wrong on the way; no root when the bytes are not YAML.
    static func read(_ bytes: [UInt8]) -> (root: YAMLNode?, problems: [ConfigurationProblem]) {
        guard bytes.count <= bytesMax else {
            let start = SourcePosition(line: 1, column: 1)
            let message = "the file has \(bytes.count) bytes; at most \(bytesMax) are read"
            return (nil, [ConfigurationProblem(position: start, message: message)])
        }
        var document = YAMLDocument(events: YAMLEvents(bytes))
        do throws(ConfigurationProblem) {
            let root = try document.readRoot()
            return (root, document.problems)
        } catch {
            return (nil, document.problems + [error])
        }
    }

    private init(events: YAMLEvents) { self.events = events }

    private mutating func readRoot() throws(ConfigurationProblem) -> YAMLNode {
        var root: YAMLNode?
        while true {
            let event = try events.next()
            switch event.kind {
            case .streamStart, .documentEnd: continue
            case .documentStart:
                guard root == nil else {
                    throw ConfigurationProblem(
                        position: event.position, message: "only one YAML document is read")
                }
                root = try node(try events.next(), depth: 0)
            default:
                let empty = YAMLNode(
                    content: .scalar("", isPlain: true),
                    position: SourcePosition(line: 1, column: 1))
                return root ?? empty
            }
        }
    }

    private mutating func node(
        _ event: YAMLEvent, depth: Int
    ) throws(ConfigurationProblem) -> YAMLNode {
        if event.hasAnchor {
            problems.append(
                ConfigurationProblem(
                    position: event.position, message: "anchors (&name) are not supported"))
        }
        if event.hasTag {
            problems.append(
                ConfigurationProblem(
                    position: event.position, message: "tags (!name) are not supported"))
        }
        guard depth <= YAMLDocument.depthMax else {
            throw ConfigurationProblem(
                position: event.position,
                message: "nested deeper than \(YAMLDocument.depthMax) levels")
        }
        let content: YAMLNode.Content
        switch event.kind {
        case .scalar(let text, let isPlain): content = .scalar(text, isPlain: isPlain)
        case .sequenceStart: content = .sequence(try items(depth: depth))
        case .mappingStart: content = .mapping(try members(depth: depth))
        default:
            problems.append(
                ConfigurationProblem(
                    position: event.position, message: "aliases (*name) are not supported"))
            content = .scalar("", isPlain: true)
        }
        return YAMLNode(content: content, position: event.position)
    }

    private mutating func items(depth: Int) throws(ConfigurationProblem) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { return items }
            items.append(try node(event, depth: depth + 1))
        }
    }

    private mutating func members(depth: Int) throws(ConfigurationProblem) -> [YAMLNode.Member] {
        var members: [YAMLNode.Member] = []
        var lines: [String: Int] = [:]
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { return members }
            let key = try node(event, depth: depth + 1)
            let value = try node(try events.next(), depth: depth + 1)
            guard case .scalar(let name, _) = key.content else {
                problems.append(
                    ConfigurationProblem(position: key.position, message: "a key must be a name"))
                continue
            }
            if let line = lines[name] {
                problems.append(
                    ConfigurationProblem(
                        position: key.position,
                        message:
                            "duplicate key '\(YAMLNode.shortened(name))', first in line \(line)"))
                continue
            }
            lines[name] = key.position.line
            members.append(YAMLNode.Member(key: name, position: key.position, value: value))
        }
    }
}
