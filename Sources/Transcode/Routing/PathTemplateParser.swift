/// Reads one template from left to right; every error says its column.
struct PathTemplateParser {
    private let text: [UInt8]
    private var position = 0

    private(set) var segments: [PathTemplate.Segment] = []
    private(set) var variables: [PathTemplate.Variable] = []
    private(set) var verb: [UInt8]?

    init(_ text: String) {
        self.text = Array(text.utf8)
    }

    mutating func parse() throws(PathTemplateError) {
        guard take(UInt8(ascii: "/")) else { throw error("a template begins with '/'") }
        if isAtEnd {
            segments = [.literal([])]
            return
        }
        repeat {
            try parseSegment()
        } while take(UInt8(ascii: "/"))
        if !isAtEnd { try parseVerb() }
        guard segments.count <= PathTemplate.segmentsMax else {
            throw error("more than \(PathTemplate.segmentsMax) segments", at: 0)
        }
        guard variables.count <= RouteMatch.capturesMax else {
            throw error("more than \(RouteMatch.capturesMax) variables", at: 0)
        }
    }

    // MARK: - Segments

    private mutating func parseSegment() throws(PathTemplateError) {
        if current == UInt8(ascii: "{") {
            try parseVariable()
        } else {
            try parsePlainSegment(inVariable: false)
        }
        guard isAtEnd || current == UInt8(ascii: "/") || current == UInt8(ascii: ":") else {
            throw unexpected(after: "a segment")
        }
    }

    /// `*`, `**` or a literal.
    private mutating func parsePlainSegment(inVariable: Bool) throws(PathTemplateError) {
        let start = position
        if take(UInt8(ascii: "*")) {
            let isMultiple = take(UInt8(ascii: "*"))
            guard isAtEnd || isSegmentEnd(inVariable: inVariable) else {
                throw error("'*' must be a whole segment; a literal star is written %2A", at: start)
            }
            try append(isMultiple ? .multiple : .single, at: start)
            return
        }
        let end = literalEnd(inVariable: inVariable)
        let literal = try parseLiteral(upTo: end)
        guard !literal.isEmpty else {
            guard current == UInt8(ascii: "{") else {
                throw error(isAtEnd ? "a segment is missing" : "empty segment", at: start)
            }
            throw error("a variable within a variable", at: start)
        }
        try append(.literal(literal), at: start)
    }

    private mutating func append(
        _ segment: PathTemplate.Segment, at start: Int
    ) throws(PathTemplateError) {
        if segments.contains(.multiple) {
            switch segment {
            case .literal: break
            case .single: throw error("only literals may follow '**'", at: start)
            case .multiple: throw error("'**' twice", at: start)
            }
        }
        segments.append(segment)
    }

    /// Where the literal at `position` ends. In a template's last segment the last colon begins the verb.
    private func literalEnd(inVariable: Bool) -> Int {
        var end = position
        var lastColon: Int?
        while end < text.count {
            let byte = text[end]
            if byte == UInt8(ascii: "/") { return end }
            if inVariable, byte == UInt8(ascii: "}") { return end }
            if byte == UInt8(ascii: ":") { lastColon = end }
            end += 1
        }
        return inVariable ? end : lastColon ?? end
    }

    // MARK: - Variables

    private mutating func parseVariable() throws(PathTemplateError) {
        let open = position
        position += 1
        let column = position + 1
        let fieldPath = try parseFieldPath()
        let first = segments.count
        if take(UInt8(ascii: "=")) {
            repeat {
                try parsePlainSegment(inVariable: true)
            } while take(UInt8(ascii: "/"))
        } else {
            try append(.single, at: open)
        }
        guard take(UInt8(ascii: "}")) else {
            guard isAtEnd else { throw unexpected(after: "a variable's pattern") }
            throw error("'{' is never closed", at: open)
        }
        if variables.contains(where: { $0.fieldPath == fieldPath }) {
            throw PathTemplateError(
                column: column, message: "two variables bind \(fieldPath.joined(separator: "."))")
        }
        let range = first..<segments.count
        variables.append(
            PathTemplate.Variable(
                fieldPath: fieldPath, segments: range,
                isMultiSegment: range.count > 1 || segments[range].contains(.multiple),
                column: column))
    }

