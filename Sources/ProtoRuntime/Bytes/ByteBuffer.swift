/// A first-in first-out run of bytes: appended behind, consumed in front. One owner, reused for many calls.
public struct ByteBuffer: ~Copyable {
    /// The storage; bytes before `start` are consumed.
    @usableFromInline var block = OutputBlock()
    @usableFromInline var start = 0

    @inlinable public init() {}

    /// How many bytes wait to be consumed.
    @inlinable public var count: Int { block.count - start }
    @inlinable public var isEmpty: Bool { block.count == start }
    @inlinable public var capacity: Int { block.capacity }

    /// The bytes not consumed yet.
    @inlinable
    public var readable: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            block.bytes.extracting(start..<block.count)
        }
    }

    /// Drops `count` bytes from the front. An emptied buffer starts again at its beginning.
    @inlinable
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "ByteBuffer.consume past the end")
        start += count
        if start == block.count { removeAll() }
    }

    /// Copies the first `count` bytes to `target`, which has room for them, and consumes them.
    @unsafe
    public mutating func moveFirst(_ count: Int, to target: UnsafeMutablePointer<UInt8>) {
        precondition(count >= 0 && count <= self.count, "ByteBuffer.moveFirst past the end")
        unsafe block.copy(start..<start + count, to: target)
        consume(count)
    }

    /// Copies `count` bytes from `offset` on to `target`, which has room for them, and consumes nothing.
    @unsafe
    public func copy(_ count: Int, from offset: Int, to target: UnsafeMutablePointer<UInt8>) {
        precondition(
            count >= 0 && offset >= 0 && offset <= self.count && count <= self.count - offset,
            "ByteBuffer.copy past the end")
        unsafe block.copy(start + offset..<start + offset + count, to: target)
    }

    @inlinable
    public mutating func removeAll() {
        block.removeAll()
        start = 0
    }

    @inlinable
    public mutating func append(_ bytes: Span<UInt8>) {
        compact(for: bytes.count)
        block.append(bytes)
    }

    @inlinable
    public mutating func append(_ byte: UInt8) {
        compact(for: 1)
        block.append(byte)
    }

    @inlinable public mutating func append(_ text: StaticString) { block.append(text) }
    public mutating func append(text: String) { block.append(text: text) }

    /// Lends the block to a codec that appends to it; `body` must not remove what was there.
    @inlinable
    public mutating func withBlock<R: ~Copyable, E: Error>(
        _ body: (inout OutputBlock) throws(E) -> R
    ) throws(E) -> R {
        compact(for: block.capacity)
        return try body(&block)
    }

    /// Gives large memory back once everything was consumed.
    public mutating func shrink(toAtMost limit: Int) {
        if isEmpty { block.shrink(toAtMost: limit) }
    }

    /// Moves the rest to the front when that avoids growing, and at least as much was consumed.
    @inlinable
    mutating func compact(for extra: Int) {
        if start > 0, extra > block.capacity - block.count, start >= count {
            block.removeFirst(start)
            start = 0
        }
    }
}
