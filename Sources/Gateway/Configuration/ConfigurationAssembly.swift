import ProtoRuntime
import Transcode

/// Joins the entries of `services` into one method table. Start-up only.
///
/// Descriptor files are read at once; what is learned by reflection is added when it is known. An entry whose
/// descriptors are not known yet, its rules and patterns are left out.
struct ConfigurationAssembly: Sendable {
    private(set) var problems: [ConfigurationProblem] = []
    private let configuration: Configuration
    /// What is known of each entry; nil where it is yet to be learned, or could not be read.
    private var sources: [Source?]
    /// Index of the entry that serves it, by the RPC's full name.
    private var entryByMethod: [String: Int] = [:]
    /// By the index of the upstream.
    private var serviceConfigs: [Int: ServiceConfig] = [:]
    private var pools: [Int: DescriptorPool] = [:]
    /// What was linked.
    private var linked: [(sets: [[UInt8]], pool: DescriptorPool)] = []

    /// The descriptors of one entry.
    private struct Source: Sendable {
        /// A FileDescriptorSet.
        var set: [UInt8]
        /// What it is, for messages.
        var name: String
        var position: SourcePosition
        /// The key it comes from.
        var key: String
        /// Full names; nil for every service of the set.
        var services: Set<String>?
    }

    /// Reads the descriptor files.
    init(
        _ configuration: Configuration,
        readFile: (String) throws(ConfigurationFileError) -> [UInt8]
    ) {
        self.configuration = configuration
        sources = []
        readServiceConfigs(readFile)
        for (index, service) in configuration.services.enumerated() {
            guard case .file(let path) = service.descriptors else {
                sources.append(nil)
                continue
            }
            let key = "services[\(index)].descriptors.file"
            do throws(ConfigurationFileError) {
                sources.append(
                    Source(
                        set: try readFile(path.value), name: path.value, position: path.position,
                        key: key))
            } catch {
                report(path.position, "\(key): \(path.value): \(error.reason)")
                sources.append(nil)
            }
        }
    }

    private mutating func readServiceConfigs(
        _ readFile: (String) throws(ConfigurationFileError) -> [UInt8]
    ) {
        for (index, upstream) in configuration.upstreams.enumerated() {
            guard let path = upstream.serviceConfig else { continue }
            let key = "upstreams.\(upstream.name).service_config: \(path.value)"
            do throws(ConfigurationFileError) {
                let (config, problems) = ServiceConfigDecoder.decode(try readFile(path.value))
                serviceConfigs[index] = config
                for problem in problems { report(path.position, "\(key): \(problem)") }
            } catch {
                report(path.position, "\(key): \(error.reason)")
            }
        }
    }

    /// How an upstream is treated: as its section says, else as its service config does.
    func options(ofUpstream index: Int) -> UpstreamOptions {
        let upstream = configuration.upstreams[index]
        var options = upstream.options
        guard let config = serviceConfigs[index] else { return options }
        if let balance = config.balance, !upstream.keys.contains("balance") {
            options.balance = balance
            options.shufflesAddresses = config.shufflesAddresses
            options.drawnMax = config.drawnMax
        }
        if let count = config.connectionsMax, !upstream.keys.contains("connection.max_connections")
        {
            options.connection.countMax = count
        }
        if let throttle = config.throttle, upstream.keys.isDisjoint(with: ["retry", "hedging"]) {
            options.throttle = throttle
        }
        if let service = config.healthService, !upstream.keys.contains("health") {
            options.health = service
        }
        return options
    }

    /// Upstreams whose services are yet to be learned by reflection, as indices.
    var upstreamsToLearn: [Int] {
        let entries = configuration.services.enumerated().filter { index, service in
            guard case .reflection = service.descriptors else { return false }
            return sources[index] == nil
        }
        var found: [Int] = []
        for (_, service) in entries where !found.contains(service.upstream) {
            found.append(service.upstream)
        }
        return found
    }

    /// Takes what an upstream's reflection told, for every entry that wants it.
    mutating func learn(_ reflected: ReflectedServices, from upstream: Int) {
        for (index, service) in configuration.services.enumerated()
        where service.upstream == upstream {
            guard case .reflection(let position) = service.descriptors else { continue }
            sources[index] = Source(
                set: reflected.descriptorSet,
                name: "the reflection of upstream '\(configuration.upstreams[upstream].name)'",
                position: position, key: "services[\(index)].descriptors.reflection",
                services: Set(reflected.services))
        }
    }

    /// The table of all methods of the entries that are known; nil after a problem.
    mutating func methodTable() -> MethodTable? {
        guard problems.isEmpty else { return nil }
        for (index, source) in sources.enumerated() {
            guard let source else { continue }
            let place = "\(source.key): \(source.name)"
            guard let pool = link([source.set], at: source.position, place) else { continue }
            claim(pool, entry: index, of: source)
        }
        guard problems.isEmpty else { return nil }
        linkUpstreams()
        return problems.isEmpty ? table() : nil
    }

