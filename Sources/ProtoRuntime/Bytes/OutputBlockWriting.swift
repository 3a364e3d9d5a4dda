/// Hot appends. Those named `put` do not grow the block: the caller has reserved room for what it puts,
/// and they may overwrite up to 16 bytes behind it, which is what the slack is for. Built with CHECKED
/// each of them verifies its room.
extension OutputBlock {
    /// Makes room for `extra` more bytes, and says what stays cheap: one comparison when there is room.
    @inlinable
    public mutating func makeRoom(_ extra: Int) {
        if storedCapacity &- storedCount < extra { grow(extra) }
    }

    @inlinable
    public mutating func put(_ byte: UInt8) {
        verifyRoom(1)
        unsafe base.unsafelyUnwrapped[storedCount] = byte
        storedCount &+= 1
    }

    /// Puts the low `count` bytes of `word`, lowest first; `count` in 0...8.
    @inlinable
    public mutating func put(_ word: UInt64, count: Int) {
        verifyRoom(count)
        let target = unsafe UnsafeMutableRawPointer(base.unsafelyUnwrapped + storedCount)
        unsafe target.storeBytes(of: word.littleEndian, as: UInt64.self)
        storedCount &+= count
    }

    /// Puts the first `count` bytes of `vector`; `count` in 0...16.
    @inlinable
    public mutating func put(_ vector: SIMD16<UInt8>, count: Int) {
        verifyRoom(count)
        let target = unsafe UnsafeMutableRawPointer(base.unsafelyUnwrapped + storedCount)
        unsafe target.storeBytes(of: vector, as: SIMD16<UInt8>.self)
        storedCount &+= count
    }

    /// Puts the first `count` bytes of `vector` between quotes; `count` in 0...16.
    @inlinable
    public mutating func putQuoted(_ vector: SIMD16<UInt8>, count: Int) {
        verifyRoom(count &+ 2)
        let target = unsafe base.unsafelyUnwrapped + storedCount
        unsafe target[0] = 34
        unsafe UnsafeMutableRawPointer(target + 1).storeBytes(of: vector, as: SIMD16<UInt8>.self)
        unsafe target[count &+ 1] = 34
        storedCount &+= count &+ 2
    }

    /// Puts a field's tag, at most five bytes, by one store.
    @inlinable
    public mutating func putTag(_ tag: UInt64, count: UInt8) { put(tag, count: Int(count)) }

    /// Puts a varint: at most ten bytes.
    @inlinable
    public mutating func putVarint(_ value: UInt64) {
        if value < 128 {
            put(UInt8(truncatingIfNeeded: value))
        } else if value < 16_384 {
            put(value & 127 | 128 | (value &>> 7) &<< 8, count: 2)
        } else {
            putLongVarint(value)
        }
    }

    @usableFromInline
    mutating func putLongVarint(_ value: UInt64) {
        guard value < 1 << 56 else {
            var rest = value
            while rest >= 128 {
                put(UInt8(truncatingIfNeeded: rest) | 128)
                rest &>>= 7
            }
            put(UInt8(truncatingIfNeeded: rest))
            return
        }
        let count = (UInt64.bitWidth &- value.leadingZeroBitCount &+ 6) / 7
        var x = (value & 0x0fff_ffff) | (value & 0x00ff_ffff_f000_0000) &<< 4
        x = (x & 0x0000_3fff_0000_3fff) | (x & 0x0fff_c000_0fff_c000) &<< 2
        x = (x & 0x007f_007f_007f_007f) | (x & 0x3f80_3f80_3f80_3f80) &<< 1
        let more = UInt64(0x8080_8080_8080_8080) & ((1 &<< UInt64((count &- 1) &* 8)) &- 1)
        put(x | more, count: count)
    }

    @inlinable public mutating func putFixed32(_ value: UInt32) { put(UInt64(value), count: 4) }
    @inlinable public mutating func putFixed64(_ value: UInt64) { put(value, count: 8) }

