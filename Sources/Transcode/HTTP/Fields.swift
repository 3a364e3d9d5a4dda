public import ProtoRuntime

/// A block of HTTP fields (headers, trailers or metadata) in the order received. Names are lower-case.
///
/// One owner fills and empties it call after call; in steady state it allocates nothing.
public struct Fields: ~Copyable {
    @usableFromInline var text = OutputBlock()
    /// Where each field stands in the text: two words, `nameStart | valueStart << 32` and
    /// `known | nameCount << 16 | valueCount << 32`. A block and not an array: it is emptied several times a call, which
    /// then costs nothing, and appending to it asks for no unique reference.
    @usableFromInline var lines = OutputBlock()
    /// One bit for each known name that may be here: most that are asked for are not, and no line is read then.
    private var present: UInt64 = 0

    public init() {}

    @inlinable static var lineBytes: Int { 16 }

    /// How many bytes it has room for.
    public var capacity: Int { text.capacity + lines.capacity }
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

    /// Whether a field of that name may be here; false is certain.
    private func mayHave(_ known: KnownField) -> Bool { present & Fields.bit(of: known) != 0 }

    private static func bit(of known: KnownField) -> UInt64 { 1 &<< UInt64(known.rawValue) }

    /// Whether there is none of these.
    public func hasNone(of first: KnownField, _ second: KnownField, _ third: KnownField) -> Bool {
        let bits = Fields.bit(of: first) | Fields.bit(of: second) | Fields.bit(of: third)
        return present & bits == 0
    }

    /// Index of the first field of that name, or nil.
    public func firstIndex(of known: KnownField) -> Int? {
        guard mayHave(known) else { return nil }
        for index in 0..<count where isKnown(known, at: index) { return index }
        return nil
    }

