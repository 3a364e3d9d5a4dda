/// Growable bytes that one owner fills from the end: the output side of every codec.
///
/// Invariants: `base` points at `capacity + slack` allocated bytes (nil only while `capacity == 0`);
/// `0 <= count <= capacity`. The slack lets a wide load or store start at any position up to `count`
/// without an end check; what a load finds behind `count` means nothing until `seal` zeroes it for
/// readers that rely on a terminator. Built with CHECKED every unchecked access below is verified.
@safe
public struct OutputBlock: ~Copyable {
    /// Bytes past `count` that may always be read or overwritten.
    public static let slack = 64

    @usableFromInline var base: UnsafeMutablePointer<UInt8>?
    @usableFromInline var storedCapacity: Int
    @usableFromInline var storedCount: Int

    /// An empty block; allocates nothing until the first append.
    @inlinable
    public init() {
        unsafe base = nil
        storedCapacity = 0
        storedCount = 0
    }

    public init(capacity: Int) {
        self.init()
        reserve(capacity)
    }

    deinit {
        if let base = unsafe base { unsafe base.deallocate() }
    }

    @inlinable public var count: Int { storedCount }
    @inlinable public var capacity: Int { storedCapacity }
    @inlinable public var isEmpty: Bool { storedCount == 0 }

    /// The bytes written so far.
    @inlinable
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            guard let base = unsafe base else { return Span() }
            let span = unsafe Span(_unsafeStart: UnsafePointer(base), count: storedCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Makes room for `extra` more bytes; what is stored stays.
    @inlinable
    public mutating func reserve(_ extra: Int) {
        if extra > storedCapacity - storedCount { grow(extra) }
    }

    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.unsafelyUnwrapped[storedCount] = byte
        storedCount += 1
    }

    @inlinable
    public mutating func append(_ bytes: Span<UInt8>) {
        let added = bytes.count
        guard added > 0 else { return }
        reserve(added)
        let target = unsafe base.unsafelyUnwrapped + storedCount
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe target.update(from: source.baseAddress.unsafelyUnwrapped, count: added)
        }
        storedCount += added
    }

    /// Appends ASCII letters in lower case, all else as it is: 8 bytes at a time, the last of which may lie in the
    /// slack.
    public mutating func append(lowercasing bytes: Span<UInt8>) {
        let start = storedCount
        append(bytes)
        guard let base = unsafe base else { return }
        var offset = start
        while offset < storedCount {
            let place = unsafe UnsafeMutableRawPointer(base + offset)
            let piece = unsafe place.loadUnaligned(as: UInt64.self)
            // The top bit of each byte that is at least `A`, and of each that is behind `Z`.
            let low = piece & 0x7F7F_7F7F_7F7F_7F7F
            let fromA = low &+ 0x3F3F_3F3F_3F3F_3F3F
            let behindZ = low &+ 0x2525_2525_2525_2525
            let isUpper = (fromA ^ behindZ) & ~piece & 0x8080_8080_8080_8080
            unsafe place.storeBytes(of: piece | isUpper >> 2, as: UInt64.self)
            offset &+= 8
        }
    }

    @inlinable
    public mutating func append(_ text: StaticString) {
        let added = text.utf8CodeUnitCount
        guard added > 0 else { return }
        reserve(added)
        unsafe (base.unsafelyUnwrapped + storedCount).update(from: text.utf8Start, count: added)
        storedCount += added
    }

    /// Appends a string that is made at run time. Its label keeps literals, which would be strings by default and count
    /// references, with `StaticString`.
    public mutating func append(text: String) {
        var text = text
        text.withUTF8 { utf8 in
            guard let start = utf8.baseAddress, utf8.count > 0 else { return }
            reserve(utf8.count)
            unsafe (base.unsafelyUnwrapped + storedCount).update(from: start, count: utf8.count)
            storedCount += utf8.count
        }
    }

    /// Forgets what stands at `count...`; `count` must not exceed the present one.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= storedCount, "OutputBlock.truncate past the end")
        storedCount = count
    }

    @inlinable public mutating func removeAll() { storedCount = 0 }

    /// Gives the memory back, for a block that grew beyond `limit` bytes.
    public mutating func shrink(toAtMost limit: Int) {
        guard storedCapacity > limit, storedCount == 0 else { return }
        if let base = unsafe base { unsafe base.deallocate() }
        unsafe base = nil
        storedCapacity = 0
    }

    /// Zeroes the slack behind the bytes, so that a reader may rely on a terminator and on wide loads.
    @inlinable
    public mutating func seal() {
        reserve(0)
        if unsafe base == nil { grow(1) }
        unsafe (base.unsafelyUnwrapped + storedCount).update(repeating: 0, count: OutputBlock.slack)
    }

    /// Removes the first `count` bytes by moving the rest down.
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= storedCount, "OutputBlock.removeFirst past the end")
        guard count > 0, let base = unsafe base else { return }
        storedCount -= count
        unsafe base.update(from: base + count, count: storedCount)
    }

    /// Copies a range of the bytes to `target`, which has room for them.
    @unsafe
    func copy(_ range: Range<Int>, to target: UnsafeMutablePointer<UInt8>) {
        precondition(range.upperBound <= storedCount, "OutputBlock.copy past the end")
        guard let base = unsafe base, !range.isEmpty else { return }
        unsafe target.update(from: base + range.lowerBound, count: range.count)
    }

    /// Overwrites bytes that were written before, such as a length prefix.
    @inlinable
    public mutating func overwrite(at offset: Int, with byte: UInt8) {
        precondition(offset >= 0 && offset < storedCount, "OutputBlock.overwrite past the end")
        unsafe base.unsafelyUnwrapped[offset] = byte
    }

    /// Eight bytes that were written before, lowest first.
    @inlinable
    public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= storedCount - 8, "OutputBlock read past the end")
        let source = unsafe UnsafeRawPointer(base.unsafelyUnwrapped + offset)
        return unsafe UInt64(littleEndian: source.loadUnaligned(as: UInt64.self))
    }

    /// Overwrites eight bytes that were written before.
    @inlinable
    public mutating func overwrite(at offset: Int, with word: UInt64) {
        precondition(
            offset >= 0 && offset <= storedCount - 8, "OutputBlock.overwrite past the end")
        let target = unsafe UnsafeMutableRawPointer(base.unsafelyUnwrapped + offset)
        unsafe target.storeBytes(of: word.littleEndian, as: UInt64.self)
    }

    @inlinable
    public subscript(offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < storedCount, "OutputBlock read past the end")
        return unsafe base.unsafelyUnwrapped[offset]
    }

    /// Appends at most `room` bytes that `fill` writes itself (a system call, say) and reports how many.
    @unsafe
    @inlinable
    public mutating func append<E: Error>(
        atMost room: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
    ) throws(E) -> Int {
        reserve(room)
        let target = unsafe UnsafeMutableRawBufferPointer(
            start: base.unsafelyUnwrapped + storedCount, count: room)
        let added = unsafe try fill(target)
        precondition(added >= 0 && added <= room, "OutputBlock filled past its room")
        storedCount += added
        return added
    }

    @usableFromInline
    @inline(never)
    mutating func grow(_ extra: Int) {
        let wanted = max(storedCount + extra, storedCapacity * 2, 256)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted + OutputBlock.slack)
        if let base = unsafe base {
            unsafe grown.update(from: base, count: storedCount)
            unsafe base.deallocate()
        }
        unsafe (grown + storedCount).update(repeating: 0, count: OutputBlock.slack)
        unsafe base = grown
        storedCapacity = wanted
    }
}
