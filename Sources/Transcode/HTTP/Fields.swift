public import ProtoRuntime

/// A block of HTTP fields (headers, trailers or metadata) in the order received. Names are lower-case.
///
/// One owner fills and empties it call after call; in steady state it allocates nothing.
public struct Fields: ~Copyable {
    /// Where one field stands in the text.
    struct Line: BitwiseCopyable {
        var nameStart: UInt32
        var valueStart: UInt32
        var valueCount: UInt32
        var nameCount: UInt16
        var known: KnownField
    }

    private var text = OutputBlock()
    private var lines: [Line] = []

    public init() {}

    /// How many fields there are.
    public var count: Int { lines.count }
    public var isEmpty: Bool { lines.isEmpty }

    /// Size as HTTP/2 counts it: names, values and 32 bytes a field (RFC 9113 §6.5.2).
    public var size: Int { text.count + 32 * lines.count }

    public func known(at index: Int) -> KnownField { lines[index].known }

    @_lifetime(borrow self)
    public func name(at index: Int) -> Span<UInt8> {
        let line = lines[index]
        return text.bytes.extracting(
            Int(line.nameStart)..<Int(line.nameStart) + Int(line.nameCount))
    }

    @_lifetime(borrow self)
    public func value(at index: Int) -> Span<UInt8> {
        let line = lines[index]
        return text.bytes.extracting(
            Int(line.valueStart)..<Int(line.valueStart) + Int(line.valueCount))
    }

    /// Index of the first field of that name, or nil.
    public func firstIndex(of known: KnownField) -> Int? {
        for index in lines.indices where lines[index].known == known { return index }
        return nil
    }

    /// How many fields of that name there are.
    public func count(of known: KnownField) -> Int {
        var found = 0
        for line in lines where line.known == known { found += 1 }
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
        let start = UInt32(truncatingIfNeeded: text.count)
        text.reserve(name.count)
        for index in name.indices {
            let byte = name[index]
            text.append(byte >= 65 && byte <= 90 ? byte | 32 : byte)
        }
        let known = KnownField(name: text.bytes.extracting(Int(start)..<text.count))
        beginValue(nameStart: start, known: known)
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

    public mutating func append(_ name: StaticString, _ value: String) {
        begin(nameParts: name, suffix: Span())
        text.append(value)
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

    public mutating func append(contentsOf other: borrowing Fields) {
        for index in 0..<other.count { append(other, at: index) }
    }

    public mutating func removeAll() {
        text.removeAll()
        lines.removeAll(keepingCapacity: true)
    }

    private mutating func append(name: Span<UInt8>, value: Span<UInt8>, known: KnownField) {
        let nameStart = UInt32(truncatingIfNeeded: text.count)
        text.append(name)
        let valueStart = UInt32(truncatingIfNeeded: text.count)
        text.append(value)
        lines.append(
            Line(
                nameStart: nameStart, valueStart: valueStart,
                valueCount: UInt32(truncatingIfNeeded: value.count),
                nameCount: UInt16(truncatingIfNeeded: name.count), known: known))
    }

    private mutating func begin(_ known: KnownField) {
        let start = UInt32(truncatingIfNeeded: text.count)
        text.append(known.text)
        beginValue(nameStart: start, known: known)
    }

    private mutating func begin(nameParts prefix: StaticString, suffix: Span<UInt8>) {
        let start = UInt32(truncatingIfNeeded: text.count)
        text.append(prefix)
        text.append(suffix)
        let known = KnownField(name: text.bytes.extracting(Int(start)..<text.count))
        beginValue(nameStart: start, known: known)
    }

    private mutating func beginValue(nameStart: UInt32, known: KnownField) {
        let valueStart = UInt32(truncatingIfNeeded: text.count)
        lines.append(
            Line(
                nameStart: nameStart, valueStart: valueStart, valueCount: 0,
                nameCount: UInt16(truncatingIfNeeded: valueStart - nameStart), known: known))
    }

    private mutating func endValue() {
        let last = lines.count - 1
        lines[last].valueCount = UInt32(truncatingIfNeeded: text.count) - lines[last].valueStart
    }
}
