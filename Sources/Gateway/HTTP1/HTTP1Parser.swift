import ProtoRuntime
import Transcode

/// Limits on what a client may send in a head.
struct HTTP1Limits: Equatable {
    /// Request line and fields together; also the limit of trailers.
    var headBytesMax = 32 << 10
    var targetBytesMax = 16 << 10
    var fieldsMax = 128
    /// Bytes of a chunk-size line, extensions included.
    var chunkLineBytesMax = 256
}

/// A strict, incremental parser of HTTP/1.1 requests (RFC 9112). Pure: bytes in, events out, whatever the pieces.
///
///     head ──▶ fixed body ─────────────────▶ end ──▶ head of the next request
///       └────▶ chunk size ⇄ chunk data ─┐     ▲
///                    └──▶ trailers ─────┴─────┘
///
/// Bytes that are not consumed must be offered again, with more behind them.
struct HTTP1Parser {
    enum Event: Equatable {
        /// More bytes are needed.
        case needMore
        /// `head` is filled.
        case head
        /// These bytes of the input belong to the body.
        case body(Range<Int>)
        /// The request is complete.
        case end
    }

    private enum State: Equatable {
        case head
        case fixed(remaining: Int)
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case trailers(bytes: Int)
        case end
    }

    let limits: HTTP1Limits
    private var state = State.head
    /// Bytes of an incomplete head or line already searched for its end.
    private var searched = 0
    /// Whether an empty line was passed over since the last request.
    private var hasSkippedLine = false

    /// The length that the head declared, nil when it is chunked. Valid from `head` on.
    private(set) var contentLength: Int? = 0
    /// Whether the connection may serve another request after this one.
    private(set) var keepsAlive = true
    /// Whether the client waits for `100 Continue` before it sends the body.
    private(set) var expectsContinue = false

    init(limits: HTTP1Limits = HTTP1Limits()) { self.limits = limits }

    /// Whether the parser stands between two requests.
    var isBetweenRequests: Bool { state == .head }

    /// Takes the next event from `input[offset...]` and moves `offset` over what was consumed.
    mutating func next(
        _ input: Span<UInt8>, _ offset: inout Int, head: inout RequestHead
    ) throws(HTTP1Error) -> Event {
        while true {
            switch state {
            case .head: return try nextHead(input, &offset, &head)
            case .fixed(let remaining):
                if remaining == 0 {
                    state = .end
                    continue
                }
                let taken = min(remaining, input.count - offset)
                guard taken > 0 else { return .needMore }
                state = .fixed(remaining: remaining - taken)
                return .body(advance(&offset, taken))
            case .chunkSize:
                guard let size = try nextChunkSize(input, &offset) else { return .needMore }
                state = size == 0 ? .trailers(bytes: 0) : .chunkData(remaining: size)
            case .chunkData(let remaining):
                let taken = min(remaining, input.count - offset)
                guard taken > 0 else { return .needMore }
                state = remaining == taken ? .chunkEnd : .chunkData(remaining: remaining - taken)
                return .body(advance(&offset, taken))
            case .chunkEnd:
                guard input.count - offset >= 2 else { return .needMore }
                guard input[offset] == ASCII.cr, input[offset + 1] == ASCII.lf else {
                    throw .badChunkEnd
                }
                offset += 2
                state = .chunkSize
            case .trailers(let bytes):
                guard
                    let end = try lineEnd(
                        input, offset, limit: limits.headBytesMax, .trailersTooLarge)
                else {
                    return .needMore
                }
                let total = bytes + end - offset
                guard total <= limits.headBytesMax else { throw .trailersTooLarge }
                state = end - offset == 2 ? .end : .trailers(bytes: total)
                offset = end
            case .end:
                state = .head
                return .end
            }
        }
    }

    /// Takes the end of a request that has no body, right behind its head; `end` is then not reported.
    /// - Returns: whether the request was complete.
    mutating func skipEmptyBody() -> Bool {
        guard state == .fixed(remaining: 0) else { return false }
        state = .head
        return true
    }

