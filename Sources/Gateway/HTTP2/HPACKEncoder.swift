import ProtoRuntime
import Transcode

/// Field lists to header blocks: HPACK (RFC 7541), the sending direction of one connection. Pure.
///
///     dynamic table     oldest ······················ newest
///     number            inserted - live ············· inserted - 1        counts on, and wraps
///     index (§2.3.3)    61 + live ··················· 62
///
/// nghttp2 can do it too, at 600 instructions a field: it copies and counts references, hashes names, keeps paths out of
/// its table and gives every other text a Huffman code. Here a field takes 100; texts go as they are, which peers read
/// faster too, and nearly all fields go as one byte.
struct HPACKEncoder: ~Copyable {
    /// Bytes of the dynamic table as §4.1 counts them, where the peer allows so many.
    static let tableBytesMax = 4096
    static let entryBytes = 32
    private static let staticCount: UInt32 = 61

    private struct Entry {
        /// Where name and value stand in `text`, one behind the other.
        var start: UInt32 = 0
        /// The number of the entry before it in its bucket.
        var previous: UInt32 = 0
        var nameCount: UInt16 = 0
        var valueCount: UInt16 = 0
        var bucket: UInt8 = 0

        var bytes: Int { Int(nameCount) + Int(valueCount) + HPACKEncoder.entryBytes }
    }

    /// The entries, each at its number modulo the count, which is a power of two.
    private var entries: [Entry] = []
    private var text = OutputBlock()
    private var inserted: UInt32
    private var live: UInt32 = 0
    private var tableBytes = 0
    /// The number of the newest entry of each bucket, if it is one: what was evicted may still stand here.
    private var newest: [UInt32] = []

    private var memo = HPACKMemo()
    private var limit = HPACKEncoder.tableBytesMax
    /// The limit that the peer was last told, and the smallest one since (§4.2).
    private var announced = HPACKEncoder.tableBytesMax
    private var smallest = HPACKEncoder.tableBytesMax

    init(firstNumber: UInt32 = 0) { inserted = firstNumber }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE, from the next head on.
    mutating func changeLimit(to bytes: UInt32) {
        limit = min(Int(bytes), HPACKEncoder.tableBytesMax)
        smallest = min(smallest, limit)
        evict(toAtMost: limit)
        memo.removeAll()
    }

    /// Appends the header block of `fields` to `block`, after a `:status` field unless that is nil. Blocks must be sent in
    /// the order in which they are made.
    mutating func encode(_ fields: borrowing Fields, status: Int?, into block: inout OutputBlock) {
        // Two limits, a status, and of each field no more than HTTP/2 counts for it.
        block.makeRoom(32 + fields.size)
        if smallest != announced || limit != announced { announceLimit(in: &block) }
        let known = memo.append(fields, status: status, stamp: inserted, to: &block)
        if known == fields.count, known > 0 { return }
        let start = block.count
        let stamp = inserted
        if known == 0, let status { encode(status: status, into: &block) }
        // How many fields from the first on have gone as indices, and where the block ended then.
        var (beginning, end) = (0, start)
        var isBeginning = known == 0
        let text = fields.allText
        fields.forEachPlace(from: known) { known, name, value in
            let name = text.extracting(name)
            let rule = HPACKRule(known, name: name)
            let isIndex = encode(name, text.extracting(value), rule, into: &block)
            isBeginning = isBeginning && isIndex
            if isBeginning { (beginning, end) = (beginning + 1, block.count) }
        }
        if beginning > 0, inserted == stamp {
            memo.keep(
                fields, beginning, status: status, stamp: stamp,
                sent: block.bytes.extracting(start..<end))
        }
    }

    private mutating func announceLimit(in block: inout OutputBlock) {
        if smallest < limit { block.append(integer: UInt32(smallest), prefix: 5, pattern: 0x20) }
        block.append(integer: UInt32(limit), prefix: 5, pattern: 0x20)
        announced = limit
        smallest = limit
    }

    private mutating func encode(status: Int, into block: inout OutputBlock) {
        let status = min(max(status, 100), 999)
        var digits = InlineArray<3, UInt8>(repeating: 0)
        digits[0] = UInt8(48 + status / 100)
        digits[1] = UInt8(48 + status / 10 % 10)
        digits[2] = UInt8(48 + status % 10)
        _ = encode(":status".utf8Span.span, digits.span, .status, into: &block)
    }

