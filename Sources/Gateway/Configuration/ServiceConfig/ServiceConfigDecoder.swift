import Transcode

/// Decodes a service config and collects everything that is wrong with it, each with its path.
struct ServiceConfigDecoder {
    private(set) var problems: [String] = []

    /// - Returns: nil, and `problems`, when there is anything wrong.
    static func decode(_ text: [UInt8]) -> (config: ServiceConfig?, problems: [String]) {
        let tree: JSONTree
        do throws(JSONTree.ParseError) {
            tree = try JSONTree(parsing: text)
        } catch {
            return (nil, [error.message])
        }
        guard case .object = tree else { return (nil, ["expected an object"]) }
        var decoder = ServiceConfigDecoder()
        let config = decoder.config(tree)
        return decoder.problems.isEmpty ? (config, []) : (nil, decoder.problems)
    }

    private mutating func config(_ tree: JSONTree) -> ServiceConfig {
        var config = ServiceConfig()
        var seen: Set<String> = []
        for (index, entry) in array(tree["methodConfig"], "methodConfig").enumerated() {
            let path = "methodConfig[\(index)]"
            let method = methodConfig(entry, path)
            for name in method.names where !seen.insert(name).inserted {
                let shown = name.isEmpty ? "every method" : name
                problems.append("\(path).name: \(shown) has an entry before")
            }
            config.methods.append(method)
        }
        decodeBalance(tree, &config)
        if let scaling = tree["connectionScaling"], scaling != .null {
            let key = "maxConnectionsPerSubchannel"
            // No more than ten, whatever it says (gRFC A105).
            config.connectionsMax = count(scaling[key], "connectionScaling.\(key)", atLeast: 1)
                .map { min($0, 10) }
        }
        config.throttle = throttle(tree["retryThrottling"], "retryThrottling")
        if let health = tree["healthCheckConfig"], health != .null {
            // Without the name there is no health checking; "" is the server as a whole (gRFC A17).
            config.healthService = text(health["serviceName"], "healthCheckConfig.serviceName")
        }
        return config
    }

    // MARK: Methods

    private mutating func methodConfig(
        _ tree: JSONTree, _ path: String
    ) -> ServiceConfig.MethodConfig {
        var method = ServiceConfig.MethodConfig()
        method.names = array(tree["name"], "\(path).name").map { name($0, "\(path).name") }
        method.timeout = duration(tree["timeout"], "\(path).timeout")
        method.requestBytesMax = bytes(
            tree["maxRequestMessageBytes"], "\(path).maxRequestMessageBytes")
        method.responseBytesMax = bytes(
            tree["maxResponseMessageBytes"], "\(path).maxResponseMessageBytes")
        switch tree["waitForReady"] {
        case nil, .null: break
        case .bool(let waits): method.waitsForReady = waits
        default: problems.append("\(path).waitForReady: expected true or false")
        }
        if let policy = tree["retryPolicy"], policy != .null {
            method.retry = retry(policy, "\(path).retryPolicy")
        }
        if let policy = tree["hedgingPolicy"], policy != .null {
            method.hedging = hedging(policy, "\(path).hedgingPolicy")
            if method.retry != nil {
                problems.append("\(path): retryPolicy and hedgingPolicy exclude each other")
            }
        }
        return method
    }

    /// "pkg.Service/Method", "pkg.Service", or "" for the default of all.
    private mutating func name(_ tree: JSONTree, _ path: String) -> String {
        let service = text(tree["service"], "\(path).service") ?? ""
        let method = text(tree["method"], "\(path).method") ?? ""
        if service.isEmpty, !method.isEmpty {
            problems.append("\(path): a method needs its service")
        }
        return method.isEmpty ? service : "\(service)/\(method)"
    }

    private mutating func retry(_ tree: JSONTree, _ path: String) -> RetryOverrides {
        var retry = RetryOverrides()
        retry.attemptsMax = maxAttempts(tree["maxAttempts"], "\(path).maxAttempts")
        retry.initialBackoff = backoff(tree["initialBackoff"], "\(path).initialBackoff")
        retry.maxBackoff = backoff(tree["maxBackoff"], "\(path).maxBackoff")
        if let multiplier = number(tree["backoffMultiplier"], "\(path).backoffMultiplier") {
            if multiplier <= 0 {
                problems.append("\(path).backoffMultiplier: expected more than 0")
            }
            retry.multiplier = multiplier
        } else {
            problems.append("\(path).backoffMultiplier: missing")
        }
        retry.codes = codes(tree["retryableStatusCodes"], "\(path).retryableStatusCodes")
        if retry.codes == [] {
            problems.append("\(path).retryableStatusCodes: at least one is needed")
        }
        return retry
    }

    private mutating func hedging(_ tree: JSONTree, _ path: String) -> HedgingOverrides {
        var hedging = HedgingOverrides()
        hedging.attemptsMax = maxAttempts(tree["maxAttempts"], "\(path).maxAttempts")
        // Without a delay all are sent at once, and without codes every failure is fatal (gRFC A6).
        hedging.delay = duration(tree["hedgingDelay"], "\(path).hedgingDelay") ?? 0
        hedging.nonFatalCodes = codes(tree["nonFatalStatusCodes"], "\(path).nonFatalStatusCodes")
        return hedging
    }

    private mutating func maxAttempts(_ tree: JSONTree?, _ path: String) -> Int? {
        guard let attempts = number(tree, path) else {
            problems.append("\(path): missing")
            return nil
        }
        if attempts < 2 || attempts != attempts.rounded(.down) {
            problems.append("\(path): expected an integer of at least 2")
        }
        // More than five are five (gRFC A6).
        return Int(min(max(attempts, 2), 5))
    }

