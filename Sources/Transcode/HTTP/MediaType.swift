/// The type of an entity, compared without regard to case and parameters.
enum MediaType {
    /// `application/json`, `text/json` and `application/*+json`, with any parameters.
    static func isJSON(_ contentType: Span<UInt8>) -> Bool {
        if contentType.isEqual(to: "application/json") { return true }
        let type = essence(contentType)
        return isEqual(type, "application/json") || isEqual(type, "text/json")
            || (hasPrefix(type, "application/") && hasSuffix(type, "+json"))
    }

    /// Whether there is something to gain: text of any kind. Pictures, films and archives are compressed already.
    static func isCompressible(_ contentType: Span<UInt8>) -> Bool {
        let type = essence(contentType)
        return hasPrefix(type, "text/") || isJSON(type) || isLines(type)
            || hasSuffix(type, "+xml") || hasSuffix(type, "/xml")
            || hasSuffix(type, "javascript") || hasSuffix(type, "/wasm")
    }

    /// A JSON value a line.
    static func isLines(_ contentType: Span<UInt8>) -> Bool {
        let type = essence(contentType)
        return isEqual(type, "application/x-ndjson") || isEqual(type, "application/jsonl")
            || isEqual(type, "application/x-jsonlines")
    }

    /// What stands before `;`, without white space around it.
    @_lifetime(copy contentType)
    static func essence(_ contentType: Span<UInt8>) -> Span<UInt8> {
        var start = 0
        var end =
            contentType.firstIndex(of: UInt8(ascii: ";"), from: 0, to: contentType.count)
            ?? contentType.count
        while start < end, isSpace(contentType[start]) { start += 1 }
        while end > start, isSpace(contentType[end - 1]) { end -= 1 }
        return contentType.extracting(start..<end)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    /// Compares with lower-case `expected`, ignoring the case of ASCII letters.
    static func isEqual(_ type: Span<UInt8>, _ expected: StaticString) -> Bool {
        type.isEqualIgnoringCase(to: expected)
    }

    /// Compares the beginning with lower-case `prefix`, ignoring the case of ASCII letters.
    static func hasPrefix(_ type: Span<UInt8>, _ prefix: StaticString) -> Bool {
        let count = prefix.utf8CodeUnitCount
        return type.count >= count && isEqual(type.extracting(0..<count), prefix)
    }

    private static func hasSuffix(_ type: Span<UInt8>, _ suffix: StaticString) -> Bool {
        let start = type.count - suffix.utf8CodeUnitCount
        return start >= 0 && isEqual(type.extracting(start..<type.count), suffix)
    }
}
