import ProtoRuntime

/// Gathers methods, routes and all that is wrong with them. Start-up only.
struct MethodTableBuilder {
    private(set) var methods: [Method] = []
    private(set) var patterns: [RoutePattern] = []
    private(set) var bindings: [RouteBinding] = []
    private(set) var problems: [MethodTableProblem] = []

    private let pools: [DescriptorPool]
    private let rules: [ConfiguredRule]
    private var usedSelectors: Set<Int> = []
    /// The configured rule whose routes are being added; nil for an annotation.
    private var ruleIndex: Int?

    init(pools: [DescriptorPool], rules: [ConfiguredRule]) {
        self.pools = pools
        self.rules = rules
    }

    mutating func add(
        _ descriptor: MethodDescriptor, pool: Int, _ options: MethodOptions,
        _ applies: (Int, MethodDescriptor) -> Bool
    ) {
        var method = Method(
            id: Int32(methods.count), pool: Int32(pool), descriptor: descriptor, options: options)
        let chosen = chosenRules(for: descriptor, applies)
        ruleIndex = nil
        if chosen.keepsAnnotation, let rule = annotation(of: descriptor) {
            addRoutes(rule, &method)
        }
        for index in chosen.rules {
            ruleIndex = index
            addRoutes(rules[index].rule, &method)
        }
        methods.append(method)
    }

    /// A selector that fits no method is a misspelling.
    mutating func checkSelectors() {
        for (index, rule) in rules.enumerated() where !usedSelectors.contains(index) {
            problems.append(
                MethodTableProblem(
                    method: "rule for \"\(rule.rule.selector)\"",
                    message: "no method has this name", rule: index))
        }
    }

    /// The configured rules that count for a method, and whether its annotation does.
    private mutating func chosenRules(
        for descriptor: MethodDescriptor, _ applies: (Int, MethodDescriptor) -> Bool
    ) -> (keepsAnnotation: Bool, rules: [Int]) {
        var chosen = (keepsAnnotation: true, rules: [Int]())
        for (index, rule) in rules.enumerated()
        where rule.rule.selects(descriptor.fullName) && applies(index, descriptor) {
            usedSelectors.insert(index)
            if !rule.appends { chosen = (false, []) }
            chosen.rules.append(index)
        }
        return chosen
    }

    private mutating func annotation(of descriptor: MethodDescriptor) -> HTTPRule? {
        guard let bytes = descriptor.httpRule else { return nil }
        do throws(WireError) {
            return try HTTPRule(decoding: bytes.span)
        } catch {
            refuse(descriptor, "the option google.api.http cannot be read: \(error)")
            return nil
        }
    }

    private mutating func addRoutes(_ rule: HTTPRule, _ method: inout Method) {
        addRoute(rule, &method)
        for binding in rule.additionalBindings {
            guard binding.additionalBindings.isEmpty else {
                refuse(
                    method.descriptor, "additional_bindings cannot have additional_bindings",
                    in: binding)
                continue
            }
            addRoute(binding, &method)
        }
    }

    private mutating func addRoute(_ rule: HTTPRule, _ method: inout Method) {
        let descriptor = method.descriptor
        guard let httpMethod = rule.httpMethod else {
            return refuse(
                descriptor, "the rule has no path (get, put, post, delete, patch or custom)")
        }
        guard MethodTableBuilder.isToken(httpMethod) else {
            return refuse(descriptor, "\"\(httpMethod)\" is no HTTP method", in: rule)
        }
        let template: PathTemplate
        do throws(PathTemplateError) {
            template = try PathTemplate(rule.path)
        } catch {
            return refuse(descriptor, error.description, in: rule)
        }
        var (json, rest) = (method.options.json, method.options.rest)
        if let ruleIndex {
            rules[ruleIndex].json.apply(to: &json)
            rules[ruleIndex].rest.apply(to: &rest)
        }
        let pool = pools[Int(method.pool)]
        var resolver = RequestBindingResolver(pool: pool, descriptor: descriptor)
        let binding = resolver.resolve(
            rule, httpMethod: httpMethod, template: template, options: rest)
        guard resolver.problems.isEmpty, let binding else {
            for problem in resolver.problems { refuse(descriptor, problem, in: rule) }
            return
        }
        method.routes.append(Int32(patterns.count))
        patterns.append(
            RoutePattern(
                httpMethod: httpMethod, template: template, owner: descriptor.fullName,
                ignoresTrailingSlash: rest.ignoresTrailingSlash))
        let stream =
            descriptor.isServerStreaming
            ? StreamBinding(
                options: method.options.stream, rest: rest, method: descriptor,
                isRaw: binding.1.isRaw, pool.tables) : nil
        bindings.append(
            RouteBinding(
                method: method.id, request: binding.0, response: binding.1,
                stream: stream, json: json,
                errorFormat: rest.errorFormat, compresses: rest.compresses,
                challenge: rest.challenge, rule: ruleIndex))
    }

    private mutating func refuse(
        _ descriptor: MethodDescriptor, _ message: String, in rule: HTTPRule? = nil
    ) {
        var message = message
        if let rule, let httpMethod = rule.httpMethod {
            message = "\(httpMethod) \(rule.path): \(message)"
        }
        problems.append(
            MethodTableProblem(method: descriptor.fullName, message: message, rule: ruleIndex))
    }

    /// RFC 9110 §5.6.2
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
