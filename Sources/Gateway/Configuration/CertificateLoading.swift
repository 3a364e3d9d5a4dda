/// Loads the PEM files that a configuration names, and gathers what is wrong with them. Start-up only.
struct CertificateLoading {
    private(set) var problems: [ConfigurationProblem] = []
    private let path: (String) -> String

    init(path: @escaping (String) -> String) { self.path = path }

    /// The TLS of a listener; nil for plain HTTP and after a problem.
    mutating func listener(_ configuration: Configuration, _ index: Int) -> TLSServerContext? {
        guard let tls = configuration.listeners[index].tls else { return nil }
        let settings = TLSServerSettings(
            certificate: path(tls.certificate.value), key: path(tls.key.value),
            clientCA: tls.clientCA.map { path($0.value) })
        do throws(TLSLoadError) {
            return try TLSServerContext(settings)
        } catch {
            report(
                error, "listeners[\(index)].tls", [tls.certificate, tls.key, tls.clientCA],
                otherwise: tls.certificate.position)
            return nil
        }
    }

    /// The TLS of an upstream; nil for plain connections and after a problem.
    mutating func upstream(_ upstream: UpstreamConfiguration) -> TLSClientContext? {
        guard let tls = upstream.tls else { return nil }
        let place = "upstreams.\(upstream.name).tls"
        guard let name = tls.serverName?.value ?? CertificateLoading.commonHost(upstream.targets)
        else {
            problems.append(
                ConfigurationProblem(
                    position: tls.position,
                    message: "\(place): 'server_name' is needed: the targets do not have one name"))
            return nil
        }
        var settings = TLSClientSettings(
            serverName: name, ca: tls.ca.map { path($0.value) },
            certificate: tls.certificate.map { path($0.value) }, key: tls.key.map { path($0.value) }
        )
        settings.rereadInterval = tls.rereadInterval
        do throws(TLSLoadError) {
            return try TLSClientContext(settings)
        } catch {
            report(error, place, [tls.ca, tls.certificate, tls.key], otherwise: tls.position)
            return nil
        }
    }

    /// The host of all targets, if it is one.
    private static func commonHost(_ targets: [UpstreamTarget]) -> String? {
        guard let first = targets.first?.host else { return nil }
        return targets.allSatisfy { $0.host == first } ? first : nil
    }

    /// Puts the error at the file it is about.
    private mutating func report(
        _ error: TLSLoadError, _ place: String, _ files: [Located<String>?],
        otherwise position: SourcePosition
    ) {
        let file = files.compactMap { $0 }.first { path($0.value) == error.file }
        problems.append(
            ConfigurationProblem(
                position: file?.position ?? position, message: "\(place): \(error)"))
    }
}
