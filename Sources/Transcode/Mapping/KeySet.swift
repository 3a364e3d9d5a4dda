import ProtoRuntime

/// Fingerprints of the keys of one map: sixteen in place, from there on an open-addressed table in the pass's scratch
/// bytes, so that no map takes memory of its own and 100,000 keys stay linear.
///
/// Maps nest, and so do their tables: the innermost stands last in the scratch bytes and is released first.
struct KeySet {
    static var seed: UInt64 { ByteHash.seed }

    private var few = InlineArray<16, UInt64>(repeating: 0)
    private var count = 0
    /// Slots of eight bytes, a power of two, 0 empty; at most half of them used. 0 while there is no table.
    private var slotCount = 0
    /// Where the table starts in the scratch bytes, and where the first one did.
    private var start = 0
    private var mark = 0

    /// Adds a fingerprint; false if it was there.
    mutating func insert(_ fingerprint: UInt64, in scratch: inout OutputBlock) -> Bool {
        let wanted = fingerprint | 1
        guard slotCount == 0 else { return insertMany(wanted, in: &scratch) }
        for index in 0..<count where few[index] == wanted { return false }
        guard count == 16 else {
            few[count] = wanted
            count += 1
            return true
        }
        if !scratch.isAllocated { scratch = SpareBlock.take() }
        mark = scratch.count
        grow(to: 64, in: &scratch)
        return insertMany(wanted, in: &scratch)
    }

    /// Gives the table's room back.
    func release(_ scratch: inout OutputBlock) {
        if slotCount > 0 { scratch.truncate(to: mark) }
    }

    @inline(never)
    private mutating func insertMany(_ wanted: UInt64, in scratch: inout OutputBlock) -> Bool {
        if count * 2 >= slotCount { grow(to: slotCount * 2, in: &scratch) }
        guard place(wanted, in: &scratch) else { return false }
        count += 1
        return true
    }

    private func place(_ wanted: UInt64, in scratch: inout OutputBlock) -> Bool {
        var slot = Int(truncatingIfNeeded: wanted &>> 20) & (slotCount - 1)
        while true {
            let found = scratch.word(at: start + slot * 8)
            if found == wanted { return false }
            if found == 0 {
                scratch.overwrite(at: start + slot * 8, with: wanted)
                return true
            }
            slot = (slot + 1) & (slotCount - 1)
        }
    }

    /// Makes a table of that many slots behind the present one, whose room stays unused until the release.
    private mutating func grow(to size: Int, in scratch: inout OutputBlock) {
        let old = (start: start, count: slotCount)
        start = scratch.count
        slotCount = size
        scratch.appendZeros(size * 8)
        if old.count == 0 {
            for index in 0..<count { _ = place(few[index], in: &scratch) }
        }
        for slot in 0..<old.count {
            let value = scratch.word(at: old.start + slot * 8)
            if value != 0 { _ = place(value, in: &scratch) }
        }
    }
}
