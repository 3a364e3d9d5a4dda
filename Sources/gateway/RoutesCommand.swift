import ArgumentParser
import ProtoRuntime
import Transcode

/// `gateway routes`: what can be called, and how.
struct RoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "Print the REST routes and the RPCs of a descriptor set.")

    @OptionGroup var descriptors: DescriptorArguments

    func validate() throws {
        if descriptors.files.isEmpty { throw ValidationError("--descriptors is missing") }
    }

    func run() throws {
        let methods = try GatewayRun.methodTable(try descriptors.load(), JSONOptions())
        let rows = methods.routes.patterns.map { ($0.httpMethod, $0.template.text, $0.owner) }
        let widths = (
            rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0
        )
        for row in rows {
            Terminal.print(
                RoutesCommand.padded(row.0, widths.0) + "  " + RoutesCommand.padded(row.1, widths.1)
                    + "  " + row.2)
        }
        for method in methods.methods {
            Terminal.print(
                "POST  \(method.descriptor.path)  \(RoutesCommand.protocols(of: method))")
        }
    }

    private static func protocols(of method: Method) -> String {
        "\(ServiceReport.kind(of: method)): \(ServiceReport.protocols(of: method))"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