    /// Gives each upstream its types: those of all its entries, files merged by name. Upstreams with the same
    /// descriptors share them.
    private mutating func linkUpstreams() {
        var sets: [Int: [[UInt8]]] = [:]
        for (index, source) in sources.enumerated() {
            guard let source else { continue }
            let service = configuration.services[index]
            if sets[service.upstream]?.contains(source.set) ?? false { continue }
            sets[service.upstream, default: []].append(source.set)
        }
        pools = [:]
        for (index, service) in configuration.services.enumerated() {
            guard sources[index] != nil, pools[service.upstream] == nil,
                let sets = sets[service.upstream]
            else { continue }
            let name = configuration.upstreams[service.upstream].name
            pools[service.upstream] = link(
                sets, at: service.position, "services of upstream '\(name)'")
        }
    }

    private mutating func report(_ position: SourcePosition, _ message: String) {
        problems.append(ConfigurationProblem(position: position, message: message))
    }

    private mutating func link(
        _ sets: [[UInt8]], at position: SourcePosition, _ place: String
    ) -> DescriptorPool? {
        if let known = linked.first(where: { $0.sets == sets }) { return known.pool }
        do throws(DescriptorError) {
            let pool = try DescriptorPool(fileDescriptorSets: sets)
            linked.append((sets, pool))
            return pool
        } catch {
            report(position, "\(place): \(error)")
            return nil
        }
    }

    // MARK: Which entry serves what

    /// Notes the methods that an entry exposes; each may have one entry only.
    private mutating func claim(_ pool: DescriptorPool, entry index: Int, of source: Source) {
        let entry = configuration.services[index]
        var used: Set<Int> = []
        var found = false
        // The gateway answers reflection and health itself.
        let services = pool.services.filter {
            !LocalServices.names.contains($0.fullName)
                && source.services?.contains($0.fullName) ?? true
        }
        for service in services {
            var rival: Int?
            for method in service.methods {
                let fitting = ConfigurationAssembly.patterns(
                    entry.expose, that: method.fullName, service)
                used.formUnion(fitting)
                guard entry.expose.isEmpty || !fitting.isEmpty else { continue }
                found = true
                if let other = entryByMethod[method.fullName] {
                    rival = other
                } else {
                    entryByMethod[method.fullName] = index
                }
            }
            guard let rival else { continue }
            let line = configuration.services[rival].position.line
            report(
                entry.position,
                "services[\(index)]: \(service.fullName) is served by services[\(rival)] in line \(line) too; "
                    + "tell them apart by 'expose'")
        }
        let names = services.map(\.fullName)
        for (position, pattern) in entry.expose.enumerated() where !used.contains(position) {
            let hint = Spelling.hint(pattern.value, among: names)
            report(
                pattern.position,
                "services[\(index)].expose: '\(YAMLNode.shortened(pattern.value))' fits no method of \(source.name)\(hint)"
            )
        }
        if !found, entry.expose.isEmpty {
            report(source.position, "\(source.key): \(source.name) has no service")
        }
    }

    /// The patterns that fit a method, by index.
    private static func patterns(
        _ patterns: [Located<String>], that method: String, _ service: ServiceDescriptor
    ) -> [Int] {
        patterns.indices.filter { index in
            let pattern = patterns[index].value
            return pattern == service.fullName
                || HTTPRule(selector: pattern, httpMethod: nil, path: "").selects(method)
        }
    }

    // MARK: The table

    /// The methods that are served, upstream by upstream.
    private mutating func methodSources() -> [MethodSource] {
        let (entries, entryByMethod) = (configuration.services, entryByMethod)
        let sources = pools.sorted { $0.key < $1.key }.map { upstream, pool in
            MethodSource(
                pool,
                methods: pool.services.flatMap(\.methods).filter { method in
                    entryByMethod[method.fullName].map { entries[$0].upstream == upstream } ?? false
                })
        }
        guard sources.isEmpty, let entry = entries.last else { return sources }
        // Errors have details all the same.
        let common = link([], at: entry.position, "services")
        return common.map { [MethodSource($0, methods: [])] } ?? []
    }

