import ArgumentParser
import ProtoRuntime
import Transcode

/// `gateway routes`: what can be called, and how.
struct RoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "Print the REST routes and the RPCs.",
        discussion: """
            First the REST routes in the order in which they are tried: of those that fit a request the first one serves \
            it. Then every RPC with the path by which the other protocols call it.
            """)

    @OptionGroup var source: RouteSource

    func run() throws {
        let routes = try source.load()
        let methods = routes.methods
        let rows = methods.routes.matchingOrder.map { route in
            let pattern = methods.routes.patterns[route]
            return [
                pattern.httpMethod, pattern.template.text, pattern.owner,
                routes.gateway == nil ? "" : routes.origin(ofRoute: route),
            ]
        }
        for line in RoutesCommand.table(rows) { Terminal.print(line) }
        for method in methods.methods {
            Terminal.print(
                "POST  \(method.descriptor.path)  \(ServiceReport.kind(of: method)): "
                    + ServiceReport.protocols)
        }
    }

    /// Columns two spaces apart.
    static func table(_ rows: [[String]]) -> [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (text, width) in zip(row, widths) {
                line += text + String(repeating: " ", count: width - text.count + 2)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
