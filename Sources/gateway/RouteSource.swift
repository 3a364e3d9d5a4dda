import ArgumentParser
import Gateway
import Logging
import ProtoRuntime
import Transcode

/// Where `routes` and `explain` take their routes from: a configuration file, or descriptor sets alone.
struct RouteSource: ParsableArguments {
    @OptionGroup var descriptors: DescriptorArguments
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The configuration file (YAML or JSON), instead of --descriptors.")
    var file: String?

    func validate() throws {
        guard descriptors.files.isEmpty == (file != nil) else {
            throw ValidationError("either --descriptors or -c is needed, and not both")
        }
    }

    /// Reads the file and what it names; asks upstreams for their services where the file says so.
    func load() throws -> LoadedRoutes {
        if let file {
            var log = Logger(label: "gateway")
            log.logLevel = .warning
            let base = try ConfigurationFile.load(file)
            let learned = try base.askUpstreams(log)
            do throws(ConfigurationError) {
                let gateway = learned.isEmpty ? base : try base.learning(learned)
                return LoadedRoutes(methods: gateway.methods, file: file, gateway: gateway)
            } catch {
                throw ConfigurationFile.report(error)
            }
        }
        let methods = try GatewayRun.methodTable(try descriptors.load(), JSONOptions())
        return LoadedRoutes(methods: methods, file: nil, gateway: nil)
    }
}

/// The routes, and the words for where each comes from.
struct LoadedRoutes {
    let methods: MethodTable
    let file: String?
    let gateway: ConfiguredGateway?

    func method(ofRoute route: Int) -> Method {
        methods.methods[Int(methods.bindings[route].method)]
    }

    /// "google.api.http" for an annotation, "gateway.yaml:12" for a rule of the file.
    func origin(ofRoute route: Int) -> String {
        guard let gateway, let file, let rule = methods.bindings[route].rule else {
            return "google.api.http"
        }
        let rules = gateway.configuration.services.flatMap(\.rules)
        return "\(file):\(rules[rule].position.line)"
    }

    /// The upstream's name; nil without a file.
    func upstream(ofRoute route: Int) -> String? {
        gateway?.upstreams[method(ofRoute: route).options.upstream].name
    }
}
