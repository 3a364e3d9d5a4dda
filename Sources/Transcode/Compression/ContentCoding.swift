import ProtoRuntime

/// The codings that a message or a body may be compressed with (RFC 9110 §8.4.1, RFC 8878, RFC 7932).
public enum ContentCoding: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    case identity, gzip, brotli, zstd
    /// The zlib format, as gRPC has it. Read, never written.
    case deflate

    /// What the gateway reads and writes besides identity, as a list for `accept-encoding` and its kin.
    public static let supported: StaticString = "gzip, br, zstd"

    /// The registered name.
    public var name: StaticString {
        switch self {
        case .identity: "identity"
        case .gzip: "gzip"
        case .brotli: "br"
        case .zstd: "zstd"
        case .deflate: "deflate"
        }
    }

    /// The coding of that name, in any case; nil for one that is not known.
    public init?(name: Span<UInt8>) {
        if MediaType.isEqual(name, "identity") {
            self = .identity
        } else if MediaType.isEqual(name, "gzip") || MediaType.isEqual(name, "x-gzip") {
            self = .gzip
        } else if MediaType.isEqual(name, "br") {
            self = .brotli
        } else if MediaType.isEqual(name, "zstd") {
            self = .zstd
        } else if MediaType.isEqual(name, "deflate") {
            self = .deflate
        } else {
            return nil
        }
    }

    /// What the field names; identity when it is absent or empty.
    /// - Returns: nil for a coding, or a list of codings, that is not known.
    static func named(by field: KnownField, in fields: borrowing Fields) -> ContentCoding? {
        guard let index = fields.firstIndex(of: field), fields.value(at: index).count > 0 else {
            return .identity
        }
        guard fields.count(of: field) == 1 else { return nil }
        return ContentCoding(name: fields.value(at: index))
    }

    /// The coding that the client's lists, all fields of that name, prefer among those that the gateway has:
    /// the one with the highest q-value, the first of equals, identity last of them (RFC 9110 §12.5.3; Connect and
    /// gRPC send plain lists in the order of preference, gRPC with identity in front). Identity when none is named.
    static func accepted(by field: KnownField, in fields: borrowing Fields) -> ContentCoding {
        var best = ContentCoding.identity
        var bestQuality = 0
        guard let first = fields.firstIndex(of: field) else { return best }
        for index in first..<fields.count where fields.known(at: index) == field {
            var list = AcceptList(fields.value(at: index))
            while let item = list.next() {
                guard let coding = ContentCoding(name: list.text.extracting(item.name)),
                    coding != .deflate,
                    item.quality > bestQuality
                        || (item.quality == bestQuality && item.quality > 0 && best == .identity)
                else { continue }
                best = coding
                bestQuality = item.quality
            }
        }
        return best
    }
}
