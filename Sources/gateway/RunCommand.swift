import ArgumentParser
import Gateway
import Logging

/// `gateway run -c FILE`: a gateway as its configuration file says.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Serve what a configuration file says.")

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: "The configuration file (YAML or JSON).")
    var file: String
    @Option(help: "Reactor threads; as many as there are CPUs unless given.")
    var threads: Int?

    func validate() throws {
        guard (1...ListenArguments.threadsMax).contains(threads ?? 1) else {
            throw ValidationError("--threads must be from 1 to \(ListenArguments.threadsMax)")
        }
    }

    func run() throws {
        let signals = Signals()
        var gateway = try ConfigurationFile.load(file)
        var log = Logger(label: "gateway")
        log.logLevel = Logger.Level(rawValue: gateway.configuration.log.level.rawValue) ?? .info
        let base = gateway
        let learned = try gateway.askUpstreams(log)
        do throws(ConfigurationError) {
            if !learned.isEmpty { gateway = try base.learning(learned) }
        } catch {
            throw ConfigurationFile.report(error)
        }
        var listeners: [Server.Listener] = []
        for (listener, tls) in zip(gateway.configuration.listeners, gateway.listenerTLS) {
            let address = try ListenArguments.resolve(listener.address.value)[0]
            listeners.append(Server.Listener(address, tls: tls))
        }
        try GatewayRun.serve(
            Server.Plan(
                listeners: listeners, upstreams: gateway.upstreams,
                threads: threads ?? Server.cpuCount, settings: gateway.settings,
                snapshot: Snapshot(methods: gateway.methods), log: log),
            upkeep: try gateway.upkeep(of: base, learned, log), signals: signals)
    }
}

/// `gateway check FILE`: whether `run` would take it, and what it would serve. Connects nothing, listens nowhere.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check a configuration file and print what it would serve.")

    @Argument(help: "The configuration file (YAML or JSON).")
    var file: String

    func run() throws {
        let gateway = try ConfigurationFile.load(file)
        for line in gateway.summary { Terminal.print(line) }
    }
}
