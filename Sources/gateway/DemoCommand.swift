import ArgumentParser
import Gateway
import Logging
import ProtoRuntime
import Transcode

/// `gateway demo`: a small gRPC server and a gateway before it, in one process.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run a gateway before a built-in gRPC service, to try it out.")

    @OptionGroup var listening: ListenArguments
    @Option(help: "Where the built-in gRPC service listens; a free port of 127.0.0.1 unless given.")
    var upstreamListen: String?

    func validate() throws {
        if let problem = listening.problem(hasCertificate: false) {
            throw ValidationError(problem)
        }
    }

    func run() throws {
        let upstream = try upstreamListen.map { try ListenArguments.resolve($0)[0] }
        let pool = try DescriptorPool(fileDescriptorSets: [DemoDescriptors.fileDescriptorSet()])
        let signals = Signals()
        let server: DemoServer
        do throws(SystemError) {
            server = try DemoServer(address: upstream)
        } catch {
            throw CommandFailure(
                status: ExitStatus.cannotBind,
                message: "the demo's upstream\(upstreamListen.map { " on \($0)" } ?? ""): \(error)")
        }
        // Pages that are being tried out come from anywhere.
        var settings = ServerSettings()
        settings.cors = .open
        try server.start()
        defer { server.stop() }
        try GatewayRun.serve(
            schema: UpstreamSchema(pool: pool, source: nil), options: JSONOptions(),
            upstream: try GatewayRun.upstream("\(server.address)"),
            listening: try listening.resolve(), threads: listening.threads,
            settings: settings, signals: signals
        ) { addresses in
            for line in DemoBanner.lines(
                gatewayAddress: addresses[0], upstreamAddress: server.address)
            {
                Terminal.print(line)
            }
        }
    }
}
