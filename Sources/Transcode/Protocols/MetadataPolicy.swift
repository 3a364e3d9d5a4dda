import ProtoRuntime

/// Which metadata passes in one direction and under which names, as it stands in the configuration.
public struct MetadataRuleSet: Sendable, Equatable {
    /// Lower-case names; a last `*` matches any ending. Everything is allowed when there are none.
    public var allow: [String] = []
    /// These do not pass, whatever else says so.
    public var deny: [String] = []
    /// The name that comes, and the name that goes on.
    public var rename: [Rename] = []

    public struct Rename: Sendable, Equatable {
        public var from: String
        public var to: String

        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }
    }

    public init() {}

    public var isEmpty: Bool { allow.isEmpty && deny.isEmpty && rename.isEmpty }
}

/// `services[].metadata`, made ready once; shared by the methods of an entry. A call without a policy pays nothing, one with
/// a policy a look-up or two for each field, and neither allocates.
///
/// It decides about what `Metadata` lets pass: fields of HTTP, and of the protocols, are not its business.
public final class MetadataPolicy: Sendable, Equatable {
    public let request: MetadataRules?
    public let response: MetadataRules?
    /// Whether the client is told the request's id.
    public let returnsRequestID: Bool

    public init(request: MetadataRuleSet, response: MetadataRuleSet) {
        self.request = request.isEmpty ? nil : MetadataRules(request)
        self.response = response.isEmpty ? nil : MetadataRules(response)
        returnsRequestID = self.response?.denies(KnownField.xRequestID.text) != true
    }

    public static func == (left: MetadataPolicy, right: MetadataPolicy) -> Bool {
        left.request?.source == right.request?.source
            && left.response?.source == right.response?.source
    }
}

extension CallPlan {
    /// What is configured for the method; nil before it is known.
    public func metadataPolicy(in methods: MethodTable) -> MetadataPolicy? {
        guard methods.hasMetadataPolicies, method >= 0 else { return nil }
        return methods.methods[Int(method)].options.metadata
    }
}

/// The rules of one direction.
public final class MetadataRules: Sendable {
    let source: MetadataRuleSet
    /// nil: everything.
    private let allowed: NamePatterns?
    private let denied: NamePatterns
    private let renamed: NameTable
    /// By the index in `renamed`.
    private let newNames: [[UInt8]]
    private let takenNames: NameTable

    init(_ source: MetadataRuleSet) {
        self.source = source
        allowed = source.allow.isEmpty ? nil : NamePatterns(source.allow)
        denied = NamePatterns(source.deny)
        renamed = NameTable(source.rename.map(\.from))
        newNames = source.rename.map { Array($0.to.utf8) }
        takenNames = NameTable(source.rename.map(\.to))
    }

    func denies(_ name: StaticString) -> Bool {
        let text = "\(name)"
        return denied.contain(text.utf8Span.span)
    }

    /// Drops and renames the metadata among `fields`. `spare` is room of the caller's, emptied here.
    public func apply(to fields: inout Fields, using spare: inout Fields) {
        spare.removeAll()
        for index in 0..<fields.count {
            let name = fields.name(at: index)
            if MetadataRules.isProtocol(fields.known(at: index), name) {
                spare.append(fields, at: index)
                continue
            }
            if denied.contain(name) { continue }
            let new = renamed.index(of: name)
            if new >= 0 {
                let newName = newNames[Int(new)]
                spare.append(name: newName.span, value: fields.value(at: index))
            } else if !takenNames.contains(name), isAllowed(fields.known(at: index), name) {
                spare.append(fields, at: index)
            }
        }
        swap(&fields, &spare)
        spare.removeAll()
    }

    /// What the gateway itself says of the client is not what clients are allowed to say.
    private func isAllowed(_ known: KnownField, _ name: Span<UInt8>) -> Bool {
        guard let allowed else { return true }
        return known.isForwarding || allowed.contain(name)
    }

    private static func isProtocol(_ known: KnownField, _ name: Span<UInt8>) -> Bool {
        switch known {
        case .other: name.hasPrefix("grpc-") || name.hasPrefix(":")
        case .accept, .lastEventID, .origin, .userAgent: false
        default: !known.isForwarding
        }
    }
}

/// Names, and beginnings of names.
struct NamePatterns: Sendable {
    private let names: NameTable
    private let prefixes: [[UInt8]]

    init(_ patterns: [String]) {
        names = NameTable(patterns.filter { !$0.hasSuffix("*") })
        prefixes = patterns.filter { $0.hasSuffix("*") }.map { Array($0.utf8.dropLast()) }
    }

    func contain(_ name: Span<UInt8>) -> Bool {
        if names.count > 0, names.contains(name) { return true }
        for prefix in prefixes where NamePatterns.has(name, prefix) { return true }
        return false
    }

    private static func has(_ name: Span<UInt8>, _ prefix: [UInt8]) -> Bool {
        guard name.count >= prefix.count else { return false }
        for index in prefix.indices where name[index] != prefix[index] { return false }
        return true
    }
}