    private mutating func codes(_ tree: JSONTree?, _ path: String) -> StatusCodeSet {
        var found: StatusCodeSet = []
        for code in array(tree, path) {
            if let known = ServiceConfigDecoder.code(code) {
                found.insert(StatusCodeSet(known))
            } else {
                problems.append("\(path): expected names or numbers of codes")
            }
        }
        return found
    }

    private mutating func backoff(_ tree: JSONTree?, _ path: String) -> Int64? {
        guard let time = duration(tree, path) else {
            if tree == nil { problems.append("\(path): missing") }
            return nil
        }
        if time <= 0 { problems.append("\(path): expected more than 0") }
        return time
    }

    private static func code(_ tree: JSONTree) -> StatusCode? {
        switch tree {
        case .string(let name):
            StatusCode.allCases.first { $0 != .ok && $0.name == name.uppercased() }
        case .number(let number):
            StatusCode.allCases.first { $0 != .ok && Double($0.rawValue) == number }
        default: nil
        }
    }

    // MARK: The channel

    /// The first policy that is known (gRFC A24), else the old key.
    private mutating func decodeBalance(_ tree: JSONTree, _ config: inout ServiceConfig) {
        let list = array(tree["loadBalancingConfig"], "loadBalancingConfig")
        for entry in list {
            guard case .object(let members) = entry, members.count == 1 else {
                problems.append("loadBalancingConfig: each entry has one policy")
                continue
            }
            guard let known = ServiceConfigDecoder.balance(named: members[0].key) else { continue }
            config.balance = known
            decode(known, members[0].value, "loadBalancingConfig.\(members[0].key)", &config)
            return
        }
        if !list.isEmpty { problems.append("loadBalancingConfig: none of its policies is known") }
        config.balance = text(tree["loadBalancingPolicy"], "loadBalancingPolicy").flatMap {
            ServiceConfigDecoder.balance(named: $0.lowercased())
        }
    }

    /// What a policy says beside its name.
    private mutating func decode(
        _ balance: UpstreamOptions.Balance, _ policy: JSONTree, _ path: String,
        _ config: inout ServiceConfig
    ) {
        switch (balance, policy["shuffleAddressList"]) {
        case (.pickFirst, .bool(let shuffles)?): config.shufflesAddresses = shuffles
        case (.pickFirst, let other?) where other != .null:
            problems.append("\(path).shuffleAddressList: expected true or false")
        default: break
        }
        // No more than ten, whatever it says (gRFC A48).
        if balance == .leastRequest,
            let choices = count(policy["choiceCount"], "\(path).choiceCount", atLeast: 2)
        {
            config.drawnMax = min(choices, 10)
        }
    }

    private mutating func count(_ tree: JSONTree?, _ path: String, atLeast least: Int) -> Int? {
        guard let tree, tree != .null else { return nil }
        if case .number(let number) = tree, let count = Int(exactly: number), count >= least {
            return count
        }
        problems.append("\(path): expected an integer of at least \(least)")
        return nil
    }

    private static func balance(named name: String) -> UpstreamOptions.Balance? {
        switch name {
        case "pick_first": .pickFirst
        case "round_robin": .roundRobin
        case "least_request", "least_request_experimental": .leastRequest
        default: nil
        }
    }

    private mutating func throttle(_ tree: JSONTree?, _ path: String) -> ThrottleOptions? {
        guard let tree, tree != .null else { return nil }
        var throttle = ThrottleOptions()
        let tokens = number(tree["maxTokens"], "\(path).maxTokens") ?? 0
        let ratio = number(tree["tokenRatio"], "\(path).tokenRatio") ?? 0
        guard (1...1000).contains(tokens), tokens == tokens.rounded(.down) else {
            problems.append("\(path).maxTokens: expected an integer from 1 to 1000")
            return nil
        }
        guard ratio >= 0.001, ratio <= 1000 else {
            problems.append("\(path).tokenRatio: expected a number from 0.001 to 1000")
            return nil
        }
        throttle.tokensMax = Int(tokens)
        throttle.ratioThousandths = Int(ratio * 1000)
        return throttle
    }

    // MARK: Values

    private mutating func array(_ tree: JSONTree?, _ path: String) -> [JSONTree] {
        switch tree {
        case nil, .null: return []
        case .array(let items): return items
        default:
            problems.append("\(path): expected an array")
            return []
        }
    }

    private mutating func text(_ tree: JSONTree?, _ path: String) -> String? {
        switch tree {
        case nil, .null: return nil
        case .string(let text): return text
        default:
            problems.append("\(path): expected a string")
            return nil
        }
    }

    private mutating func number(_ tree: JSONTree?, _ path: String) -> Double? {
        switch tree {
        case nil, .null: return nil
        case .number(let number) where number.isFinite: return number
        default:
            problems.append("\(path): expected a number")
            return nil
        }
    }

    /// A size; 64-bit numbers may be strings in this JSON.
    private mutating func bytes(_ tree: JSONTree?, _ path: String) -> Int? {
        switch tree {
        case nil, .null: return nil
        case .number(let number):
            if let bytes = Int(exactly: number), bytes >= 0 { return bytes }
        case .string(let text): if let bytes = Int(text), bytes >= 0 { return bytes }
        default: break
        }
        problems.append("\(path): expected a number of bytes")
        return nil
    }

    /// google.protobuf.Duration: "1.5s".
    private mutating func duration(_ tree: JSONTree?, _ path: String) -> Int64? {
        switch tree {
        case nil, .null: return nil
        case .string(let text):
            if text.hasSuffix("s"), let seconds = Double(text.dropLast()), seconds >= 0,
                seconds <= 315_576_000
            {
                return Int64((seconds * 1e9).rounded())
            }
        default: break
        }
        problems.append("\(path): expected seconds, such as \"1.5s\"")
        return nil
    }
}