    private mutating func table() -> MethodTable? {
        let methodSources = methodSources()
        guard problems.isEmpty else { return nil }
        var rules: [(rule: Located<ConfiguredRule>, entry: Int)] = []
        for (index, service) in configuration.services.enumerated() where sources[index] != nil {
            rules += service.rules.map { ($0, index) }
        }
        let entryByMethod = entryByMethod
        let configuration = configuration
        let serviceConfigs = serviceConfigs
        let formats = configuration.services.map(\.rest.errorFormat)
        checkMethods()
        checkStreams()
        do throws(MethodTableError) {
            return try MethodTable(
                methodSources, rules: rules.map(\.rule.value),
                errorFormat: formats.allSatisfy { $0 == .aip193 } ? .aip193 : .status,
                applies: { entryByMethod[$1.fullName] == rules[$0].entry },
                options: { method in
                    entryByMethod[method.fullName].map { entry in
                        let upstream = configuration.services[entry].upstream
                        return configuration.options(
                            of: method, in: entry,
                            serviceConfigs[upstream]?.method(method.fullName))
                    } ?? MethodOptions()
                })
        } catch {
            for problem in error.problems {
                let rule = problem.rule.map { rules[$0].rule.position }
                let entry = entryByMethod[problem.method] ?? 0
                let position = rule ?? configuration.services[entry].position
                report(position, "\(problem)")
            }
            return nil
        }
    }

    /// A field of `sse` that no server stream has is a misspelling.
    private mutating func checkStreams() {
        for (index, service) in configuration.services.enumerated() where sources[index] != nil {
            guard let pool = pools[service.upstream] else { continue }
            let streams = pool.services.flatMap(\.methods).filter {
                entryByMethod[$0.fullName] == index && $0.isServerStreaming
            }
            checkEvents(
                service.stream.idField, service.stream.lastEventIDField, of: streams, pool.tables,
                at: service.streamPosition, "services[\(index)].sse")
            for (number, method) in service.methods.enumerated() {
                checkEvents(
                    method.stream.idField ?? "", method.stream.lastEventIDField ?? "",
                    of: streams.filter { method.selects($0) }, pool.tables,
                    at: method.streamPosition, "services[\(index)].methods[\(number)].sse")
            }
        }
    }

    private mutating func checkEvents(
        _ idField: String, _ lastEventIDField: String, of streams: [MethodDescriptor],
        _ tables: DescriptorTables, at position: SourcePosition, _ path: String
    ) {
        if !idField.isEmpty,
            !streams.contains(where: { StreamBinding.canName(events: idField, of: $0, tables) })
        {
            report(
                position,
                "\(path).id_field: no server stream answers with a field "
                    + "'\(YAMLNode.shortened(idField))' that is a single string or integer")
        }
        if !lastEventIDField.isEmpty,
            !streams.contains(where: {
                StreamBinding.canTake(lastEventID: lastEventIDField, in: $0, tables)
            })
        {
            report(
                position,
                "\(path).last_event_id_field: no server stream's request has a field "
                    + "'\(YAMLNode.shortened(lastEventIDField))' that a text can give")
        }
    }

    /// A selector of `methods` that fits nothing is a misspelling.
    private mutating func checkMethods() {
        for (index, service) in configuration.services.enumerated() where sources[index] != nil {
            guard let pool = pools[service.upstream] else { continue }
            for (position, method) in service.methods.enumerated() {
                let fits = pool.services.contains { declared in
                    declared.methods.contains {
                        entryByMethod[$0.fullName] == index && method.selects($0)
                    }
                }
                if fits { continue }
                let hint = Spelling.hint(method.selector.value, among: Array(entryByMethod.keys))
                report(
                    method.selector.position,
                    "services[\(index)].methods[\(position)].selector: "
                        + "'\(YAMLNode.shortened(method.selector.value))' fits no method of this entry\(hint)"
                )
            }
        }
    }
}

extension Configuration {
    /// What holds for a method that entry `index` of `services` serves.
    /// - Parameter config: what the upstream's service config says of it: more than the upstream's own section, less
    ///   than `methods`.
    fileprivate func options(
        of method: MethodDescriptor, in index: Int, _ config: ServiceConfig.MethodConfig?
    ) -> MethodOptions {
        let service = services[index]
        let upstream = upstreams[service.upstream]
        var options = MethodOptions()
        options.json = service.json
        options.rest = service.rest
        options.stream = service.stream
        options.metadata = service.metadata.map {
            MetadataPolicy(request: $0.request, response: $0.response)
        }
        options.upstream = service.upstream
        options.timeoutDefault = upstream.timeoutDefault
        options.timeoutMax = upstream.timeoutMax
        options.retry = upstream.retry
        options.hedging = upstream.hedging
        config?.apply(to: &options)
        for overrides in service.methods where overrides.selects(method) {
            overrides.json.apply(to: &options.json)
            overrides.rest.apply(to: &options.rest)
            overrides.stream.apply(to: &options.stream)
            overrides.timeout.apply(default: &options.timeoutDefault, max: &options.timeoutMax)
            if overrides.retry != RetryOverrides() { options.hedging = nil }
            overrides.retry.apply(to: &options.retry)
            overrides.hedging?.apply(to: &options.hedging)
        }
        return options
    }
}

extension MethodConfiguration {
    fileprivate func selects(_ method: MethodDescriptor) -> Bool {
        let service = method.fullName.dropLast(method.name.count + 1)
        return selector.value == service
            || HTTPRule(selector: selector.value, httpMethod: nil, path: "").selects(
                method.fullName)
    }
}
