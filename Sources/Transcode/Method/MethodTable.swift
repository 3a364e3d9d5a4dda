public import ProtoRuntime

/// One thing that is wrong with the rules of a method.
public struct MethodTableProblem: Equatable, Sendable, CustomStringConvertible {
    /// The RPC's full name, or the selector of a configured rule.
    public var method: String
    public var message: String
    /// The configured rule that it is about, as an index; nil for annotations.
    public var rule: Int?

    public var description: String { method.isEmpty ? message : "\(method): \(message)" }
}

/// Everything that is wrong with a set of rules, at once.
public struct MethodTableError: Error, Equatable, Sendable, CustomStringConvertible {
    public var problems: [MethodTableProblem]

    public var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}

/// What a route leads to. Looked up several times a call, so that it is not copied.
public final class RouteBinding: Sendable {
    /// Index in `MethodTable.methods`.
    public let method: Int32
    public let request: RequestBinding
    public let response: ResponseBinding
    /// Of server streams.
    public let stream: StreamBinding?
    public let json: JSONOptions
    public let errorFormat: RESTOptions.ErrorFormat
    /// Answers are compressed where the client takes that.
    public let compresses: Bool
    /// `WWW-Authenticate` of 401; empty for none.
    public let challenge: String
    /// The configured rule it comes from, as an index; nil for an annotation's.
    public let rule: Int?

    init(
        method: Int32, request: RequestBinding, response: ResponseBinding, stream: StreamBinding?,
        json: JSONOptions, errorFormat: RESTOptions.ErrorFormat, compresses: Bool,
        challenge: String, rule: Int?
    ) {
        self.method = method
        self.request = request
        self.response = response
        self.stream = stream
        self.json = json
        self.errorFormat = errorFormat
        self.compresses = compresses
        self.challenge = challenge
        self.rule = rule
    }
}

/// Some methods, and all types of the upstream that serves them.
public struct MethodSource: Sendable {
    public let pool: DescriptorPool
    /// Of the pool's services.
    public let methods: [MethodDescriptor]

    public init(_ pool: DescriptorPool, methods: [MethodDescriptor]) {
        self.pool = pool
        self.methods = methods
    }
}

/// All methods by path, and their routes. Immutable; shared by all threads; a reload swaps it whole.
///
/// Every method has the types of its own source: two sources may declare different ones of one name.
public final class MethodTable: Sendable {
    /// One for each source.
    public let pools: [DescriptorPool]
    public let methods: [Method]
    public let routes: RouteTable
    /// By route id, as `routes.match` gives it.
    public let bindings: [RouteBinding]
    /// Of REST errors that belong to no route.
    public let errorFormat: RESTOptions.ErrorFormat
    /// Whether any method has a policy: most gateways have none, and every call asks.
    let hasMetadataPolicies: Bool
    private let paths: NameTable
    /// By method.
    private let methodTables: [DescriptorTables]

    /// Builds the table of every method of the pool that `includes` admits.
    public convenience init(
        pool: DescriptorPool, rules: [ConfiguredRule] = [],
        includes: (MethodDescriptor) -> Bool = { _ in true },
        options: (MethodDescriptor) -> MethodOptions = { _ in MethodOptions() }
    ) throws(MethodTableError) {
        let methods = pool.services.flatMap(\.methods).filter(includes)
        try self.init([MethodSource(pool, methods: methods)], rules: rules, options: options)
    }

    /// Builds the table of the methods of all sources, of which there is at least one, and no two with one method.
    ///
    /// `rules` come from configuration. Of those whose selector fits a method, and which `applies` to it, the last that
    /// does not append replaces its annotation, and what appends after that adds routes. `options` gives each method
    /// its own. Throws all problems of all rules at once.
    public init(
        _ sources: [MethodSource], rules: [ConfiguredRule] = [],
        errorFormat: RESTOptions.ErrorFormat = .status,
        applies: (_ rule: Int, MethodDescriptor) -> Bool = { _, _ in true },
        options: (MethodDescriptor) -> MethodOptions = { _ in MethodOptions() }
    ) throws(MethodTableError) {
        precondition(!sources.isEmpty, "errors need types for their details")
        pools = sources.map(\.pool)
        var builder = MethodTableBuilder(pools: pools, rules: rules)
        for (index, source) in sources.enumerated() {
            for descriptor in source.methods {
                builder.add(descriptor, pool: index, options(descriptor), applies)
            }
        }
        builder.checkSelectors()
        do throws(RouteConflicts) {
            routes = try RouteTable(builder.patterns)
        } catch {
            let bindings = builder.bindings
            let conflicts = error.problems.map { problem in
                MethodTableProblem(
                    method: "", message: problem.message,
                    rule: problem.routes.compactMap { bindings[$0].rule }.last)
            }
            throw MethodTableError(problems: builder.problems + conflicts)
        }
        guard builder.problems.isEmpty else { throw MethodTableError(problems: builder.problems) }
        self.errorFormat = errorFormat
        methods = builder.methods
        methodTables = builder.methods.map { sources[Int($0.pool)].pool.tables }
        bindings = builder.bindings
        paths = NameTable(builder.methods.map(\.path))
        hasMetadataPolicies = builder.methods.contains { $0.options.metadata != nil }
    }

    /// The method whose path, `/pkg.Service/Method`, these raw bytes are; -1 for none.
    public func index(ofPath path: Span<UInt8>) -> Int32 {
        paths.index(of: path)
    }

    /// The types of a method's messages and of what they hold, valid while this table lives.
    public func tables(of method: Int32) -> DescriptorTables { methodTables[Int(method)] }

    /// The types that a method's error details may have; of the first source for a call that has no method (-1).
    public func pool(of method: Int32) -> DescriptorPool {
        method >= 0 ? pools[Int(methods[Int(method)].pool)] : pools[0]
    }
}
