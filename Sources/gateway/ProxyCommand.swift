import ArgumentParser
import Gateway
import Glibc
import Logging
import ProtoRuntime
import Transcode

/// `gateway proxy TARGET`: a gateway before one upstream, without a configuration file.
struct ProxyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy",
        abstract: "Serve REST/JSON, Connect and gRPC before one gRPC upstream.")

    @Argument(
        help:
            "The upstream: HOST:PORT, dns:///HOST:PORT, srv:///NAME, unix:/PATH, or https://HOST:PORT for TLS."
    )
    var target: String
    @OptionGroup var descriptors: DescriptorArguments
    @OptionGroup var listening: ListenArguments
    @OptionGroup var tls: ServerTLSArguments
    @OptionGroup var upstreamTLS: UpstreamTLSArguments
    @Option(help: "The largest message accepted, either way, in bytes.")
    var maxMessageBytes = 4 << 20
    @OptionGroup var json: JSONArguments
    @Option(
        help:
            "A page's origin that may call (CORS): https://app.example.com, https://*.example.com, or *."
    )
    var corsOrigin: [String] = []
    @Option(
        help: """
            Without --descriptors: seconds to wait for the upstream and for its reflection, which tells the services.
            """)
    var reflectionTimeout = 10
    @Option(help: "The admin listener; only 'off' is supported yet.")
    var admin = "off"

    func validate() throws {
        guard (1...3600).contains(reflectionTimeout) else {
            throw ValidationError("--reflection-timeout must be from 1 to 3600 seconds")
        }
        guard admin == "off" else { throw ValidationError("--admin \(admin) is not supported yet") }
        guard (1...(1 << 30)).contains(maxMessageBytes) else {
            throw ValidationError("--max-message-bytes must be from 1 to \(1 << 30)")
        }
        do throws(CORSPolicy.Origin.ParseError) {
            _ = try corsPolicy()
        } catch {
            throw ValidationError("--cors-origin: \(error.message)")
        }
        if let problem = upstreamTLS.problem(target: target) { throw ValidationError(problem) }
        if let problem = listening.problem(hasCertificate: tls.certificate != nil) {
            throw ValidationError(problem)
        }
    }

    func run() throws {
        let upstream = try GatewayRun.upstream(
            upstreamTLS.address(of: target), tls: try upstreamTLS.context(target: target))
        let listeners = try listening.resolve(tls: try tls.context())
        let schema =
            descriptors.files.isEmpty
            ? try UpstreamSchema(reflecting: upstream, timeoutSeconds: reflectionTimeout)
            : UpstreamSchema(
                pool: try descriptors.load(),
                source: descriptors.files.joined(separator: ", "))
        var settings = ServerSettings()
        settings.messageBytesMax = maxMessageBytes
        settings.cors = try corsPolicy()
        try GatewayRun.serve(
            schema: schema, options: json.options, upstream: upstream,
            listening: listeners, threads: listening.threads, settings: settings,
            reflection: schema.reflected.map {
                ReflectionRefresher.Subject(
                    index: 0, upstream: upstream,
                    timeoutNanoseconds: Int64(reflectionTimeout) * 1_000_000_000,
                    interval: ProxyCommand.reflectionIntervalNanoseconds, known: $0)
            })
    }

    /// How often the upstream is asked again what it serves.
    private static let reflectionIntervalNanoseconds: Int64 = 300_000_000_000

    private func corsPolicy() throws(CORSPolicy.Origin.ParseError) -> CORSPolicy? {
        guard !corsOrigin.isEmpty else { return nil }
        var origins: [CORSPolicy.Origin] = []
        for text in corsOrigin { origins.append(try CORSPolicy.Origin(text)) }
        return CORSPolicy(
            origins: origins, allowsCredentials: false, maxAgeSeconds: CORSPolicy.maxAgeSeconds)
    }
}

/// Where a gateway listens and with how many threads.
struct ListenArguments: ParsableArguments {
    @Option(
        name: .customLong("listen"),
        help:
            "Where to listen, HOST:PORT or unix:/PATH; port 0 picks one. http:// before it: without TLS."
    )
    var addresses: [String] = []
    @Option(help: "Reactor threads; as many as there are CPUs unless given.")
    var threads: Int?

    /// How many reactors one process may have.
    static let threadsMax = 256

    func validate() throws {
        guard (1...ListenArguments.threadsMax).contains(threads ?? 1) else {
            throw ValidationError("--threads must be from 1 to \(ListenArguments.threadsMax)")
        }
    }

    /// What is wrong with an address that asks for TLS without a certificate.
    func problem(hasCertificate: Bool) -> String? {
        guard !hasCertificate else { return nil }
        return addresses.first { $0.hasPrefix("https://") }.map {
            "--listen \($0) needs --tls-certificate"
        }
    }

    /// What to listen on. With `tls` every address speaks it that is not written http://.
    func resolve(tls: TLSServerContext? = nil) throws(CommandFailure) -> [Server.Listener] {
        var found: [Server.Listener] = []
        let standard = tls == nil ? "127.0.0.1:8080" : "127.0.0.1:8443"
        for text in addresses.isEmpty ? [standard] : addresses {
            var address = text[...]
            let isPlain = address.hasPrefix("http://")
            for scheme in ["http://", "https://"] where address.hasPrefix(scheme) {
                address = address.dropFirst(scheme.count)
            }
            let resolved = try ListenArguments.resolve(String(address))[0]
            found.append(Server.Listener(resolved, tls: isPlain ? nil : tls))
        }
        return found
    }

    static func resolve(_ address: String) throws(CommandFailure) -> [SocketAddress] {
        do throws(SocketAddress.ParseError) {
            return try SocketAddress.resolve(address)
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: error.description)
        }
    }
}
