/// An immutable set of byte strings, each with its index: built once, then looked up without allocation.
///
/// Open addressing over flat arrays. The hash is a simple one, since its keys come from the configuration and not
/// from a peer, so that a peer cannot make look-ups slow.
public struct NameTable: Sendable {
    private struct Slot {
        var hash: UInt32
        var offset: Int32
        var length: Int32
        /// -1 marks a free slot.
        var index: Int32
    }

    private let text: [UInt8]
    private let slots: [Slot]
    private let mask: UInt32
    private let foldsCase: Bool
    public let count: Int

    /// A name that comes twice keeps its first index. With `foldsCase` ASCII letters match in either case.
    public init(_ names: [[UInt8]], foldsCase: Bool = false) {
        var text: [UInt8] = []
        var capacity = 4
        while capacity < names.count * 2 { capacity *= 2 }
        let mask = UInt32(capacity - 1)
        let free = Slot(hash: 0, offset: 0, length: 0, index: -1)
        var slots = [Slot](repeating: free, count: capacity)
        for (index, name) in names.enumerated() {
            let name = foldsCase ? name.map(NameTable.lowercased) : name
            let hash = NameTable.hash(name.span, foldsCase: false)
            var slot = hash & mask
            var isKnown = false
            while slots[Int(slot)].index >= 0 {
                let other = slots[Int(slot)]
                let end = Int(other.offset + other.length)
                isKnown = text[Int(other.offset)..<end].elementsEqual(name)
                if isKnown { break }
                slot = (slot + 1) & mask
            }
            if isKnown { continue }
            slots[Int(slot)] = Slot(
                hash: hash, offset: Int32(text.count), length: Int32(name.count),
                index: Int32(index))
            text += name
        }
        self.text = text
        self.slots = slots
        self.mask = mask
        self.foldsCase = foldsCase
        count = names.count
    }

    public init(_ names: [String], foldsCase: Bool = false) {
        self.init(names.map { Array($0.utf8) }, foldsCase: foldsCase)
    }

    /// The index of `name`; -1 when it is not in the table.
    public func index(of name: Span<UInt8>) -> Int32 {
        let hash = NameTable.hash(name, foldsCase: foldsCase)
        var slot = hash & mask
        while true {
            let candidate = slots[Int(slot)]
            if candidate.index < 0 { return -1 }
            if candidate.hash == hash, Int(candidate.length) == name.count,
                isEqual(name, at: Int(candidate.offset))
            {
                return candidate.index
            }
            slot = (slot &+ 1) & mask
        }
    }

    public func contains(_ name: Span<UInt8>) -> Bool { index(of: name) >= 0 }

    /// Nearly all names come in the table's own case: they are compared as a whole first.
    private func isEqual(_ name: Span<UInt8>, at offset: Int) -> Bool {
        if name.isEqual(to: text.span.extracting(offset..<offset + name.count)) { return true }
        guard foldsCase else { return false }
        for index in name.indices
        where NameTable.lowercased(name[index]) != text[offset &+ index] {
            return false
        }
        return true
    }

    static func hash(_ name: Span<UInt8>, foldsCase: Bool) -> UInt32 {
        var hash = NameTable.hashSeed
        if foldsCase {
            for index in name.indices {
                hash = mix(hash, lowercased(name[index]))
            }
        } else {
            for index in name.indices {
                hash = mix(hash, name[index])
            }
        }
        return finish(hash)
    }

    static var hashSeed: UInt32 { 0x811C_9DC5 }

    /// Takes one byte: two cycles, where a multiplication would take four.
    @inline(__always)
    static func mix(_ hash: UInt32, _ byte: UInt8) -> UInt32 {
        (hash &<< 5 | hash &>> 27) ^ UInt32(byte)
    }

    @inline(__always)
    static func finish(_ hash: UInt32) -> UInt32 {
        let mixed = hash &* 0x9E37_79B1
        return mixed ^ mixed &>> 15
    }

    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
