/// One SRV record: a host and a port where a service is (RFC 2782).
struct ServiceRecord: Equatable {
    /// The record's type in DNS.
    static let type: Int32 = 33
    /// Records of one answer that count; others are left out, the least wanted ones first.
    static let countMax = 64

    var priority: UInt16
    var weight: UInt16
    var port: UInt16
    /// "" where the service is decidedly not to be had.
    var host: String

    /// Those that can be connected and count: the lowest priority, which is most wanted, and the greatest weight first.
    static func wanted(_ records: [ServiceRecord]) -> [ServiceRecord] {
        let usable = records.filter { $0.port != 0 && !$0.host.isEmpty && $0.host != "." }
        let sorted = usable.stablySorted {
            ($0.priority, UInt16.max - $0.weight) < ($1.priority, UInt16.max - $1.weight)
        }
        return Array(sorted.prefix(countMax))
    }
}

/// What c-ares does not tell of an answer (RFC 1035 §4).
enum DNSMessage {
    static let internetClass: Int32 = 1
    private static let headerBytes = 12

    /// The least time to live of the answer's records, in seconds; nil when there is none, or it cannot be read.
    static func timeToLive(_ message: Span<UInt8>) -> Int64? {
        guard message.count >= headerBytes else { return nil }
        var offset = headerBytes
        for _ in 0..<number(message, at: 4) {
            guard let end = nameEnd(message, offset) else { return nil }
            offset = end + 4
        }
        var least: Int64?
        for _ in 0..<number(message, at: 6) {
            guard let end = nameEnd(message, offset), message.count - end >= 10 else { return nil }
            let seconds = number(message, at: end + 4) << 16 | number(message, at: end + 6)
            least = min(least ?? .max, Int64(seconds))
            offset = end + 10 + number(message, at: end + 8)
        }
        return least
    }

    /// Where a name ends: behind its last label, or behind what points to the rest of it.
    private static func nameEnd(_ message: Span<UInt8>, _ start: Int) -> Int? {
        var offset = start
        while offset < message.count {
            let length = message[offset]
            switch length {
            case 0: return offset + 1
            case 0xC0...: return offset + 2
            case 1..<0x40: offset += 1 + Int(length)
            default: return nil
            }
        }
        return nil
    }

    /// Two bytes at an offset within the message.
    private static func number(_ message: Span<UInt8>, at offset: Int) -> Int {
        Int(message[offset]) << 8 | Int(message[offset + 1])
    }
}