    private mutating func parseFieldPath() throws(PathTemplateError) -> [String] {
        var path: [String] = []
        repeat {
            let start = position
            while let byte = current, isIdentifier(byte, first: position == start) {
                position += 1
            }
            guard position > start else {
                throw error(
                    path.isEmpty
                        ? "a field name is expected after '{'"
                        : "a field name is expected after '.'", at: start)
            }
            path.append(String(decoding: text[start..<position], as: UTF8.self))
        } while take(UInt8(ascii: "."))
        return path
    }

    // MARK: - Verb and literals

    private mutating func parseVerb() throws(PathTemplateError) {
        let start = position
        position += 1
        let literal = try parseLiteral(upTo: text.count)
        guard !literal.isEmpty else { throw error("a verb is missing after ':'", at: start) }
        verb = literal
    }

    /// Reads pchars up to `end` and normalises their escapes.
    private mutating func parseLiteral(upTo end: Int) throws(PathTemplateError) -> [UInt8] {
        var literal: [UInt8] = []
        while position < end {
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "%"):
                guard let value = PercentEncoding.escapedByte(in: text.span, at: position),
                    position + 3 <= end
                else { throw error("'%' without two hexadecimal digits") }
                guard value != 0 else { throw error("%00 is refused in every path") }
                if PercentEncoding.isUnreserved(value) {
                    literal.append(value)
                } else {
                    literal += [
                        byte, PercentEncoding.hexadecimalDigit(value >> 4),
                        PercentEncoding.hexadecimalDigit(value & 15),
                    ]
                }
                position += 3
            case UInt8(ascii: "{") where literal.isEmpty:
                return literal
            default:
                guard isLiteralCharacter(byte) else { throw illegal(byte) }
                literal.append(byte)
                position += 1
            }
        }
        return literal
    }

    private func illegal(_ byte: UInt8) -> PathTemplateError {
        switch byte {
        case UInt8(ascii: "*"):
            error("'*' must be a whole segment; a literal star is written %2A")
        case UInt8(ascii: "{"): error("a variable must be a whole segment")
        case UInt8(ascii: "}"): error("'}' closes nothing")
        case UInt8(ascii: "/"): error("'/' is not allowed in a verb")
        case 0x20...0x7E:
            error("'\(Character(UnicodeScalar(byte)))' is not allowed in a path; percent-encode it")
        default: error("a path holds printable ASCII only; percent-encode the rest")
        }
    }

    /// RFC 3986 pchar, but `*`, which would look like a wildcard.
    private func isLiteralCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: ","),
            UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "@"):
            true
        default: PercentEncoding.isUnreserved(byte)
        }
    }

    private func isIdentifier(_ byte: UInt8, first: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "_"):
            true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
        default: false
        }
    }

    // MARK: - Bytes and errors

    private var isAtEnd: Bool { position >= text.count }
    private var current: UInt8? { isAtEnd ? nil : text[position] }

    private func isSegmentEnd(inVariable: Bool) -> Bool {
        switch current {
        case UInt8(ascii: "/"): true
        case UInt8(ascii: "}"): inVariable
        case UInt8(ascii: ":"): !inVariable
        default: false
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private func unexpected(after place: String) -> PathTemplateError {
        switch current {
        case UInt8(ascii: "}"): error("'}' closes nothing")
        case UInt8(ascii: "{"): error("a variable must be a whole segment")
        case let byte?: error("'\(Character(UnicodeScalar(byte)))' is not expected after \(place)")
        case nil: error("the template ends after \(place)")
        }
    }

    private func error(_ message: String, at offset: Int? = nil) -> PathTemplateError {
        PathTemplateError(column: (offset ?? position) + 1, message: message)
    }
}
