// What a message is written with: extensions of the block that every codec appends to. Spec: protobuf Encoding.

extension OutputBlock {
    /// Appends 1 to 10 bytes, seven bits each, lowest first.
    @inlinable
    public mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    @inlinable
    public mutating func appendTag(_ number: Int32, _ type: WireType) {
        appendVarint(UInt64(WireTag(number: number, type: type).encoded))
    }

    @inlinable
    public mutating func appendFixed32(_ value: UInt32) {
        for index in 0..<4 { append(UInt8(truncatingIfNeeded: value &>> UInt32(8 &* index))) }
    }

    @inlinable
    public mutating func appendFixed64(_ value: UInt64) {
        for index in 0..<8 { append(UInt8(truncatingIfNeeded: value &>> UInt64(8 &* index))) }
    }

    @inlinable
    public mutating func appendZigZag(_ value: Int32) {
        appendVarint(UInt64(ZigZag.encode(value)))
    }

    @inlinable
    public mutating func appendZigZag(_ value: Int64) { appendVarint(ZigZag.encode(value)) }

    /// Appends what `body` appends, with its length before it: one byte is kept free, and what was written moves up
    /// only when its length needs more.
    @inlinable
    public mutating func appendLengthPrefixed<E: Error>(
        _ body: (inout OutputBlock) throws(E) -> Void
    ) throws(E) {
        let prefix = count
        append(0)
        try body(&self)
        closeLength(at: prefix)
    }

    /// Writes at `prefix`, where one byte is free, how many bytes stand behind it.
    @usableFromInline
    mutating func closeLength(at prefix: Int) {
        let length = count - prefix - 1
        precondition(length >= 0, "a message writer removed what was there before")
        var extra = 0
        while length >> (7 * (extra + 1)) > 0 { extra += 1 }
        shiftUp(from: prefix + 1, by: extra)
        var rest = length
        for index in 0..<extra {
            overwrite(at: prefix + index, with: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        overwrite(at: prefix + extra, with: UInt8(truncatingIfNeeded: rest))
    }

    /// Moves the bytes from `start` on up by `distance`; what lies between keeps stale bytes.
    private mutating func shiftUp(from start: Int, by distance: Int) {
        guard distance > 0 else { return }
        let end = count
        for _ in 0..<distance { append(0) }
        var index = end
        while index > start {
            index -= 1
            overwrite(at: index + distance, with: self[index])
        }
    }
}

// MARK: - Whole fields

extension OutputBlock {
    /// int32, int64, uint32, uint64, enum and bool; negative numbers take ten bytes.
    @inlinable
    public mutating func appendField(_ number: Int32, varint value: UInt64) {
        appendTag(number, .varint)
        appendVarint(value)
    }

    @inlinable
    public mutating func appendField(_ number: Int32, int64 value: Int64) {
        appendField(number, varint: UInt64(bitPattern: value))
    }

    @inlinable
    public mutating func appendField(_ number: Int32, bool value: Bool) {
        appendField(number, varint: value ? 1 : 0)
    }

    @inlinable
    public mutating func appendField(_ number: Int32, double value: Double) {
        appendTag(number, .fixed64)
        appendFixed64(value.bitPattern)
    }

    @inlinable
    public mutating func appendField(_ number: Int32, float value: Float) {
        appendTag(number, .fixed32)
        appendFixed32(value.bitPattern)
    }

    @inlinable
    public mutating func appendField(_ number: Int32, bytes value: Span<UInt8>) {
        appendTag(number, .lengthDelimited)
        appendVarint(UInt64(value.count))
        append(value)
    }

    public mutating func appendField(_ number: Int32, string value: String) {
        appendTag(number, .lengthDelimited)
        appendVarint(UInt64(value.utf8.count))
        append(text: value)
    }

    /// Appends a nested message whose fields `body` appends.
    @inlinable
    public mutating func appendField<E: Error>(
        _ number: Int32, message body: (inout OutputBlock) throws(E) -> Void
    ) throws(E) {
        appendTag(number, .lengthDelimited)
        try appendLengthPrefixed(body)
    }
}