    /// How many fields of that name there are.
    public func count(of known: KnownField) -> Int {
        guard mayHave(known) else { return 0 }
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

    /// The same for a name in any case. Says which name it is.
    @discardableResult
    public mutating func append(loweringName name: Span<UInt8>, value: Span<UInt8>) -> KnownField {
        let start = text.count
        text.append(lowercasing: name)
        let valueStart = text.count
        let known = KnownField(name: text.bytes.extracting(start..<valueStart))
        text.append(value)
        addLine(known, from: start, valueStart)
        return known
    }

    public mutating func append(_ known: KnownField, _ value: StaticString) {
        let start = text.count
        text.append(known.text)
        let valueStart = text.count
        text.append(value)
        addLine(known, from: start, valueStart)
    }

    public mutating func append(_ known: KnownField, _ value: Span<UInt8>) {
        let start = text.count
        text.append(known.text)
        let valueStart = text.count
        text.append(value)
        addLine(known, from: start, valueStart)
    }

    public mutating func append(_ name: StaticString, _ value: Span<UInt8>) {
        append(prefix: name, name: Span(), value: value)
    }

    public mutating func append(_ name: StaticString, _ value: StaticString) {
        let start = text.count
        text.append(name)
        let valueStart = text.count
        text.append(value)
        addLine(from: start, valueStart)
    }

    public mutating func append(_ name: StaticString, text value: String) {
        let start = text.count
        text.append(name)
        let valueStart = text.count
        text.append(text: value)
        addLine(from: start, valueStart)
    }

    /// Appends a field whose name is `prefix` before `name` (`trailer-` and the like).
    public mutating func append(prefix: StaticString, name: Span<UInt8>, value: Span<UInt8>) {
        let start = text.count
        text.append(prefix)
        text.append(name)
        let valueStart = text.count
        text.append(value)
        addLine(from: start, valueStart)
    }

    /// Appends a field whose value `write` appends to the text itself.
    public mutating func append(_ known: KnownField, writing write: (inout OutputBlock) -> Void) {
        let start = text.count
        text.append(known.text)
        let valueStart = text.count
        write(&text)
        addLine(known, from: start, valueStart)
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
        present |= other.present
        lines.makeRoom(other.lines.count)
        for offset in stride(from: 0, to: other.lines.count, by: Fields.lineBytes) {
            lines.put(other.lines.word(at: offset) &+ shift, count: 8)
            lines.put(other.lines.word(at: offset + 8), count: 8)
        }
    }

    public mutating func removeAll() {
        text.removeAll()
        lines.removeAll()
        present = 0
    }

    private mutating func append(name: Span<UInt8>, value: Span<UInt8>, known: KnownField) {
        let start = text.count
        text.append(name)
        let valueStart = text.count
        text.append(value)
        addLine(known, from: start, valueStart)
    }

    /// The same for a name that may be known or not.
    private mutating func addLine(from start: Int, _ valueStart: Int) {
        let known = KnownField(name: text.bytes.extracting(start..<valueStart))
        addLine(known, from: start, valueStart)
    }

    /// Name and value stand in the text: from `start`, and from `valueStart` to its end.
    private mutating func addLine(_ known: KnownField, from start: Int, _ valueStart: Int) {
        let nameCount = UInt64(UInt16(truncatingIfNeeded: valueStart &- start))
        let valueCount = UInt64(UInt32(truncatingIfNeeded: text.count &- valueStart))
        lines.makeRoom(Fields.lineBytes)
        lines.put(UInt64(UInt32(truncatingIfNeeded: start)) | UInt64(valueStart) << 32, count: 8)
        lines.put(UInt64(known.rawValue) | nameCount << 16 | valueCount << 32, count: 8)
        present |= Fields.bit(of: known)
    }

    /// All names and values, one behind the other.
    @inlinable
    public var allText: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes }
    }

    /// Tells which name each field has, and where it and its value stand in `allText`, in order from `first` on.
    @inlinable
    public func forEachPlace(
        from first: Int = 0,
        _ body: (_ known: KnownField, _ name: Range<Int>, _ value: Range<Int>) -> Void
    ) {
        for index in first..<count {
            let starts = lines.word(at: index * Fields.lineBytes)
            let counts = lines.word(at: index * Fields.lineBytes + 8)
            let name = Int(starts & 0xFFFF_FFFF)
            let value = Int(starts >> 32)
            let known = KnownField(rawValue: UInt8(truncatingIfNeeded: counts)) ?? .other
            body(
                known, name..<name + Int(counts >> 16 & 0xFFFF), value..<value + Int(counts >> 32))
        }
    }
}

// Heads that begin alike.
extension Fields {
    /// Bytes that tell of one field where it stands.
    public static var placeBytes: Int { lineBytes }

    /// The text of the first `count` fields, and their places in it.
    @_lifetime(borrow self)
    public func beginning(_ count: Int) -> (text: Span<UInt8>, places: Span<UInt8>) {
        let lineEnd = count * Fields.lineBytes
        let textEnd = count > 0 ? textEnd(of: count - 1) : 0
        return (text.bytes.extracting(0..<textEnd), lines.bytes.extracting(0..<lineEnd))
    }

    /// Whether the first fields are those whose `beginning` this is.
    public func begins(with text: Span<UInt8>, at places: Span<UInt8>) -> Bool {
        lines.count >= places.count && self.text.count >= text.count
            && lines.bytes.extracting(0..<places.count).isEqual(to: places)
            && self.text.bytes.extracting(0..<text.count).isEqual(to: text)
    }

    /// A number that is the same for the same field in the same place, and often another for another: its lengths, and the
    /// end of its value.
    public func mark(of index: Int) -> UInt64 {
        let end = textEnd(of: index)
        let tail = end >= 8 ? text.word(at: end - 8) : 0
        return lines.word(at: index * Fields.lineBytes + 8) ^ tail
    }

    private func textEnd(of index: Int) -> Int {
        Int(lines.word(at: index * Fields.lineBytes) >> 32)
            + Int(lines.word(at: index * Fields.lineBytes + 8) >> 32)
    }
}