    /// - Returns: whether the field has gone as an index.
    private mutating func encode(
        _ name: Span<UInt8>, _ value: Span<UInt8>, _ rule: HPACKRule, into block: inout OutputBlock
    ) -> Bool {
        if rule.isPseudo, let index = rule.staticIndex(of: value) {
            block.put(0x80 | index)
            return true
        }
        var nameIndex = UInt32(rule.nameIndex)
        if rule.indexing == .table || nameIndex == 0,
            let index = find(name, value, rule, nameIndex: &nameIndex)
        {
            block.append(integer: index, prefix: 7, pattern: 0x80)
            return true
        }
        let bytes = name.count + value.count + HPACKEncoder.entryBytes
        switch rule.indexing {
        case .table where bytes <= limit / 4 * 3,
            .nameOnly where nameIndex == 0 && bytes <= limit / 4:
            block.append(integer: nameIndex, prefix: 6, pattern: 0x40)
            insert(name, value, rule.bucket)
        case .table, .nameOnly: block.append(integer: nameIndex, prefix: 4, pattern: 0)
        case .never: block.append(integer: nameIndex, prefix: 4, pattern: 0x10)
        }
        if nameIndex == 0 { block.append(string: name) }
        block.append(string: value)
        return false
    }

    // MARK: The dynamic table

    /// The index of an entry with this name and value; else `nameIndex` becomes that of one with the name, unless it is set.
    private func find(
        _ name: Span<UInt8>, _ value: Span<UInt8>, _ rule: HPACKRule, nameIndex: inout UInt32
    ) -> UInt32? {
        guard live > 0 else { return nil }
        var number = newest[Int(rule.bucket)]
        var age: UInt32 = 0
        while true {
            let older = inserted &- number
            // Behind the last one stand entries that were evicted, whose place may have been taken.
            guard older > age, older <= live else { return nil }
            age = older
            let entry = entries[slot(of: number)]
            guard entry.bucket == rule.bucket else { return nil }
            let nameEnd = Int(entry.start) + Int(entry.nameCount)
            if rule.isNamedByBucket
                || text.bytes.extracting(Int(entry.start)..<nameEnd).isEqual(to: name)
            {
                if rule.indexing == .table, Int(entry.valueCount) == value.count,
                    text.bytes.extracting(nameEnd..<nameEnd + value.count).isEqual(to: value)
                {
                    return HPACKEncoder.staticCount + age
                }
                if nameIndex == 0 { nameIndex = HPACKEncoder.staticCount + age }
                if rule.indexing != .table { return nil }
            }
            number = entry.previous
        }
    }

    private func slot(of number: UInt32) -> Int {
        Int(truncatingIfNeeded: number) & (entries.count &- 1)
    }

    /// The caller has seen to it that the field fits into the table.
    private mutating func insert(_ name: Span<UInt8>, _ value: Span<UInt8>, _ bucket: UInt8) {
        var entry = Entry(
            nameCount: UInt16(name.count), valueCount: UInt16(value.count), bucket: bucket)
        evict(toAtMost: limit - entry.bytes)
        if Int(live) == entries.count { growEntries() }
        if text.count > 2 * HPACKEncoder.tableBytesMax { compactText() }
        entry.previous = newest[Int(bucket)]
        entry.start = UInt32(text.count)
        text.append(name)
        text.append(value)
        entries[slot(of: inserted)] = entry
        newest[Int(bucket)] = inserted
        inserted &+= 1
        live += 1
        tableBytes += entry.bytes
    }

    private mutating func evict(toAtMost bytes: Int) {
        while tableBytes > bytes {
            tableBytes -= entries[slot(of: inserted &- live)].bytes
            live -= 1
        }
        if live == 0 { text.removeAll() }
    }

    private mutating func growEntries() {
        if newest.isEmpty { newest = Array(repeating: 0, count: HPACKRule.bucketCount) }
        let old = entries
        entries = Array(repeating: Entry(), count: max(16, old.count * 2))
        for age in 0..<live {
            let number = inserted &- live &+ age
            entries[slot(of: number)] = old[Int(truncatingIfNeeded: number) & (old.count - 1)]
        }
    }

    /// Forgets the texts of entries that were evicted.
    private mutating func compactText() {
        guard live > 0 else { return text.removeAll() }
        let start = entries[slot(of: inserted &- live)].start
        text.removeFirst(Int(start))
        for age in 1...live { entries[slot(of: inserted &- age)].start -= start }
    }
}

extension OutputBlock {
    /// There is room: an integer whose first byte has `prefix` bits for it, below `pattern` (§5.1).
    fileprivate mutating func append(integer: UInt32, prefix: UInt32, pattern: UInt8) {
        let most = UInt32(1) &<< prefix &- 1
        if integer < most { return put(pattern | UInt8(truncatingIfNeeded: integer)) }
        put(pattern | UInt8(truncatingIfNeeded: most))
        var rest = integer &- most
        while rest >= 128 {
            put(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        put(UInt8(truncatingIfNeeded: rest))
    }

    /// A text without Huffman code (§5.2).
    fileprivate mutating func append(string: Span<UInt8>) {
        append(integer: UInt32(clamping: string.count), prefix: 7, pattern: 0)
        append(string)
    }
}
