import CYAML

/// Where something stands in a configuration file. Both count from 1; a column is one Unicode scalar.
public struct SourcePosition: Sendable, Equatable, Comparable {
    public var line: Int
    public var column: Int

    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One thing that is wrong with a configuration file.
public struct ConfigurationProblem: Error, Sendable, Equatable {
    public var position: SourcePosition
    public var message: String
}

/// One step of a YAML document.
struct YAMLEvent {
    enum Kind {
        /// `isPlain`: written without quotes, so that `null` and `true` mean what they say.
        case scalar(String, isPlain: Bool)
        case sequenceStart, sequenceEnd
        case mappingStart, mappingEnd
        case documentStart, documentEnd
        case alias
        case streamStart, streamEnd
    }

    let kind: Kind
    let position: SourcePosition
    var hasAnchor = false
    /// An explicit tag such as `!!str`.
    var hasTag = false
}

/// libyaml's event parser over bytes in memory: the only file that calls it. Call `next` until `streamEnd` or an error.
@safe
final class YAMLEvents {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private var isOpen: Bool

    /// Copies `bytes`: UTF-8, with or without a byte order mark.
    init(_ bytes: [UInt8]) {
        // The parser keeps pointers into itself and into its input, so both have a fixed address.
        unsafe parser = .allocate(capacity: 1)
        unsafe parser.initialize(to: yaml_parser_t())
        unsafe input = .allocate(capacity: bytes.count)
        _ = unsafe input.initialize(from: bytes)
        isOpen = unsafe yaml_parser_initialize(parser) == 1
        guard isOpen else { return }
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        if isOpen { unsafe yaml_parser_delete(parser) }
        unsafe parser.deinitialize(count: 1)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event.
    /// - Throws: where and why the bytes are not YAML; nothing more can be read then.
    func next() throws(ConfigurationProblem) -> YAMLEvent {
        guard isOpen else {
            throw ConfigurationProblem(
                position: SourcePosition(line: 1, column: 1), message: "out of memory")
        }
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { unsafe yaml_event_delete(&event) }
        let position = unsafe SourcePosition(event.start_mark)
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return unsafe YAMLEvent(
                kind: .scalar(
                    String(decoding: bytes, as: UTF8.self),
                    isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE),
                position: position, hasAnchor: scalar.anchor != nil, hasTag: scalar.tag != nil)
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return unsafe YAMLEvent(
                kind: .sequenceStart, position: position, hasAnchor: start.anchor != nil,
                hasTag: start.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return unsafe YAMLEvent(
                kind: .mappingStart, position: position, hasAnchor: start.anchor != nil,
                hasTag: start.tag != nil)
        case YAML_SEQUENCE_END_EVENT: return YAMLEvent(kind: .sequenceEnd, position: position)
        case YAML_MAPPING_END_EVENT: return YAMLEvent(kind: .mappingEnd, position: position)
        case YAML_DOCUMENT_START_EVENT: return YAMLEvent(kind: .documentStart, position: position)
        case YAML_DOCUMENT_END_EVENT: return YAMLEvent(kind: .documentEnd, position: position)
        case YAML_ALIAS_EVENT: return YAMLEvent(kind: .alias, position: position)
        case YAML_STREAM_START_EVENT: return YAMLEvent(kind: .streamStart, position: position)
        default: return YAMLEvent(kind: .streamEnd, position: position)
        }
    }

    /// What libyaml says about the bytes it could not read.
    private func problem() -> ConfigurationProblem {
        let state = unsafe parser.pointee
        guard let text = unsafe state.problem else {
            return ConfigurationProblem(
                position: SourcePosition(line: 1, column: 1), message: "out of memory")
        }
        var message = unsafe "not valid YAML: " + String(cString: text)
        guard unsafe state.error != YAML_READER_ERROR else {
            return unsafe ConfigurationProblem(
                position: position(ofByte: state.problem_offset), message: message)
        }
        if let context = unsafe state.context {
            message += unsafe " (" + String(cString: context)
            message += unsafe ", begun in line \(SourcePosition(state.context_mark).line))"
        }
        return unsafe ConfigurationProblem(
            position: SourcePosition(state.problem_mark), message: message)
    }

    /// libyaml gives its reader's errors as an offset alone.
    private func position(ofByte offset: Int) -> SourcePosition {
        var position = SourcePosition(line: 1, column: 1)
        for index in unsafe 0..<min(offset, input.count) {
            let byte = unsafe input[index]
            if byte == UInt8(ascii: "\n") {
                position = SourcePosition(line: position.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                position.column += 1
            }
        }
        return position
    }
}

extension SourcePosition {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
    }
}
