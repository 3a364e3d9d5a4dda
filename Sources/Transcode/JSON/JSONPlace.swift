import ProtoRuntime

/// Where in a document something is wrong: finds the path by walking the document again from its start, so
/// that the codec itself carries nothing for it. Runs only on failure; what lies before the offset has been
/// read once and is well formed.
struct JSONPlace {
    private let offset: Int
    private var path: [Step] = []
    /// What stands at the offset, in words.
    private let found: String
    /// The last string before the offset, with its quotes.
    private var text = 0..<0
    /// The scalar at the offset or around it, as it is written.
    private var literal = ""
    /// The offset lies inside that string.
    private var isInText = false

    private struct Step {
        var isArray: Bool
        /// Elements of the array that have passed.
        var index = 0
        /// The member's name as it is written, without quotes; nil before the first.
        var name: [UInt8]?
        /// In an object, a string that comes now is a name.
        var awaitsName: Bool
    }

    /// Finds the place of `offset` in `json[range]`.
    init(_ json: Span<UInt8>, in range: Range<Int>, offset: Int) {
        self.offset = offset - range.lowerBound
        found = JSONPlace.describe(json, at: offset, end: range.upperBound)
        walk(json, in: range, upTo: offset)
        isInText = offset > text.lowerBound && text.contains(offset)
        literal = JSONPlace.shown(json.extracting(scalar(json, in: range, at: offset)))
    }

    /// The string or the word (a number, say) that starts at the offset, holds it, or ends there.
    private func scalar(_ json: Span<UInt8>, in range: Range<Int>, at offset: Int) -> Range<Int> {
        if offset < range.upperBound, json[offset] == JSONByte.quote, !text.contains(offset) {
            let end = JSONPlace.endOfString(json, from: offset + 1, upTo: range.upperBound)
            return offset..<min(end + 1, range.upperBound)
        }
        if !text.isEmpty, offset <= text.upperBound { return text }
        var start = min(offset, range.upperBound)
        var end = start
        while start > range.lowerBound, JSONPlace.isWordByte(json[start - 1]) { start -= 1 }
        while end < range.upperBound, JSONPlace.isWordByte(json[end]) { end += 1 }
        return start..<end
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte == JSONByte.minus || byte == JSONByte.point || byte == UInt8(ascii: "+")
            || isIdentifierByte(byte)
    }

    /// A piece of the document for a message: short, and without what would break a line.
    private static func shown(_ piece: Span<UInt8>) -> String {
        let lengthMax = 60
        let bytes = (0..<min(piece.count, lengthMax)).map { piece[$0] < 32 ? 32 : piece[$0] }
        let shown = String(decoding: bytes, as: UTF8.self)
        return piece.count > lengthMax ? shown + "…" : shown
    }

    private mutating func walk(_ json: Span<UInt8>, in range: Range<Int>, upTo offset: Int) {
        var position = range.lowerBound
        while position < range.upperBound {
            let character = json[position]
            let isName = character == JSONByte.quote && path.last?.awaitsName == true
            guard position < offset || (isName && position == offset) else { return }
            switch character {
            case JSONByte.openBrace: path.append(Step(isArray: false, awaitsName: true))
            case JSONByte.openBracket: path.append(Step(isArray: true, awaitsName: false))
            case JSONByte.closeBrace, JSONByte.closeBracket:
                if !path.isEmpty { path.removeLast() }
            case JSONByte.comma: stepOver()
            case JSONByte.quote:
                let end = JSONPlace.endOfString(json, from: position + 1, upTo: range.upperBound)
                if isName { takeName(json.extracting(position + 1..<end)) }
                text = position..<min(end + 1, range.upperBound)
                position = end
            default: break
            }
            position += 1
        }
    }

    private mutating func stepOver() {
        guard var step = path.popLast() else { return }
        if step.isArray {
            step.index += 1
        } else {
            step.awaitsName = true
            step.name = nil
        }
        path.append(step)
    }

    private mutating func takeName(_ name: Span<UInt8>) {
        guard var step = path.popLast() else { return }
        step.name = name.indices.map { name[$0] }
        step.awaitsName = false
        path.append(step)
    }

    private static func endOfString(_ json: Span<UInt8>, from start: Int, upTo end: Int) -> Int {
        var position = start
        while position < end, json[position] != JSONByte.quote {
            position += json[position] == JSONByte.backslash ? 2 : 1
        }
        return min(position, end)
    }

