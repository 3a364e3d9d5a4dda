import ProtoRuntime

/// Finds where the JSON values of a client stream end, however their bytes are cut into pieces.
///
///     {"a":1}{"a":2}       one behind the other, white space between them or not: NDJSON is that too
///     [{"a":1},{"a":2}]    the elements of an array
///
/// Only the structure is looked at, at a few instructions a byte: what a value says is its decoder's to judge, and so
/// is which bracket closes which.
struct JSONSequence: Sendable {
    /// What `collect` found.
    enum Event: Equatable { case needMore, message }

    private enum Place {
        /// Nothing but white space so far.
        case start
        /// In a sequence, before a value or the end.
        case gap
        /// In an array: behind `[`, behind a value, behind a comma.
        case opened, behindValue, behindComma
        /// Behind the array.
        case closed
        /// In an object or array, a string, or a number or literal.
        case composite, string, scalar
    }

    private var place = Place.start
    private var isArray = false
    /// Brackets that are open in the value.
    private var depth = 0
    /// Within a string, in a composite value or alone.
    private var isInString = false
    private var isEscaped = false
    private var messageBytes = 0
    /// Bytes of the body before the piece that is being read.
    private var base = 0
    private let allowsArray: Bool
    private let bytesMax: Int

    /// - Parameter allowsArray: a first `[` opens the array of the messages, and is not part of one.
    init(allowsArray: Bool, messageBytesMax: Int) {
        self.allowsArray = allowsArray
        bytesMax = messageBytesMax
    }

    /// Appends the bytes of the next value in `bytes[offset...]` to `message`, and moves `offset` past it.
    /// - Throws: 400 where no value may stand; 413 for a message over the limit.
    mutating func collect(
        _ bytes: Span<UInt8>, from offset: inout Int, into message: inout OutputBlock
    ) throws(Status) -> Event {
        while offset < bytes.count {
            guard isInValue else {
                try passBetween(bytes[offset], at: base + offset)
                if !isInValue { offset += 1 }
                continue
            }
            let end = endOfValue(bytes, from: offset)
            let count = end.offset - offset
            guard count <= bytesMax - messageBytes else {
                throw .messageTooLarge(limit: bytesMax)
            }
            messageBytes += count
            message.append(bytes.extracting(offset..<end.offset))
            offset = end.offset
            if end.isComplete {
                finishValue()
                return .message
            }
        }
        return .needMore
    }

    /// A piece has been used up: offsets in errors count on from here.
    mutating func advance(by count: Int) { base += count }

    /// The body is complete.
    /// - Returns: whether a last message is complete with it.
    /// - Throws: 400 when it ends inside a message or an array.
    mutating func finish() throws(Status) -> Bool {
        switch place {
        case .start, .gap, .closed: return false
        case .scalar where !isArray:
            finishValue()
            return true
        case .composite, .string: throw .malformedSequence("the body ends inside a message")
        case .opened, .behindValue, .behindComma, .scalar:
            throw .malformedSequence("the body ends inside its array")
        }
    }

    private var isInValue: Bool {
        switch place {
        case .composite, .string, .scalar: true
        case .start, .gap, .opened, .behindValue, .behindComma, .closed: false
        }
    }

    private mutating func finishValue() {
        place = isArray ? .behindValue : .gap
        messageBytes = 0
    }

    /// Passes one byte outside of values, or finds that a value begins with it.
    private mutating func passBetween(_ byte: UInt8, at offset: Int) throws(Status) {
        if JSONSequence.isSpace(byte) { return }
        switch (place, byte) {
        case (.start, UInt8(ascii: "[")) where allowsArray:
            isArray = true
            place = .opened
        case (.opened, UInt8(ascii: "]")), (.behindValue, UInt8(ascii: "]")): place = .closed
        case (.behindValue, UInt8(ascii: ",")): place = .behindComma
        case (.behindValue, _):
            throw .malformedSequence("offset \(offset): expected ',' or ']' behind a message")
        case (.closed, _):
            throw .malformedSequence("offset \(offset): nothing may stand behind the array")
        case (_, UInt8(ascii: ",")), (.behindComma, UInt8(ascii: "]")):
            throw .malformedSequence("offset \(offset): expected a message")
        default: beginValue(byte)
        }
    }

    private mutating func beginValue(_ byte: UInt8) {
        depth = 0
        isInString = false
        isEscaped = false
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["): place = .composite
        case UInt8(ascii: "\""): place = .string
        default: place = .scalar
        }
    }

    /// Where the value in which `bytes[start]` stands ends, or the piece does.
    private mutating func endOfValue(
        _ bytes: Span<UInt8>, from start: Int
    ) -> (offset: Int, isComplete: Bool) {
        var offset = start
        if place == .scalar {
            while offset < bytes.count {
                let byte = bytes[offset]
                if JSONSequence.isSpace(byte) || isArray && (byte == 0x2c || byte == 0x5d) {
                    return (offset, true)
                }
                offset += 1
            }
            return (offset, false)
        }
        // In locals while the piece is scanned: a store a byte would take most of the time.
        var (depth, isInString, isEscaped) = (depth, isInString, isEscaped)
        defer { (self.depth, self.isInString, self.isEscaped) = (depth, isInString, isEscaped) }
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                    if place == .string { return (offset, true) }
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth &+= 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth &-= 1
                if depth <= 0 { return (offset, true) }
            default: continue
            }
        }
        return (offset, false)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09
    }
}

extension Status {
    static func malformedSequence(_ what: String) -> Status {
        .violation(of: "", what, message: "the body's messages: \(what)", reason: "invalid_body")
    }
}
