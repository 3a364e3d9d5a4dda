import Synchronization

/// The TLS side of an upstream: whom to trust, which name to expect, our own certificate. Shared by all threads.
///
/// Its files may be read again: connections that are made afterwards use what they hold then, those that are there
/// stay as they are.
public final class TLSClientContext: Sendable {
    private let settings: TLSClientSettings
    private let current: Mutex<TLSContextHandle>
    /// Sent as SNI; nil when the name is an IP address (RFC 6066 §3).
    let serverNameIndication: String?
    /// What the certificate must be for.
    let serverName: String
    /// The files as they were before they were read first.
    let stamps: [FileStamp?]

    public init(_ settings: TLSClientSettings) throws(TLSLoadError) {
        self.settings = settings
        stamps = settings.files.map(FileStamp.of)
        serverName = settings.verifiedName
        let (handle, isAddress) = try TLSClientContext.load(settings)
        current = Mutex(handle)
        serverNameIndication = isAddress ? nil : serverName
    }

    /// What the next connection is made of.
    var handle: TLSContextHandle { current.withLock { $0 } }

    var files: [String] { settings.files }
    /// Nanoseconds between two looks at the files; 0: never.
    var rereadInterval: Int64 { settings.rereadInterval }

    /// Reads the files again. On an error what they held before stays.
    func reread() throws(TLSLoadError) {
        let handle = try TLSClientContext.load(settings).handle
        current.withLock { $0 = handle }
    }

    private static func load(
        _ settings: TLSClientSettings
    ) throws(TLSLoadError) -> (handle: TLSContextHandle, isAddress: Bool) {
        let handle = try TLSContextHandle(isServer: false)
        if let file = settings.ca { try handle.loadTrust(file) } else { handle.trustSystemRoots() }
        switch (settings.certificate, settings.key) {
        case (let certificate?, let key?):
            try handle.loadIdentity(certificate: certificate, key: key)
        case (nil, nil): break
        case (let file?, nil): throw TLSLoadError(file: file, reason: "a certificate needs a key")
        case (nil, let file?): throw TLSLoadError(file: file, reason: "a key needs a certificate")
        }
        let isAddress = try handle.verifyServer(named: settings.verifiedName)
        handle.offerProtocol()
        return (handle, isAddress)
    }
}
