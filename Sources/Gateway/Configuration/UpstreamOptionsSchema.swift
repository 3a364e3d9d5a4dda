extension UpstreamOptions {
    /// Decodes what an upstream says beside its targets, certificates and times.
    init(_ mapping: MappingDecoder) {
        self.init()
        let balances: [(String, Balance)] = [
            ("round_robin", .roundRobin), ("pick_first", .pickFirst),
            ("least_request", .leastRequest),
        ]
        if let value = mapping.choice("balance", balances) { balance = value }
        if let dns = mapping.mapping("dns") {
            let range = Configuration.second...Configuration.hour
            if let value = dns.duration("min_interval", in: range) { resolveIntervalMin = value }
            dns.finish()
        }
        if let section = mapping.mapping("connection") { connection = ConnectionOptions(section) }
        if let keepalive = mapping.mapping("keepalive") { connection.decodeKeepalive(keepalive) }
        outliers = mapping.mapping("outlier_detection").map { OutlierOptions($0) }
        if let section = mapping.mapping("health") {
            health = section.text("service")?.value ?? ""
            section.finish()
        }
        if balance == .pickFirst {
            for member in mapping.all where ["health", "outlier_detection"].contains(member.key) {
                mapping.decoder.report(
                    member.position,
                    "\(mapping.path(member.key)): not with 'balance: pick_first', which has one address at a time"
                )
            }
        }
        if let limits = mapping.mapping("limits") { circuit = CircuitOptions(limits) }
    }
}

extension ConnectionOptions {
    init(_ mapping: MappingDecoder) {
        self.init()
        let times = Configuration.second...24 * Configuration.hour
        if let value = mapping.duration("timeout", in: 100_000_000...Configuration.hour) {
            connectTimeout = value
        }
        if let value = mapping.duration("max_idle", in: times) { idleMax = value }
        ageMax = mapping.duration("max_age", in: times)
        if let value = mapping.integer("max_connections", in: 1...10) { countMax = value }
        mapping.finish()
    }
}

extension ConnectionOptions {
    fileprivate mutating func decodeKeepalive(_ mapping: MappingDecoder) {
        let times = Configuration.second...24 * Configuration.hour
        if mapping.required("time") != nil { keepaliveTime = mapping.duration("time", in: times) }
        if let value = mapping.duration("timeout", in: times) { keepaliveTimeout = value }
        if let value = mapping.boolean("without_calls") { keepaliveWithoutCalls = value }
        mapping.finish()
    }
}

extension CircuitOptions {
    init(_ mapping: MappingDecoder) {
        self.init()
        callsMax = mapping.integer("calls", in: 1...10_000_000)
        if let value = mapping.integer("waiting", in: 0...10_000_000) { waitingMax = value }
        retriesMax = mapping.integer("retries", in: 0...10_000_000)
        mapping.finish()
    }
}

extension OutlierOptions {
    init(_ mapping: MappingDecoder) {
        self.init()
        let times = Configuration.second...24 * Configuration.hour
        if let value = mapping.duration("interval", in: times) { interval = value }
        if let value = mapping.duration("base_ejection", in: times) { baseEjection = value }
        if let value = mapping.duration("max_ejection", in: times) { maxEjection = value }
        if let value = mapping.integer("max_ejected_percent", in: 0...100) {
            ejectedPercentMax = value
        }
        successRate = mapping.mapping("success_rate").map { SuccessRate($0) }
        failurePercentage = mapping.mapping("failure_percentage").map { FailurePercentage($0) }
        // Nobody writes the section to get nothing.
        if successRate == nil, failurePercentage == nil { failurePercentage = FailurePercentage() }
        mapping.finish()
    }
}

extension OutlierOptions.FailurePercentage {
    fileprivate init(_ mapping: MappingDecoder) {
        self.init()
        if let value = mapping.integer("threshold", in: 0...100) { threshold = value }
        if let value = mapping.integer("min_hosts", in: 1...10_000) { hostsMin = value }
        if let value = mapping.integer("volume", in: 1...1_000_000) { volumeMin = value }
        mapping.finish()
    }
}

extension OutlierOptions.SuccessRate {
    fileprivate init(_ mapping: MappingDecoder) {
        self.init()
        if let value = mapping.decimal("factor", in: 0...100) { factor = value }
        if let value = mapping.integer("min_hosts", in: 1...10_000) { hostsMin = value }
        if let value = mapping.integer("volume", in: 1...1_000_000) { volumeMin = value }
        mapping.finish()
    }
}
