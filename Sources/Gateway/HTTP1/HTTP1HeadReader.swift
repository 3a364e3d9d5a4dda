import ProtoRuntime
import Transcode

/// Reads one complete head of HTTP/1.1, from its request line to the empty line, strictly (RFC 9112 §3–§6).
struct HTTP1HeadReader: ~Escapable {
    private let bytes: Span<UInt8>
    private let limits: HTTP1Limits
    private var offset = 0

    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var keepsAlive = true
    private(set) var expectsContinue = false

    /// `bytes` ends behind the empty line; every LF in it follows a CR.
    @_lifetime(copy bytes)
    init(bytes: Span<UInt8>, limits: HTTP1Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func read(into head: inout RequestHead) throws(HTTP1Error) {
        try readRequestLine(into: &head)
        var fields = 0
        while bytes[offset] != ASCII.cr {
            fields += 1
            guard fields <= limits.fieldsMax else { throw .tooManyFields }
            try readField(into: &head)
        }
        guard offset + 2 == bytes.count else { throw .badLineEnd }
        try checkFraming(of: &head)
    }

    // MARK: Request line

    private mutating func readRequestLine(into head: inout RequestHead) throws(HTTP1Error) {
        let methodEnd = bytes.tokenEnd(from: 0)
        guard methodEnd > 0, methodEnd <= RequestHead.methodBytesMax,
            bytes[methodEnd] == ASCII.space
        else {
            throw .badRequestLine
        }
        let targetStart = methodEnd + 1
        var targetEnd = targetStart
        while bytes[targetEnd] > ASCII.space, bytes[targetEnd] != 127 { targetEnd += 1 }
        guard targetEnd - targetStart <= limits.targetBytesMax else { throw .targetTooLong }
        guard targetEnd > targetStart, bytes[targetEnd] == ASCII.space else {
            throw .badRequestLine
        }
        let lineEnd = targetEnd + 9
        guard lineEnd + 2 <= bytes.count, bytes[lineEnd] == ASCII.cr, bytes[lineEnd + 1] == ASCII.lf
        else {
            throw .badRequestLine
        }
        head.version = try version(of: bytes.extracting(targetEnd + 1..<lineEnd))
        head.setMethod(bytes.extracting(0..<methodEnd))
        try setTarget(bytes.extracting(targetStart..<targetEnd), of: &head)
        offset = lineEnd + 2
    }

    private func version(of text: Span<UInt8>) throws(HTTP1Error) -> HTTPVersion {
        if text.isEqual(to: "HTTP/1.1") { return .http11 }
        if text.isEqual(to: "HTTP/1.0") { return .http10 }
        throw text.hasPrefix("HTTP/") ? .badVersion : .badRequestLine
    }

    /// Origin form as it is; of the absolute form authority and path; `*` only for OPTIONS (RFC 9112 §3.2).
    private func setTarget(_ target: Span<UInt8>, of head: inout RequestHead) throws(HTTP1Error) {
        if target[0] == UInt8(ascii: "/") {
            head.setTarget(target)
            return
        }
        if target.isEqual(to: "*") {
            guard head.method.isEqual(to: "OPTIONS") else { throw .badTarget }
            head.setTarget(target)
            return
        }
        let scheme: Int
        if target.count > 7, target.extracting(0..<7).isEqualIgnoringCase(to: "http://") {
            scheme = 7
        } else if target.count > 8, target.extracting(0..<8).isEqualIgnoringCase(to: "https://") {
            scheme = 8
        } else {
            throw .badTarget
        }
        let slash =
            target.firstIndex(of: UInt8(ascii: "/"), from: scheme, to: target.count) ?? target.count
        guard slash > scheme else { throw .badTarget }
        head.setAuthority(target.extracting(scheme..<slash))
        guard slash < target.count else { throw .badTarget }
        head.setTarget(target.extracting(slash..<target.count))
    }

    // MARK: Fields

    private mutating func readField(into head: inout RequestHead) throws(HTTP1Error) {
        if bytes[offset] == ASCII.space || bytes[offset] == ASCII.tab { throw .obsoleteFolding }
        let nameEnd = bytes.tokenEnd(from: offset)
        guard nameEnd > offset, nameEnd - offset <= Int(UInt16.max), bytes[nameEnd] == ASCII.colon
        else {
            throw .badFieldName
        }
        var start = nameEnd + 1
        while bytes[start] == ASCII.space || bytes[start] == ASCII.tab { start += 1 }
        var end = bytes.fieldValueEnd(from: start)
        guard bytes[end] == ASCII.cr, bytes[end + 1] == ASCII.lf else { throw .badFieldValue }
        let next = end + 2
        while end > start, bytes[end - 1] == ASCII.space || bytes[end - 1] == ASCII.tab { end -= 1 }
        let value = bytes.extracting(start..<end)
        let known = head.fields.append(
            loweringName: bytes.extracting(offset..<nameEnd), value: value)
        try note(known, value)
        offset = next
    }

    /// Keeps what decides about framing and persistence.
    private mutating func note(_ field: KnownField, _ value: Span<UInt8>) throws(HTTP1Error) {
        switch field {
        case .contentLength:
            guard contentLength == nil, let length = HTTP1HeadReader.decimal(value) else {
                throw .badContentLength
            }
            contentLength = length
        case .transferEncoding:
            guard !isChunked, value.isEqualIgnoringCase(to: "chunked") else {
                throw .unknownTransferCoding
            }
            isChunked = true
        case .connection:
            if value.listContains("close".utf8Span.span) { keepsAlive = false }
        case .expect:
            guard value.isEqualIgnoringCase(to: "100-continue") else { throw .unknownExpectation }
            expectsContinue = true
        default: break
        }
    }

    private mutating func checkFraming(of head: inout RequestHead) throws(HTTP1Error) {
        guard !(isChunked && contentLength != nil) else { throw .lengthAndChunked }
        if head.version == .http10 {
            guard !isChunked else { throw .unknownTransferCoding }
            keepsAlive = false
            expectsContinue = false
        }
        let hosts = head.fields.count(of: .host)
        guard hosts <= 1 else { throw .severalHosts }
        guard hosts == 1 || head.version == .http10 else { throw .missingHost }
        if head.authority.isEmpty, let index = head.fields.firstIndex(of: .host) {
            head.setAuthority(fromFieldAt: index)
        }
    }

    // MARK: Grammar

    /// A decimal number of at most 15 digits.
    static func decimal(_ text: Span<UInt8>) -> Int? {
        guard text.count > 0, text.count <= 15 else { return nil }
        var number = 0
        for index in 0..<text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}
