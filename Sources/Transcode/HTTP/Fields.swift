public import ProtoRuntime

/// A block of HTTP fields (headers, trailers or metadata) in the order received. Names are lower-case.
///
/// One owner fills and empties it call after call; in steady state it allocates nothing.
public struct Fields: ~Copyable {
    /// Where one field stands in the text: two words in `lines`.
    private struct Line {
        var nameStart: UInt32 = 0
        var valueStart: UInt32 = 0
        var valueCount: UInt32 = 0
        var nameCount: UInt16 = 0
        var known = KnownField.other

        var places: UInt64 { UInt64(nameStart) | UInt64(valueStart) << 32 }
        var extents: UInt64 {
            UInt64(known.rawValue) | UInt64(nameCount) << 16 | UInt64(valueCount) << 32
        }
    }

    @usableFromInline var text = OutputBlock()
    /// A block and not an array: it is emptied several times a call, which then costs nothing, and appending to it asks
    /// for no unique reference.
    @usableFromInline var lines = OutputBlock()
    /// The line whose value is being appended.
    private var open = Line()

    public init() {}

    @inlinable static var lineBytes: Int { 16 }

    /// How many fields there are.
    @inlinable public var count: Int { lines.count / Fields.lineBytes }
    @inlinable public var isEmpty: Bool { lines.isEmpty }

    /// Size as HTTP/2 counts it: names, values and 32 bytes a field (RFC 9113 §6.5.2).
    public var size: Int { text.count + 32 * count }

    public func known(at index: Int) -> KnownField {
        let extents = lines.word(at: index * Fields.lineBytes + 8)
        return KnownField(rawValue: UInt8(truncatingIfNeeded: extents)) ?? .other
    }

    private func isKnown(_ known: KnownField, at index: Int) -> Bool {
        UInt8(truncatingIfNeeded: lines.word(at: index * Fields.lineBytes + 8)) == known.rawValue
    }

    @inlinable
    @_lifetime(borrow self)
    public func name(at index: Int) -> Span<UInt8> {
        let start = Int(lines.word(at: index * Fields.lineBytes) & 0xFFFF_FFFF)
        let count = Int(lines.word(at: index * Fields.lineBytes + 8) >> 16 & 0xFFFF)
        return text.bytes.extracting(start..<start + count)
    }

    @inlinable
    @_lifetime(borrow self)
    public func value(at index: Int) -> Span<UInt8> {
        let start = Int(lines.word(at: index * Fields.lineBytes) >> 32)
        let count = Int(lines.word(at: index * Fields.lineBytes + 8) >> 32)
        return text.bytes.extracting(start..<start + count)
    }

    /// Index of the first field of that name, or nil.
    public func firstIndex(of known: KnownField) -> Int? {
        for index in 0..<count where isKnown(known, at: index) { return index }
        return nil
    }

    /// How many fields of that name there are.
    public func count(of known: KnownField) -> Int {
        var found = 0
        for index in 0..<count where isKnown(known, at: index) { found += 1 }
        return found
    }

    /// Whether the first field of that name has exactly this value.
    public func has(_ known: KnownField, value: StaticString) -> Bool {
        guard let index = firstIndex(of: known) else { return false }
        return self.value(at: index).isEqual(to: value)
    }

    /// Appends a field received from a peer. The caller has bounded the block, and lower-cased the name.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        append(name: name, value: value, known: KnownField(name: name))
    }

    /// The same for a name in any case.
    public mutating func append(loweringName name: Span<UInt8>, value: Span<UInt8>) {
        let start = text.count
        text.append(lowercasing: name)
        let known = KnownField(name: text.bytes.extracting(start..<text.count))
        endName(known, from: start)
        text.append(value)
        endValue()
    }

    public mutating func append(_ known: KnownField, _ value: StaticString) {
        begin(known)
        text.append(value)
        endValue()
    }

    public mutating func append(_ known: KnownField, _ value: Span<UInt8>) {
        begin(known)
        text.append(value)
        endValue()
    }

    public mutating func append(_ name: StaticString, _ value: Span<UInt8>) {
        begin(nameParts: name, suffix: Span())
        text.append(value)
        endValue()
    }

    public mutating func append(_ name: StaticString, _ value: StaticString) {
        begin(nameParts: name, suffix: Span())
        text.append(value)
        endValue()
    }

    public mutating func append(_ name: StaticString, text value: String) {
        begin(nameParts: name, suffix: Span())
        text.append(text: value)
        endValue()
    }

    /// Appends a field whose name is `prefix` before `name` (`trailer-` and the like).
    public mutating func append(prefix: StaticString, name: Span<UInt8>, value: Span<UInt8>) {
        begin(nameParts: prefix, suffix: name)
        text.append(value)
        endValue()
    }

    /// Appends a field whose value `write` appends to the text itself.
    public mutating func append(_ known: KnownField, writing write: (inout OutputBlock) -> Void) {
        begin(known)
        write(&text)
        endValue()
    }

    /// Appends one field of another block.
    public mutating func append(_ other: borrowing Fields, at index: Int) {
        append(
            name: other.name(at: index), value: other.value(at: index),
            known: other.known(at: index))
    }

    /// Appends all fields of another block, as one piece of text: a head's constant part costs next to nothing.
    public mutating func append(contentsOf other: borrowing Fields) {
        let shift = UInt64(UInt32(truncatingIfNeeded: text.count)) &* 0x1_0000_0001
        text.append(other.text.bytes)
        lines.makeRoom(other.lines.count)
        for offset in stride(from: 0, to: other.lines.count, by: Fields.lineBytes) {
            lines.put(other.lines.word(at: offset) &+ shift, count: 8)
            lines.put(other.lines.word(at: offset + 8), count: 8)
        }
    }

    public mutating func removeAll() {
        text.removeAll()
        lines.removeAll()
    }

    private mutating func append(name: Span<UInt8>, value: Span<UInt8>, known: KnownField) {
        let start = text.count
        text.append(name)
        endName(known, from: start)
        text.append(value)
        endValue()
    }

    private mutating func begin(_ known: KnownField) {
        let start = text.count
        text.append(known.text)
        endName(known, from: start)
    }

    private mutating func begin(nameParts prefix: StaticString, suffix: Span<UInt8>) {
        let start = text.count
        text.append(prefix)
        text.append(suffix)
        endName(KnownField(name: text.bytes.extracting(start..<text.count)), from: start)
    }

    /// The name stands in the text, from `start` to its end; the value is to be appended next.
    private mutating func endName(_ known: KnownField, from start: Int) {
        open = Line(
            nameStart: UInt32(truncatingIfNeeded: start),
            valueStart: UInt32(truncatingIfNeeded: text.count), valueCount: 0,
            nameCount: UInt16(truncatingIfNeeded: text.count - start), known: known)
    }

    private mutating func endValue() {
        open.valueCount = UInt32(truncatingIfNeeded: text.count) - open.valueStart
        lines.makeRoom(Fields.lineBytes)
        lines.put(open.places, count: 8)
        lines.put(open.extents, count: 8)
    }
}
