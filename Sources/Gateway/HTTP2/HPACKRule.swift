import ProtoRuntime
import Transcode

/// How a field is sent by `HPACKEncoder`: by its name alone.
struct HPACKRule: Equatable {
    enum Indexing: UInt8 {
        /// The field goes into the table, and as its index from then on.
        case table
        /// Values differ from call to call: the table holds the name, with the first of them, and keeps what does come again.
        case nameOnly
        /// Neither we nor anybody behind us may put it into a table: it is secret (RFC 7541 §7.1.3).
        case never
    }

    /// Fields of one name are in one bucket, which is theirs alone below `sharedBuckets`.
    let bucket: UInt8
    /// Index of the name in the static table (RFC 7541, Appendix A); 0 for none.
    let nameIndex: UInt8
    let indexing: Indexing

    static let bucketCount = 128
    private static let sharedBuckets: UInt8 = 64
    private enum Bucket {
        static let authority: UInt8 = 59
        static let method: UInt8 = 60
        static let path: UInt8 = 61
        static let scheme: UInt8 = 62
        static let status: UInt8 = 63
    }

    static let status = HPACKRule(bucket: Bucket.status, nameIndex: 8, indexing: .table)

    private init(bucket: UInt8, nameIndex: UInt8, indexing: Indexing) {
        self.bucket = bucket
        self.nameIndex = nameIndex
        self.indexing = indexing
    }

    /// The rule for a field name in lower case, which is `known`.
    init(_ known: KnownField, name: Span<UInt8>) {
        switch known {
        case .other, .xForwardedOther: self.init(name)
        case .accept: self.init(known, 19)
        case .acceptEncoding: self.init(known, 16)
        case .contentEncoding: self.init(known, 26)
        case .contentLength: self.init(known, 28, .nameOnly)
        case .contentType: self.init(known, 31)
        case .date: self.init(known, 33)
        case .expect: self.init(known, 35)
        case .host: self.init(known, 38)
        case .transferEncoding: self.init(known, 57)
        case .userAgent: self.init(known, 58)
        case .grpcMessage, .grpcStatusDetailsBin, .grpcTimeout, .lastEventID, .xRequestID:
            self.init(known, 0, .nameOnly)
        case .connectAcceptEncoding, .connectContentEncoding, .connectProtocolVersion,
            .connectTimeoutMs, .connection, .grpcAcceptEncoding, .grpcEncoding, .grpcStatus,
            .keepAlive, .origin, .proxyConnection, .te, .trailer, .upgrade, .xServerTimeout,
            .forwarded, .xForwardedClientCert, .xForwardedFor, .xForwardedHost, .xForwardedProto:
            self.init(known, 0)
        }
    }

    private init(_ known: KnownField, _ nameIndex: UInt8, _ indexing: Indexing = .table) {
        self.init(bucket: known.rawValue, nameIndex: nameIndex, indexing: indexing)
    }

    /// Whether two names in the bucket are the same name.
    var isNamedByBucket: Bool { bucket < HPACKRule.sharedBuckets }

    /// Whether the static table has fields of this name with their values.
    var isPseudo: Bool { bucket >= Bucket.method && bucket < HPACKRule.sharedBuckets }

    /// Index in the static table of the field itself.
    func staticIndex(of value: Span<UInt8>) -> UInt8? {
        switch bucket {
        case Bucket.method:
            if value.isEqual(to: "POST") { return 3 }
            return value.isEqual(to: "GET") ? 2 : nil
        case Bucket.path: return value.isEqual(to: "/") ? 4 : nil
        case Bucket.scheme:
            if value.isEqual(to: "http") { return 6 }
            return value.isEqual(to: "https") ? 7 : nil
        case Bucket.status: return HPACKRule.staticStatus(value)
        default: return nil
        }
    }

