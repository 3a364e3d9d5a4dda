import ProtoRuntime

/// Which fields (by ordinal) and oneofs of one message have come. Most members come in order, and then `end` alone has
/// to be kept.
struct SeenFields {
    /// Where the message starts.
    let start: Int
    /// One more than the greatest ordinal that has come.
    var end: Int32 = 0
    /// Bits of the ordinals below `end` and below 64 that have not come.
    var missing: UInt64 = 0
    /// Bits of the oneofs below 64 of which a member has come.
    var oneofs: UInt64 = 0
    /// Where in the pass's scratch bytes the other bits stand, those of ordinals first; -1 while there are none.
    var high = -1

    init(start: Int) { self.start = start }
}

extension JSONToProtoPass {
    /// Takes a field that is not the one behind the last; false if it has come before.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func take(
        _ ordinal: Int32, _ seen: inout SeenFields, _ entry: MessageEntry
    ) -> Bool {
        guard ordinal < seen.end else {
            markMissing(Int(seen.end)..<Int(ordinal), &seen, entry)
            seen.end = ordinal &+ 1
            return true
        }
        guard ordinal >= 64 else {
            let mask: UInt64 = 1 &<< UInt64(truncatingIfNeeded: ordinal)
            defer { seen.missing &= ~mask }
            return seen.missing & mask != 0
        }
        guard seen.high >= 0 else { return false }
        return exchange(Int(ordinal) &- 64, seen, to: false)
    }

    /// Takes a oneof's member; false if one has come before.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func take(
        oneof: Int16, _ seen: inout SeenFields, _ entry: MessageEntry
    ) -> Bool {
        guard oneof >= 64 else {
            let mask: UInt64 = 1 &<< UInt64(truncatingIfNeeded: oneof)
            defer { seen.oneofs |= mask }
            return seen.oneofs & mask == 0
        }
        widen(&seen, entry)
        let first = max(0, Int(entry.fieldCount) &- 64)
        return !exchange(first &+ Int(oneof) &- 64, seen, to: true)
    }

    private mutating func markMissing(
        _ ordinals: Range<Int>, _ seen: inout SeenFields, _ entry: MessageEntry
    ) {
        for ordinal in ordinals.prefix(64) where ordinal < 64 {
            seen.missing |= 1 &<< UInt64(truncatingIfNeeded: ordinal)
        }
        guard ordinals.upperBound > 64 else { return }
        widen(&seen, entry)
        var bit = max(ordinals.lowerBound, 64) &- 64
        let end = ordinals.upperBound &- 64
        while bit < end {
            if bit & 7 == 0, end &- bit >= 8 {
                scratch.overwrite(at: seen.high &+ bit &>> 3, with: 255 as UInt8)
                bit &+= 8
            } else {
                _ = exchange(bit, seen, to: true)
                bit &+= 1
            }
        }
    }

    /// Makes room for the bits that do not fit in words, all of them zero.
    private mutating func widen(_ seen: inout SeenFields, _ entry: MessageEntry) {
        guard seen.high < 0 else { return }
        needScratch()
        seen.high = scratch.count
        let bits = max(0, Int(entry.fieldCount) &- 64) &+ max(0, Int(entry.oneofCount) &- 64)
        scratch.appendZeros((bits &+ 7) / 8)
    }

    /// Sets a bit of the scratch bytes and returns what it was.
    private mutating func exchange(_ bit: Int, _ seen: SeenFields, to isSet: Bool) -> Bool {
        let offset = seen.high &+ bit &>> 3
        let mask = UInt8(1) &<< UInt8(truncatingIfNeeded: bit & 7)
        let byte = scratch[offset]
        scratch.overwrite(at: offset, with: isSet ? byte | mask : byte & ~mask)
        return byte & mask != 0
    }

    private func contains(_ ordinal: Int32, _ seen: SeenFields) -> Bool {
        guard ordinal < seen.end else { return false }
        if ordinal < 64 {
            return seen.missing & (1 &<< UInt64(truncatingIfNeeded: ordinal)) == 0
        }
        guard seen.high >= 0 else { return true }
        let bit = Int(ordinal) &- 64
        return scratch[seen.high &+ bit &>> 3] & (1 &<< UInt8(truncatingIfNeeded: bit & 7)) == 0
    }

    /// Fails if a required field has not come.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func checkRequired(
        _ entry: MessageEntry, _ seen: SeenFields, at start: Int
    ) throws(JSONFault) {
        for ordinal in 0..<entry.fieldCount where !contains(ordinal, seen) {
            try requireValue(entry.firstField &+ ordinal, at: start)
        }
    }

    /// Fails if a field that turns out to have no value is required; `start` is its message's.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func requireValue(_ field: Int32, at start: Int) throws(JSONFault) {
        guard tables.field(field).flags.contains(.required), anyDepth == 0 else { return }
        self.field = field
        throw fail(.missingRequired, at: start)
    }
}