    /// "shelf.books[3].isbn"; extensions stand as `[pkg.name]`, other names that are no identifiers as `["a b"]`.
    private var pathText: String {
        var text = ""
        for step in path {
            if step.isArray {
                text += "[\(step.index)]"
            } else if let name = step.name {
                text += JSONPlace.member(name, isFirst: text.isEmpty)
            }
        }
        return text
    }

    private static func member(_ name: [UInt8], isFirst: Bool) -> String {
        let isPlain = !name.isEmpty && name.allSatisfy(isIdentifierByte)
        // A peer chooses the name's length; a message does not need more of it.
        let shown = String(decoding: name.prefix(100), as: UTF8.self)
        guard isPlain || isExtension(name) else { return "[\"\(shown)\"]" }
        return isFirst ? shown : ".\(shown)"
    }

    /// Whether the name is that of an extension: `[pkg.name]`.
    private static func isExtension(_ name: [UInt8]) -> Bool {
        name.count > 2 && name.first == JSONByte.openBracket && name.last == JSONByte.closeBracket
            && name.dropFirst().dropLast().allSatisfy {
                $0 == JSONByte.point || isIdentifierByte($0)
            }
    }

    private static func isIdentifierByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "@"):
            true
        default: false
        }
    }

    /// What stands at the offset, in words.
    private static func describe(_ json: Span<UInt8>, at offset: Int, end: Int) -> String {
        guard offset < end else { return "the end of the document" }
        let byte = json[offset]
        switch byte {
        case JSONByte.quote: return "a string"
        case JSONByte.openBrace: return "an object"
        case JSONByte.openBracket: return "an array"
        case JSONByte.minus, UInt8(ascii: "0")...UInt8(ascii: "9"): return "a number"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return "a boolean"
        case UInt8(ascii: "n"): return "null"
        case 33...126: return "'\(Character(UnicodeScalar(byte)))'"
        default: return "byte \(byte)"
        }
    }
}

extension JSONPlace {
    /// The error that the client sees. `field` is the one that was being read, or that is missing.
    func error(_ fault: JSONFault, field: Int32, _ tables: DescriptorTables) -> JSONError {
        var message = fault.text
        var path = pathText
        if fault == .missingRequired, field >= 0 {
            let name = tables.jsonName(field)
            path += path.isEmpty ? name : ".\(name)"
        } else if fault == .outOfRange, field >= 0 {
            message += " of \(tables.field(field).kind)"
        } else if fault == .unknownEnumName, field >= 0, tables.field(field).kind == .enumeration {
            message = "expected a value of \(tables.enumName(tables.field(field).typeIndex))"
        }
        if fault.namesWhatWasFound {
            message += ", found \(isInText ? literal : found)"
        } else if fault.quotesWhatWasFound, !literal.isEmpty {
            message += ", found \(literal)"
        }
        return JSONError(offset: offset, path: path, reason: fault, message: message)
    }
}

extension JSONFault {
    /// Whether the value's type is right, and only what it says is not.
    var quotesWhatWasFound: Bool {
        switch self {
        case .badNumber, .outOfRange, .notInteger, .badBase64, .badTimestamp, .badDuration,
            .badFieldMask, .unknownEnumName, .anyUnknownType:
            true
        default: false
        }
    }

    /// Whether it helps to say what stood there instead.
    var namesWhatWasFound: Bool {
        switch self {
        case .expectedValue, .expectedName, .expectedColon, .expectedCommaOrBrace,
            .expectedCommaOrBracket, .trailingData, .expectedObject, .expectedArray,
            .expectedString, .expectedBool, .expectedInteger, .expectedNumber, .expectedEnum,
            .nullNotAllowed:
            true
        default: false
        }
    }
}

extension DescriptorTables {
    /// The field's JSON name, for messages.
    func jsonName(_ field: Int32) -> String {
        let entry = self.field(field)
        return string(text(offset: entry.nameOffset, length: entry.nameLength))
    }

    /// The enum's full name, for messages.
    func enumName(_ index: Int32) -> String {
        let entry = enumeration(index)
        return string(text(offset: entry.fullNameOffset, length: entry.fullNameLength))
    }

    private func string(_ name: Span<UInt8>) -> String {
        String(decoding: name.indices.map { name[$0] }, as: UTF8.self)
    }
}