    /// Puts `count` bytes of the tables' text, copied 16 at a time.
    @inlinable
    public mutating func putText(_ tables: DescriptorTables, at offset: UInt32, count: Int) {
        verifyRoom(count)
        let target = unsafe UnsafeMutableRawPointer(base.unsafelyUnwrapped + storedCount)
        let source = unsafe UnsafeRawPointer(tables.text + Int(offset))
        var done = 0
        repeat {
            let piece = unsafe (source + done).loadUnaligned(as: SIMD16<UInt8>.self)
            unsafe (target + done).storeBytes(of: piece, as: SIMD16<UInt8>.self)
            done &+= 16
        } while done < count
        storedCount &+= count
    }

    /// Reserves one byte for the length of what is put next, and says where it stands.
    @inlinable
    public mutating func beginLength() -> Int {
        let start = storedCount
        put(UInt8(0))
        return start
    }

    /// Fills in the length reserved at `start`; where one byte is too few the content moves up.
    @inlinable
    public mutating func endLength(at start: Int) {
        let length = storedCount &- start &- 1
        #if CHECKED
            precondition(start >= 0 && length >= 0, "OutputBlock.endLength before its start")
        #endif
        if length < 128 {
            unsafe base.unsafelyUnwrapped[start] = UInt8(truncatingIfNeeded: length)
        } else {
            widenLength(at: start)
        }
    }

    @usableFromInline
    mutating func widenLength(at start: Int) {
        let length = storedCount &- start &- 1
        let width = (Int.bitWidth &- length.leadingZeroBitCount &+ 6) / 7
        makeRoom(width &- 1)
        let content = unsafe base.unsafelyUnwrapped + (start &+ 1)
        unsafe (content + (width &- 1)).update(from: content, count: length)
        // Byte by byte: a wide store would overwrite the content behind the length.
        var rest = length
        for index in start..<start &+ width {
            let more: UInt8 = rest >= 128 ? 128 : 0
            unsafe base.unsafelyUnwrapped[index] = UInt8(truncatingIfNeeded: rest & 127) | more
            rest &>>= 7
        }
        storedCount = start &+ width &+ length
    }

    /// Opens a gap of `count` bytes at `offset` and fills it with the low bytes of `word`.
    public mutating func insert(_ word: UInt64, count: Int, at offset: Int) {
        precondition(offset >= 0 && offset <= storedCount && count >= 0 && count <= 8)
        makeRoom(count)
        guard let base = unsafe base else { return }
        let moved = storedCount &- offset
        unsafe (base + (offset &+ count)).update(from: base + offset, count: moved)
        var rest = word
        for index in 0..<count {
            unsafe base[offset &+ index] = UInt8(truncatingIfNeeded: rest)
            rest &>>= 8
        }
        storedCount &+= count
    }

    /// Removes the bytes of `range` by moving what stands behind them down.
    public mutating func remove(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= storedCount)
        guard let base = unsafe base, !range.isEmpty else { return }
        let moved = storedCount &- range.upperBound
        unsafe (base + range.lowerBound).update(from: base + range.upperBound, count: moved)
        storedCount &-= range.count
    }

    /// Whether there is memory behind the block; a cursor needs it.
    @inlinable public var isAllocated: Bool { unsafe base != nil }
    @inlinable var start: UnsafeMutablePointer<UInt8> { unsafe base.unsafelyUnwrapped }

    @inlinable
    func verifyRoom(_ count: Int) {
        #if CHECKED
            precondition(
                count >= 0 && storedCount + count <= storedCapacity && isAllocated,
                "OutputBlock.put without room")
        #endif
    }
}

extension OutputBlock {
    /// Appends `count` zero bytes.
    public mutating func appendZeros(_ count: Int) {
        precondition(count >= 0, "OutputBlock.appendZeros of a negative count")
        makeRoom(count)
        guard let base = unsafe base else { return }
        unsafe (base + storedCount).update(repeating: 0, count: count)
        storedCount &+= count
    }
}