    private static func staticStatus(_ value: Span<UInt8>) -> UInt8? {
        let texts: [7 of StaticString] = ["200", "204", "206", "304", "400", "404", "500"]
        for index in texts.indices where value.isEqual(to: texts[index]) { return UInt8(8 + index) }
        return nil
    }

    /// Pseudo-fields, names of the static table, and all others.
    private init(_ name: Span<UInt8>) {
        let count = name.count
        guard count > 0 else {
            self.init(bucket: HPACKRule.sharedBuckets, nameIndex: 0, indexing: .table)
            return
        }
        if name[0] == ASCII.colon, let pseudo = HPACKRule.pseudo(name) {
            self = pseudo
            return
        }
        let mixed = Int(name[0]) &* 7 &+ Int(name[count - 1]) &* 3 &+ count
        let bucket = HPACKRule.sharedBuckets | UInt8(truncatingIfNeeded: mixed & 63)
        let (index, indexing) = HPACKRule.find(name)
        self.init(bucket: bucket, nameIndex: index, indexing: indexing)
    }

    private static func pseudo(_ name: Span<UInt8>) -> HPACKRule? {
        let (text, bucket, index): (StaticString, UInt8, UInt8) =
            switch name.count {
            case 5: (":path", Bucket.path, 4)
            case 10: (":authority", Bucket.authority, 1)
            default:
                name.count == 7 && name[1] == UInt8(ascii: "m")
                    ? (":method", Bucket.method, 2) : (":scheme", Bucket.scheme, 6)
            }
        guard name.isEqual(to: text) else { return nil }
        return HPACKRule(bucket: bucket, nameIndex: index, indexing: .table)
    }

    /// The static table's names that are no `KnownField`, and others whose values never come again.
    private static func find(_ name: Span<UInt8>) -> (nameIndex: UInt8, indexing: Indexing) {
        switch name.count {
        case 3:
            if name.isEqual(to: "via") { return (60, .table) }
            if name.isEqual(to: "age") { return (21, .nameOnly) }
        case 4:
            if name.isEqual(to: "vary") { return (59, .table) }
            if name.isEqual(to: "etag") { return (34, .nameOnly) }
            if name.isEqual(to: "link") { return (45, .table) }
        case 5: if name.isEqual(to: "allow") { return (22, .table) }
        case 6:
            if name.isEqual(to: "cookie") { return (32, .never) }
            if name.isEqual(to: "server") { return (54, .table) }
        case 7:
            if name.isEqual(to: "expires") { return (36, .table) }
            if name.isEqual(to: "referer") { return (51, .table) }
        case 8: if name.isEqual(to: "location") { return (46, .nameOnly) }
        case 10:
            if name.isEqual(to: "set-cookie") { return (55, .never) }
            if name.isEqual(to: "tracestate") { return (0, .nameOnly) }
        case 11:
            if name.isEqual(to: "traceparent") { return (0, .nameOnly) }
            if name.isEqual(to: "retry-after") { return (53, .table) }
        case 13:
            if name.isEqual(to: "authorization") { return (23, .never) }
            if name.isEqual(to: "cache-control") { return (24, .table) }
            if name.isEqual(to: "if-none-match") { return (41, .nameOnly) }
            if name.isEqual(to: "last-modified") { return (44, .table) }
        case 15: if name.isEqual(to: "accept-language") { return (17, .table) }
        case 16:
            if name.isEqual(to: "content-language") { return (27, .table) }
            if name.isEqual(to: "www-authenticate") { return (61, .table) }
        case 17: if name.isEqual(to: "if-modified-since") { return (40, .nameOnly) }
        case 19:
            if name.isEqual(to: "proxy-authorization") { return (49, .never) }
            if name.isEqual(to: "content-disposition") { return (25, .table) }
        case 25: if name.isEqual(to: "strict-transport-security") { return (56, .table) }
        case 27: if name.isEqual(to: "access-control-allow-origin") { return (20, .table) }
        default: break
        }
        return (0, .table)
    }
}
