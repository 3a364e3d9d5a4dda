import Transcode

/// A gRPC service config: what the owner of a service says of its calls, in the JSON of grpc/service_config.proto
/// (SEMANTICS g.3, g.6). Keys that it does not know mean something to other clients, and are passed over as gRPC does.
struct ServiceConfig: Equatable, Sendable {
    /// What holds for some methods.
    struct MethodConfig: Equatable, Sendable {
        /// "pkg.Service" or "pkg.Service/Method"; "" is every method.
        var names: [String] = []
        /// Nanoseconds.
        var timeout: Int64?
        var waitsForReady: Bool?
        var retry: RetryOverrides?
        var hedging: HedgingOverrides?
        var requestBytesMax: Int?
        var responseBytesMax: Int?
    }

    var methods: [MethodConfig] = []
    var balance: UpstreamOptions.Balance?
    /// What that policy says beside its name.
    var shufflesAddresses = false
    var drawnMax = 2
    /// Connections to one address.
    var connectionsMax: Int?
    var throttle: ThrottleOptions?
    /// What the health of its addresses is asked of.
    var healthService: String?

    /// What holds for a method: its own entry, else its service's, else that of all.
    func method(_ fullName: String) -> MethodConfig? {
        let parts = fullName.split(separator: ".")
        let service = parts.dropLast().joined(separator: ".")
        for name in ["\(service)/\(parts.last ?? "")", service, ""] {
            if let found = methods.first(where: { $0.names.contains(name) }) { return found }
        }
        return nil
    }
}

extension ServiceConfig.MethodConfig {
    /// Puts what it says in the place of what the upstream says.
    func apply(to options: inout MethodOptions) {
        if let timeout { options.timeoutAlways = timeout }
        if let waitsForReady { options.waitsForReady = waitsForReady }
        if let retry {
            // Its own four keys; how much of a request is kept is the upstream's.
            let kept = options.retry.requestBytes
            options.retry = RetryPolicy()
            options.retry.requestBytes = kept
            retry.apply(to: &options.retry)
            options.hedging = nil
        }
        hedging?.apply(to: &options.hedging)
        if let requestBytesMax { options.requestBytesMax = requestBytesMax }
        if let responseBytesMax { options.responseBytesMax = responseBytesMax }
    }
}
