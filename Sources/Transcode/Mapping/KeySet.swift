import ProtoRuntime

/// Fingerprints of the keys of one map: sixteen in place, an open-addressed table from there on, so that
/// ordinary maps take no memory and 100,000 keys stay linear.
struct KeySet {
    static var seed: UInt64 { ByteHash.seed }

    private var few = InlineArray<16, UInt64>(repeating: 0)
    private var count = 0
    /// Power-of-two slots, 0 empty; at most half of them used.
    private var many: [UInt64] = []

    /// Adds a fingerprint; false if it was there.
    mutating func insert(_ fingerprint: UInt64) -> Bool {
        let wanted = fingerprint | 1
        if many.isEmpty {
            for index in 0..<count where few[index] == wanted { return false }
            if count < 16 {
                few[count] = wanted
                count += 1
                return true
            }
            grow(to: 64)
        } else if count * 2 >= many.count {
            grow(to: many.count * 2)
        }
        return insertMany(wanted)
    }

    private mutating func insertMany(_ wanted: UInt64) -> Bool {
        let mask = many.count - 1
        var slot = Int(truncatingIfNeeded: wanted &>> 20) & mask
        while many[slot] != 0 {
            if many[slot] == wanted { return false }
            slot = (slot + 1) & mask
        }
        many[slot] = wanted
        count += 1
        return true
    }

    private mutating func grow(to size: Int) {
        let old = many
        many = [UInt64](repeating: 0, count: size)
        let kept = count
        count = 0
        if old.isEmpty {
            for index in 0..<kept { _ = insertMany(few[index]) }
        } else {
            for value in old where value != 0 { _ = insertMany(value) }
        }
    }
}
