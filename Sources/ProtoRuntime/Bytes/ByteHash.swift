/// A 64-bit fingerprint of bytes, for sets of map keys. Not the hash of the name tables.
///
/// Keyed, because the bytes come from a peer; equal bytes give equal prints, and the reverse is only
/// likely: who finds two equal prints compares the bytes.
public enum ByteHash {
    /// Drawn once per process.
    public static let seed = UInt64.random(in: .min ... .max)

    @inlinable
    public static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }

    @inlinable
    public static func print(of value: UInt64, seed: UInt64) -> UInt64 {
        mix(value ^ 0xa076_1d64_78bd_642f, seed ^ 0xe703_7ed1_a0b4_28db)
    }
}

extension ByteCursor {
    /// The fingerprint of the `count` bytes at the cursor.
    @inlinable
    public func fingerprint(count: Int, seed: UInt64) -> UInt64 {
        unsafe ByteCursor.fingerprint(base + position, count: count, seed: seed)
    }

    /// Reads up to seven bytes behind `start + count`.
    @unsafe
    @inlinable
    static func fingerprint(_ start: UnsafePointer<UInt8>, count: Int, seed: UInt64) -> UInt64 {
        var state = seed ^ UInt64(truncatingIfNeeded: count) &* 0x9e37_79b9_7f4a_7c15
        var left = count
        var here = unsafe UnsafeRawPointer(start)
        if count > 8, count <= 16 {
            // Most keys: two words that overlap, one multiplication.
            let low = unsafe here.loadUnaligned(as: UInt64.self)
            let high = unsafe (here + (count &- 8)).loadUnaligned(as: UInt64.self)
            return ByteHash.mix(low ^ state, high ^ (seed &* 0xe703_7ed1_a0b4_28db | 1))
        }
        while left > 8 {
            let word = unsafe here.loadUnaligned(as: UInt64.self)
            state = ByteHash.mix(state ^ word, 0xa076_1d64_78bd_642f)
            unsafe here += 8
            left &-= 8
        }
        if left > 0 {
            let word = unsafe UInt64(littleEndian: here.loadUnaligned(as: UInt64.self))
            let kept = word &<< UInt64(truncatingIfNeeded: 64 &- left &* 8)
            state = ByteHash.mix(state ^ kept, 0xe703_7ed1_a0b4_28db)
        }
        return ByteHash.mix(state, seed | 1)
    }
}

extension OutputBlock {
    /// The fingerprint of bytes written before.
    @inlinable
    public func fingerprint(_ range: Range<Int>, seed: UInt64) -> UInt64 {
        precondition(range.lowerBound >= 0 && range.upperBound <= storedCount && isAllocated)
        return unsafe ByteCursor.fingerprint(
            start + range.lowerBound, count: range.count, seed: seed)
    }
}
