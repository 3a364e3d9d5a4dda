import ProtoRuntime
import Transcode

/// Joins the entries of `services` into one method table. Start-up only.
struct ConfigurationAssembly {
    private(set) var problems: [ConfigurationProblem] = []
    private let configuration: Configuration
    /// Index of the entry that serves it, by the RPC's full name.
    private var entryByMethod: [String: Int] = [:]

    init(_ configuration: Configuration) { self.configuration = configuration }

    mutating func methodTable(
        readFile: (String) throws(ConfigurationFileError) -> [UInt8]
    ) -> MethodTable? {
        var sets: [[UInt8]] = []
        var pools: [DescriptorPool] = []
        for (index, service) in configuration.services.enumerated() {
            guard case .file(let path) = service.descriptors else { continue }
            let place = "services[\(index)].descriptors.file: \(path.value)"
            do throws(ConfigurationFileError) {
                let set = try readFile(path.value)
                guard let pool = link([set], at: path.position, place) else { continue }
                claim(pool, entry: index, at: path)
                pools.append(pool)
                if !sets.contains(set) { sets.append(set) }
            } catch {
                report(path.position, "\(place): \(error.reason)")
            }
        }
        guard problems.isEmpty, let first = pools.first, let last = configuration.services.last
        else {
            return nil
        }
        // One table of types for all: files are merged by name.
        let pool = sets.count == 1 ? first : link(sets, at: last.position, "services")
        return pool.flatMap { table($0) }
    }

    private mutating func report(_ position: SourcePosition, _ message: String) {
        problems.append(ConfigurationProblem(position: position, message: message))
    }

    private mutating func link(
        _ sets: [[UInt8]], at position: SourcePosition, _ place: String
    ) -> DescriptorPool? {
        do throws(DescriptorError) {
            return try DescriptorPool(fileDescriptorSets: sets)
        } catch {
            report(position, "\(place): \(error)")
            return nil
        }
    }

    // MARK: Which entry serves what

    /// Notes the methods that an entry exposes; each may have one entry only.
    private mutating func claim(
        _ pool: DescriptorPool, entry index: Int, at path: Located<String>
    ) {
        let entry = configuration.services[index]
        var used: Set<Int> = []
        var found = false
        // The gateway answers reflection and health itself.
        let services = pool.services.filter { !LocalServices.names.contains($0.fullName) }
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
                "services[\(index)].expose: '\(YAMLNode.shortened(pattern.value))' fits no method of \(path.value)\(hint)"
            )
        }
        if !found, entry.expose.isEmpty {
            report(
                path.position, "services[\(index)].descriptors.file: \(path.value) has no service")
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

    private mutating func table(_ pool: DescriptorPool) -> MethodTable? {
        var rules: [(rule: Located<HTTPRule>, entry: Int)] = []
        for (index, service) in configuration.services.enumerated() {
            rules += service.rules.map { ($0, index) }
        }
        let ignoresTrailingSlash = configuration.services.contains(where: \.ignoresTrailingSlash)
        if ignoresTrailingSlash,
            let strict = configuration.services.first(where: { !$0.ignoresTrailingSlash })
        {
            report(
                strict.position,
                "services: a 'rest.trailing_slash' that differs from service to service is not supported yet"
            )
            return nil
        }
        let entryByMethod = entryByMethod
        let optionsByEntry = configuration.services.map { options(of: $0) }
        do throws(MethodTableError) {
            return try MethodTable(
                pool: pool, rules: rules.map(\.rule.value),
                ignoresTrailingSlash: ignoresTrailingSlash,
                applies: { entryByMethod[$1.fullName] == rules[$0].entry },
                includes: { entryByMethod[$0.fullName] != nil },
                options: {
                    entryByMethod[$0.fullName].map { optionsByEntry[$0] } ?? MethodOptions()
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

    private func options(of service: ServiceConfiguration) -> MethodOptions {
        var options = MethodOptions()
        let upstream = configuration.upstreams[service.upstream]
        options.json = service.json
        options.rest = service.rest
        options.upstream = service.upstream
        options.timeoutDefault = upstream.timeoutDefault
        options.timeoutMax = upstream.timeoutMax
        options.messageBytesMax = configuration.limits.messageBytesMax
        return options
    }
}
