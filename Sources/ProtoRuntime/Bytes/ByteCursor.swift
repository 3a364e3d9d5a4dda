/// A forward cursor over part of an `OutputBlock`: the input side of every hot codec.
///
/// Invariants: `base` points at the block's bytes, which do not move while the cursor lives (it borrows
/// the block); `0 <= offset`, `end <= block.count`, and `offset <= end + 16`: a reader of sealed text never
/// passes `end`, because it consumes only bytes that it saw not to be NUL; a reader of wire bytes may run
/// over `end` by one varint and must compare `offset` with its limit before it uses what it read. Every
/// load starts at most 32 bytes behind `end` and is at most 16 bytes wide, so it stays inside the block's
/// slack. Built with CHECKED all of this is verified at every access.
@safe
public struct ByteCursor: ~Escapable {
    @usableFromInline let base: UnsafePointer<UInt8>
    /// Where the next byte is read, counted from the start of the block.
    @usableFromInline var position: Int
    /// Where the range ends, counted from the start of the block.
    public let end: Int

    /// A cursor over `block[range]`; `block` must have been written to or sealed at least once.
    @inlinable
    @_lifetime(borrow block)
    public init(_ block: borrowing OutputBlock, in range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= block.count && block.isAllocated,
            "ByteCursor outside its block")
        unsafe base = UnsafePointer(block.start)
        position = range.lowerBound
        end = range.upperBound
    }

    @inlinable public var offset: Int { position }
    @inlinable public var isAtEnd: Bool { position >= end }

    /// The byte at the cursor; at the end of sealed text it is NUL.
    @inlinable public var byte: UInt8 {
        verify(0, 1)
        return unsafe base[position]
    }

    /// The byte `ahead` of the cursor, `ahead <= 16`.
    @inlinable
    public func byte(ahead: Int) -> UInt8 {
        verify(ahead, 1)
        return unsafe base[position &+ ahead]
    }

    /// A byte that was passed before.
    @inlinable
    public func byte(at offset: Int) -> UInt8 {
        #if CHECKED
            precondition(offset >= 0 && offset <= end, "ByteCursor read outside")
        #endif
        return unsafe base[offset]
    }

    /// Eight bytes, lowest address lowest, of which those past the end mean nothing.
    @inlinable
    public func word(ahead: Int = 0) -> UInt64 {
        verify(ahead, 8)
        let address = unsafe UnsafeRawPointer(base + (position &+ ahead))
        return unsafe UInt64(littleEndian: address.loadUnaligned(as: UInt64.self))
    }

    /// Four bytes, lowest address lowest.
    @inlinable public var word32: UInt32 {
        verify(0, 4)
        let address = unsafe UnsafeRawPointer(base + position)
        return unsafe UInt32(littleEndian: address.loadUnaligned(as: UInt32.self))
    }

    /// Sixteen bytes, of which those past the end mean nothing.
    @inlinable public var vector: SIMD16<UInt8> {
        verify(0, 16)
        let address = unsafe UnsafeRawPointer(base + position)
        return unsafe address.loadUnaligned(as: SIMD16<UInt8>.self)
    }

    /// Sixteen bytes that start `ahead` of the cursor, `ahead <= 16`.
    @inlinable
    public func vector(ahead: Int) -> SIMD16<UInt8> {
        verify(ahead, 16)
        let address = unsafe UnsafeRawPointer(base + (position &+ ahead))
        return unsafe address.loadUnaligned(as: SIMD16<UInt8>.self)
    }

    /// Moves on by `count` bytes.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func advance(_ count: Int) {
        position &+= count
        #if CHECKED
            precondition(count >= 0 && position <= end + 16, "ByteCursor advanced past the end")
        #endif
    }

    /// Goes to a place that was passed or found before.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func move(to offset: Int) {
        #if CHECKED
            precondition(offset >= 0 && offset <= end, "ByteCursor moved past the end")
        #endif
        position = offset
    }

    /// Bytes that lie before `end`, without a copy.
    @inlinable
    @_lifetime(copy self)
    public func span(from start: Int, to stop: Int) -> Span<UInt8> {
        precondition(start >= 0 && start <= stop && stop <= end, "ByteCursor.span outside")
        let span = unsafe Span(_unsafeStart: base + start, count: stop &- start)
        return unsafe _overrideLifetime(span, copying: self)
    }

    /// Whether the next `count` bytes are those of the tables' text at `textOffset`; `count` in 1...
    @inlinable
    public func matches(_ tables: DescriptorTables, at textOffset: UInt32, count: Int) -> Bool {
        var text = unsafe UnsafeRawPointer(tables.text + Int(textOffset))
        var here = unsafe UnsafeRawPointer(base + position)
        if count <= 16 {
            // Two words that overlap, or one of which the rest does not count.
            let first =
                unsafe here.loadUnaligned(as: UInt64.self) ^ text.loadUnaligned(as: UInt64.self)
            guard count > 8 else {
                return UInt64(littleEndian: first)
                    &<< UInt64(truncatingIfNeeded: 64 &- count &* 8) == 0
            }
            let rest = count &- 8
            let last =
                unsafe (here + rest).loadUnaligned(as: UInt64.self)
                ^ (text + rest).loadUnaligned(as: UInt64.self)
            return first | last == 0
        }
        var left = count
        while left > 8 {
            #if CHECKED
                precondition(unsafe here - UnsafeRawPointer(base) <= end + 32)
            #endif
            if unsafe here.loadUnaligned(as: UInt64.self) != text.loadUnaligned(as: UInt64.self) {
                return false
            }
            left &-= 8
            unsafe text += 8
            unsafe here += 8
        }
        let difference =
            unsafe UInt64(littleEndian: here.loadUnaligned(as: UInt64.self))
            ^ UInt64(littleEndian: text.loadUnaligned(as: UInt64.self))
        return difference &<< UInt64(truncatingIfNeeded: 64 &- left &* 8) == 0
    }

    @inlinable
    func verify(_ ahead: Int, _ width: Int) {
        #if CHECKED
            precondition(
                ahead >= 0 && position >= 0 && position + ahead <= end + 32 && width <= 16,
                "ByteCursor read past its slack")
        #endif
    }
}