    private func advance(_ offset: inout Int, _ count: Int) -> Range<Int> {
        let start = offset
        offset += count
        return start..<offset
    }

    // MARK: Head

    private mutating func nextHead(
        _ input: Span<UInt8>, _ offset: inout Int, _ head: inout RequestHead
    ) throws(HTTP1Error) -> Event {
        guard skipEmptyLine(input, &offset) else { return .needMore }
        guard let end = try headEnd(input, offset) else { return .needMore }
        head.removeAll()
        var reader = HTTP1HeadReader(bytes: input.extracting(offset..<end), limits: limits)
        try reader.read(into: &head)
        offset = end
        searched = 0
        hasSkippedLine = false
        contentLength = reader.isChunked ? nil : reader.contentLength ?? 0
        keepsAlive = reader.keepsAlive
        expectsContinue = reader.expectsContinue && (contentLength ?? 1) > 0
        state = reader.isChunked ? .chunkSize : .fixed(remaining: reader.contentLength ?? 0)
        return .head
    }

    /// Passes over the one empty line that is allowed before a request (RFC 9112 §2.2); false when its second
    /// byte has not come yet.
    private mutating func skipEmptyLine(_ input: Span<UInt8>, _ offset: inout Int) -> Bool {
        guard !hasSkippedLine, searched == 0, offset < input.count, input[offset] == ASCII.cr else {
            return true
        }
        guard input.count - offset >= 2 else { return false }
        if input[offset + 1] == ASCII.lf {
            offset += 2
            hasSkippedLine = true
        }
        return true
    }

    /// Index behind the empty line that ends the head, or nil when it has not come yet.
    private mutating func headEnd(_ input: Span<UInt8>, _ start: Int) throws(HTTP1Error) -> Int? {
        let limit = min(input.count, start + limits.headBytesMax)
        var index = max(start, start + searched - 3)
        while index < limit {
            guard let newline = input.firstIndex(of: ASCII.lf, from: index, to: limit) else {
                break
            }
            if newline > start, input[newline - 1] != ASCII.cr { throw .badLineEnd }
            if newline - start >= 3, input[newline - 2] == ASCII.lf { return newline + 1 }
            index = newline + 1
        }
        guard input.count - start < limits.headBytesMax else { throw .headTooLarge }
        searched = input.count - start
        return nil
    }

    // MARK: Chunks

    private mutating func nextChunkSize(
        _ input: Span<UInt8>, _ offset: inout Int
    ) throws(HTTP1Error) -> Int? {
        guard
            let end = try lineEnd(
                input, offset, limit: limits.chunkLineBytesMax, .chunkExtensionTooLong)
        else {
            return nil
        }
        var size = 0
        var digits = 0
        var index = offset
        while index < end, let digit = ASCII.hexValue(input[index]) {
            digits += 1
            guard digits <= 15 else { throw .badChunkSize }
            size = size << 4 | Int(digit)
            index += 1
        }
        guard digits > 0 else { throw .badChunkSize }
        // Extensions are ignored (RFC 9112 §7.1.1), but they must be introduced as such.
        while index < end - 2, input[index] == ASCII.space || input[index] == ASCII.tab {
            index += 1
        }
        guard index == end - 2 || input[index] == UInt8(ascii: ";") else { throw .badChunkSize }
        while index < end - 2 {
            guard ASCII.isFieldValueByte(input[index]) else { throw .badChunkSize }
            index += 1
        }
        offset = end
        return size
    }

    /// Index behind the CR LF of the line at `start`, or nil when it has not come yet.
    private func lineEnd(
        _ input: Span<UInt8>, _ start: Int, limit: Int, _ tooLong: HTTP1Error
    ) throws(HTTP1Error) -> Int? {
        let end = min(input.count, start + limit)
        guard let newline = input.firstIndex(of: ASCII.lf, from: start, to: end) else {
            guard input.count - start < limit else { throw tooLong }
            return nil
        }
        guard newline > start, input[newline - 1] == ASCII.cr else { throw .badLineEnd }
        return newline + 1
    }
}
