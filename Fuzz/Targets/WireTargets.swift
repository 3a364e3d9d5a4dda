import ProtoRuntime
import Transcode

/// The wire reader over any bytes: every way to read a value ends where skipping it ends.
enum ReaderTarget {
    static func run(_ input: [UInt8]) throws(BrokenRule) {
        try walk(WireReader(input.span), end: input.count)
    }

    private static func walk(_ message: WireReader, end: Int) throws(BrokenRule) {
        var reader = message
        while true {
            let start = reader.offset
            guard let tag = tag(&reader) else { return }
            var skipping = reader
            let isSkipped = (try? skipping.skip(tag)) != nil
            guard try read(tag, &reader, end) else { return }
            try check(isSkipped, "read what cannot be skipped at \(start)")
            try check(reader.offset == skipping.offset, "reading and skipping differ at \(start)")
            try check(start < reader.offset && reader.offset <= end, "no step forward at \(start)")
        }
    }

    /// The next tag; nil at the end and where there is none.
    @_lifetime(reader: copy reader)
    private static func tag(_ reader: inout WireReader) -> WireTag? {
        guard let read = try? reader.readTag() else { return nil }
        return read
    }

    /// Reads a value by its wire type; a length is read as a text, a packed run and a message.
    /// - Returns: whether there was a value.
    @_lifetime(reader: copy reader)
    private static func read(
        _ tag: WireTag, _ reader: inout WireReader, _ end: Int
    ) throws(BrokenRule) -> Bool {
        switch tag.type {
        case .varint: return (try? reader.readSInt64(tag)) != nil
        case .fixed64: return (try? reader.readDouble(tag)) != nil
        case .fixed32: return (try? reader.readFloat(tag)) != nil
        case .endGroup: return false
        case .lengthDelimited:
            var texts = reader
            _ = try? texts.readString(tag)
            readPacked(tag, reader)
            return try readMessage(tag, &reader, end)
        case .startGroup: return try readMessage(tag, &reader, end)
        }
    }

    private static func readPacked(_ tag: WireTag, _ reader: WireReader) {
        var reader = reader
        do throws(WireError) {
            var packed = try reader.readPacked(tag, of: .varint)
            while !packed.isAtEnd { _ = try packed.readVarint() }
        } catch {
            return
        }
    }

    @_lifetime(reader: copy reader)
    private static func readMessage(
        _ tag: WireTag, _ reader: inout WireReader, _ end: Int
    ) throws(BrokenRule) -> Bool {
        let nested: WireReader
        do throws(WireError) {
            nested = try reader.readMessage(tag)
        } catch {
            return false
        }
        try walk(nested, end: end)
        return true
    }
}

/// Envelopes: the events are the same whatever the pieces, and as the prefixes say.
enum EnvelopeTarget {
    private static let limit = 200

    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let cut = CutBytes(input)
        let whole = try trace([cut.whole])
        try check(try trace(cut.pieces) == whole, "in pieces: \(whole)")
        try check(expected(cut.whole) == whole, "not as the prefixes say: \(whole)")
    }

    private static func trace(_ pieces: [[UInt8]]) throws(BrokenRule) -> [String] {
        var reader = EnvelopeReader(limit: limit)
        var events: [String] = []
        var payload: [UInt8] = []
        for piece in pieces {
            var offset = 0
            reading: while true {
                let event: EnvelopeEvent
                do throws(EnvelopeTooLong) {
                    event = try reader.next(in: piece.span, from: &offset)
                } catch {
                    return events + ["refused"]
                }
                switch event {
                case .needMore:
                    try check(offset == piece.count, "bytes left over")
                    break reading
                case .begin(let prefix): events.append("\(prefix.flags) \(prefix.length)")
                case .payload(let range): payload += piece[range]
                case .end:
                    events.append("\(payload)")
                    payload = []
                }
            }
        }
        return events + ["\(payload)", reader.isAtBoundary ? "boundary" : "within"]
    }

    /// The same by looking at all bytes at once.
    private static func expected(_ bytes: [UInt8]) -> [String] {
        var rest = bytes[...]
        var events: [String] = []
        while let prefix = EnvelopePrefix(Array(rest).span) {
            guard prefix.length <= UInt32(limit) else { return events + ["refused"] }
            events.append("\(prefix.flags) \(prefix.length)")
            rest = rest.dropFirst(EnvelopePrefix.byteCount)
            guard rest.count >= Int(prefix.length) else {
                return events + ["\(Array(rest))", "within"]
            }
            events.append("\(Array(rest.prefix(Int(prefix.length))))")
            rest = rest.dropFirst(Int(prefix.length))
        }
        return events + ["[]", rest.isEmpty ? "boundary" : "within"]
    }
}
