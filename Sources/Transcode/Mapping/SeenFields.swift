import ProtoRuntime

/// Which fields (by ordinal) and oneofs (behind the fields) of one message have come.
struct SeenFields {
    var low: UInt64 = 0
    /// Where the bits from 64 on stand in the pass's scratch bytes; -1 when there are none.
    var high = -1

    func contains(_ bit: Int) -> Bool { low & (1 &<< UInt64(truncatingIfNeeded: bit)) != 0 }
}

extension JSONToProtoPass {
    /// Adds room for the bits that do not fit in a word.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func widen(_ seen: inout SeenFields, for entry: MessageEntry) {
        needScratch()
        seen.high = scratch.count
        scratch.appendZeros((Int(entry.fieldCount) + Int(entry.oneofCount) - 64 + 7) / 8)
    }

    /// Adds a bit; false if it was there.
    @inline(__always)
    @_lifetime(self: copy self)
    mutating func insert(_ bit: Int, into seen: inout SeenFields) -> Bool {
        guard bit < 64 else { return insertHigh(bit &- 64, seen) }
        let mask: UInt64 = 1 &<< UInt64(truncatingIfNeeded: bit)
        let isNew = seen.low & mask == 0
        seen.low |= mask
        return isNew
    }

    @inline(never)
    @_lifetime(self: copy self)
    private mutating func insertHigh(_ bit: Int, _ seen: SeenFields) -> Bool {
        let offset = seen.high &+ bit &>> 3
        let mask = UInt8(1) &<< UInt8(truncatingIfNeeded: bit & 7)
        let byte = scratch[offset]
        scratch.overwrite(at: offset, with: byte | mask)
        return byte & mask == 0
    }

    func contains(_ bit: Int, _ seen: SeenFields) -> Bool {
        guard bit >= 64 else { return seen.contains(bit) }
        let rest = bit &- 64
        return scratch[seen.high &+ rest &>> 3] & (1 &<< UInt8(truncatingIfNeeded: rest & 7)) != 0
    }

    /// Fails if a required field has not come.
    @inline(never)
    @_lifetime(self: copy self)
    mutating func checkRequired(
        _ entry: MessageEntry, _ seen: SeenFields, at start: Int
    ) throws(JSONFault) {
        for ordinal in 0..<entry.fieldCount where !contains(Int(ordinal), seen) {
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
