import ArgumentParser
import Gateway

/// The gateway's own certificate, and whose certificates clients must have.
struct ServerTLSArguments: ParsableArguments {
    @Option(
        name: .customLong("tls-certificate"),
        help: "PEM file: the gateway's certificate and its chain. Listeners then speak TLS.")
    var certificate: String?
    @Option(name: .customLong("tls-key"), help: "PEM file: the key of --tls-certificate.")
    var key: String?
    @Option(
        name: .customLong("tls-client-ca"),
        help: "PEM file: roots of client certificates; every client then needs one.")
    var clientCA: String?

    func validate() throws {
        if certificate != nil, key == nil {
            throw ValidationError("--tls-certificate needs --tls-key")
        }
        if certificate == nil, let option = key.map({ _ in "--tls-key" }) ?? clientCAOption {
            throw ValidationError("\(option) needs --tls-certificate")
        }
    }

    private var clientCAOption: String? { clientCA.map { _ in "--tls-client-ca" } }

    /// Reads the files; nil without --tls-certificate.
    func context() throws(CommandFailure) -> TLSServerContext? {
        guard let certificate, let key else { return nil }
        do throws(TLSLoadError) {
            return try TLSServerContext(
                TLSServerSettings(certificate: certificate, key: key, clientCA: clientCA))
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: error.description)
        }
    }
}

/// How an https:// upstream is verified, and what the gateway shows it.
struct UpstreamTLSArguments: ParsableArguments {
    static let scheme = "https://"
    static let standardPort = ":443"

    @Option(
        name: .customLong("upstream-ca"),
        help: "PEM file: roots of the upstream's certificate; the system's unless given.")
    var ca: String?
    @Option(
        name: .customLong("upstream-certificate"),
        help: "PEM file: the certificate that the gateway shows the upstream.")
    var certificate: String?
    @Option(name: .customLong("upstream-key"), help: "PEM file: the key of --upstream-certificate.")
    var key: String?

    func validate() throws {
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--upstream-certificate and --upstream-key go together")
        }
    }

    /// What is wrong with `target`, alone or with these options.
    func problem(target: String) -> String? {
        if target.hasPrefix("http://") {
            return "'\(target)': give HOST:PORT for an upstream without TLS"
        }
        guard target.hasPrefix(UpstreamTLSArguments.scheme) else {
            let option =
                ca.map { _ in "--upstream-ca" } ?? certificate.map { _ in "--upstream-certificate" }
            return option.map { "\($0) needs an https:// upstream, '\(target)' is none" }
        }
        let address = address(of: target)
        return address.contains("/") || address.hasPrefix(":")
            ? "'\(target)': expected https://HOST:PORT" : nil
    }

    /// HOST:PORT of an https:// target; any other target as it is.
    func address(of target: String) -> String {
        guard target.hasPrefix(UpstreamTLSArguments.scheme) else { return target }
        var address = target.dropFirst(UpstreamTLSArguments.scheme.count)
        if address.hasSuffix("/") { address = address.dropLast() }
        let afterBracket = address.lastIndex(of: "]") ?? address.startIndex
        let hasPort = address[afterBracket...].contains(":")
        return String(address) + (hasPort ? "" : UpstreamTLSArguments.standardPort)
    }

    /// Reads the files; nil for a target that is not https://.
    func context(target: String) throws(CommandFailure) -> TLSClientContext? {
        guard target.hasPrefix(UpstreamTLSArguments.scheme) else { return nil }
        let address = address(of: target)
        let host = address[..<(address.lastIndex(of: ":") ?? address.endIndex)]
        do throws(TLSLoadError) {
            return try TLSClientContext(
                TLSClientSettings(
                    serverName: String(host), ca: ca, certificate: certificate, key: key))
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: error.description)
        }
    }
}
