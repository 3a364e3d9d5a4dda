import Gateway
import ProtoRuntime
import Transcode

/// Tells people what was found, by which protocol it is reached, and what is not served and why.
enum ServiceReport {
    /// One line: how many services of `target` are served, and how they are known.
    static func summary(_ methods: MethodTable, target: String, source: String) -> String {
        let services = Set(methods.methods.map(serviceName)).count
        return "serving \(plural(services, "service")) with "
            + "\(plural(methods.methods.count, "method")) of \(target), known by \(source)"
    }

    /// A line for each service and method, with the ways to it.
    static func lines(_ methods: MethodTable) -> [String] {
        var services: [String] = []
        var lines: [String] = []
        let width = methods.methods.map(\.descriptor.name.count).max() ?? 0
        for method in methods.methods {
            let service = serviceName(of: method)
            if services.last != service {
                services.append(service)
                lines.append("  \(service)")
            }
            let name = method.descriptor.name
            let padding = String(repeating: " ", count: width - name.count)
            lines.append(
                "    \(name)\(padding)  \(kind(of: method)): \(reach(of: method, methods))")
        }
        return lines
    }

    /// A line for each service that the upstream lists and that is not served.
    static func lines(_ skipped: [ReflectedServices.Skipped]) -> [String] {
        skipped.map { "  not served: \($0.service): \($0.reason)" }
    }

    static func kind(of method: Method) -> String {
        switch method.kind {
        case .unary: "unary"
        case .clientStream: "client stream"
        case .serverStream: "server stream"
        case .bidirectional: "bidi stream"
        }
    }

    /// The protocols by which every method is called.
    static let protocols = "gRPC, gRPC-Web, Connect"

    /// All ways to a method, and those that are not there with the reason.
    private static func reach(of method: Method, _ methods: MethodTable) -> String {
        let routes = method.routes.map { methods.routes.patterns[Int($0)] }
        let rest = routes.map { "REST \($0.httpMethod) \($0.template.text)" }
        guard method.kind == .unary else {
            return rest.isEmpty ? protocols : "\(protocols); not by REST: no streams there yet"
        }
        guard !rest.isEmpty else {
            return "\(protocols); not by REST, as it has no google.api.http rule"
        }
        return ([protocols] + rest).joined(separator: ", ")
    }

    private static func serviceName(of method: Method) -> String {
        String(method.descriptor.fullName.dropLast(method.descriptor.name.count + 1))
    }

    private static func plural(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
