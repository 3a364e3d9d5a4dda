import ProtoRuntime
import Transcode

extension ConfiguredGateway {
    /// What would be served, in lines for people.
    public var summary: [String] {
        var lines = ["listeners"]
        for listener in configuration.listeners {
            let address = listener.address.value
            let scheme = listener.tls == nil ? "http://" : "https://"
            lines.append("  \(address.hasPrefix("unix:") ? address : scheme + address)")
        }
        lines.append("upstreams")
        for upstream in configuration.upstreams {
            let targets = upstream.targets.map(\.description).joined(separator: ", ")
            lines.append("  \(upstream.name)  \(targets)\(ConfiguredGateway.timeouts(upstream))")
        }
        lines.append("services")
        lines += serviceLines
        for upstream in upstreamsToLearn {
            lines.append(
                "  what \(upstreams[upstream].name) tells by reflection when the gateway starts")
        }
        return lines
    }

    /// A line for each service and each upstream that serves methods of it.
    private var serviceLines: [String] {
        methods.pools.indices.flatMap { pool in
            methods.pools[pool].services.compactMap { service in
                let served = methods.methods.filter { method in
                    method.pool == pool
                        && service.methods.contains { $0.path == method.descriptor.path }
                }
                guard let first = served.first else { return nil }
                let routes = served.reduce(0) { $0 + $1.routes.count }
                let upstream = upstreams[first.options.upstream].name
                return
                    "  \(service.fullName) → \(upstream): \(ConfiguredGateway.count(served.count, "method")), "
                    + ConfiguredGateway.count(routes, "REST route")
            }
        }
    }

    private static func timeouts(_ upstream: UpstreamConfiguration) -> String {
        var text = upstream.tls == nil ? "" : ", TLS"
        if let value = upstream.timeoutDefault {
            text += ", timeout \(ConfigurationUnits.format(nanoseconds: value))"
        }
        if let value = upstream.timeoutMax {
            text += ", at most \(ConfigurationUnits.format(nanoseconds: value))"
        }
        return text
    }

    static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
