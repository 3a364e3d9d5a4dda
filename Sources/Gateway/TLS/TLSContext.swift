import COpenSSL

/// The TLS side of a listener: certificate, key, required client CA. Immutable, shared by all threads.
///
/// TLS 1.2 and later, ALPN `h2` before `http/1.1`; a client that offers only other protocols is refused, one
/// that offers none is welcome.
public final class TLSServerContext: Sendable {
    let handle: TLSContextHandle

    /// Reads the files. An expired certificate is fine: clients refuse it, and say so.
    public init(_ settings: TLSServerSettings) throws(TLSLoadError) {
        handle = try TLSContextHandle(isServer: true)
        try handle.loadIdentity(certificate: settings.certificate, key: settings.key)
        if let file = settings.clientCA { try handle.requireClientCertificate(from: file) }
        handle.selectProtocol()
    }
}

/// An `SSL_CTX`. Configured by one owner, then only read: OpenSSL locks what it changes itself.
@safe
final class TLSContextHandle: @unchecked Sendable {
    /// Lengths and names as ALPN wants them, in our order of preference.
    static let serverProtocols: StaticString = "\u{2}h2\u{8}http/1.1"
    static let clientProtocols: StaticString = "\u{2}h2"
    /// TLS 1.2: forward secrecy and authenticated encryption only, as HTTP/2 demands (RFC 9113 §9.2.2).
    static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
    /// Sessions resume only within this context; OpenSSL demands a name for that when it verifies clients.
    private static let sessionName: StaticString = "gateway"

    private let context: OpaquePointer

    init(isServer: Bool) throws(TLSLoadError) {
        let made = unsafe SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method())
        guard let made = unsafe made else {
            throw TLSLoadError(
                file: "", reason: "OpenSSL: \(OpenSSLErrors.take()?.text ?? "out of memory")")
        }
        unsafe context = made
        _ = unsafe copenssl_ctx_set_min_version(context, TLS1_2_VERSION)
        _ = unsafe SSL_CTX_set_options(context, copenssl_op_no_renegotiation())
        let mode =
            SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
            | SSL_MODE_RELEASE_BUFFERS
        _ = unsafe copenssl_ctx_set_mode(context, Int(mode))
        // A read ends after a message that carries no data: so a peer cannot keep us in it with those.
        _ = unsafe copenssl_ctx_clear_mode(context, Int(SSL_MODE_AUTO_RETRY))
        _ = unsafe copenssl_ctx_set_read_ahead(context, 1)
        // Sessions are resumed by tickets alone; a cache would be a lock between threads.
        _ = unsafe copenssl_ctx_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        _ = unsafe SSL_CTX_set_session_id_context(
            context, TLSContextHandle.sessionName.utf8Start,
            UInt32(TLSContextHandle.sessionName.utf8CodeUnitCount))
        guard unsafe SSL_CTX_set_cipher_list(context, TLSContextHandle.ciphers) == 1 else {
            throw TLSLoadError(
                file: "", reason: "OpenSSL: \(OpenSSLErrors.take()?.text ?? "no cipher")")
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    /// A new connection of this context; nil without memory.
    func makeConnection() -> OpaquePointer? { unsafe SSL_new(context) }

    // MARK: Files

    /// Loads our certificate with its chain, and its key.
    func loadIdentity(certificate: String, key: String) throws(TLSLoadError) {
        ERR_clear_error()
        guard unsafe SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw certificateError(certificate)
        }
        // OpenSSL would ask for a passphrase on the terminal.
        var isEncrypted = false
        let loaded = unsafe withUnsafeMutablePointer(to: &isEncrypted) { flag in
            unsafe SSL_CTX_set_default_passwd_cb(context, refusePassphrase)
            unsafe SSL_CTX_set_default_passwd_cb_userdata(context, flag)
            defer { unsafe SSL_CTX_set_default_passwd_cb_userdata(context, nil) }
            return unsafe SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1
        }
        guard loaded else {
            throw keyError(key, certificate: certificate, isEncrypted: isEncrypted)
        }
        guard unsafe SSL_CTX_check_private_key(context) == 1 else {
            ERR_clear_error()
            throw mismatch(key, certificate)
        }
    }

    /// Loads the roots that peers are verified by.
    func loadTrust(_ file: String) throws(TLSLoadError) {
        ERR_clear_error()
        guard unsafe SSL_CTX_load_verify_file(context, file) == 1 else {
            throw certificateError(file)
        }
    }

    func trustSystemRoots() {
        _ = unsafe SSL_CTX_set_default_verify_paths(context)
        ERR_clear_error()
    }

    private func certificateError(_ file: String) -> TLSLoadError {
        guard let cause = OpenSSLErrors.take() else {
            return TLSLoadError(file: file, reason: "holds no PEM certificate")
        }
        if cause.systemError != nil { return TLSLoadError(file: file, reason: cause.text) }
        if cause.isPEM(PEM_R_NO_START_LINE) || cause.isX509(X509_R_NO_CERTIFICATE_OR_CRL_FOUND) {
            return TLSLoadError(file: file, reason: "holds no PEM certificate")
        }
        return TLSLoadError(file: file, reason: "not a usable PEM certificate: \(cause.text)")
    }

    private func keyError(_ file: String, certificate: String, isEncrypted: Bool) -> TLSLoadError {
        let cause = OpenSSLErrors.take()
        if isEncrypted {
            return TLSLoadError(
                file: file, reason: "the key is encrypted; a key without passphrase is needed")
        }
        if let cause, cause.systemError != nil {
            return TLSLoadError(file: file, reason: cause.text)
        }
        if let cause,
            cause.isX509(X509_R_KEY_VALUES_MISMATCH) || cause.isX509(X509_R_KEY_TYPE_MISMATCH)
        {
            return mismatch(file, certificate)
        }
        return TLSLoadError(file: file, reason: "holds no PEM private key")
    }

    private func mismatch(_ key: String, _ certificate: String) -> TLSLoadError {
        TLSLoadError(file: key, reason: "does not match the certificate in \(certificate)")
    }

    // MARK: Whom to accept

    /// Server: every client must have a certificate that a root in `file` signed.
    func requireClientCertificate(from file: String) throws(TLSLoadError) {
        try loadTrust(file)
        guard let names = unsafe SSL_load_client_CA_file(file) else { throw certificateError(file) }
        unsafe SSL_CTX_set_client_CA_list(context, names)
        unsafe SSL_CTX_set_verify(
            context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// Client: the certificate must be for `name`, by its subjectAltName (RFC 9525).
    /// - Returns: whether the name is an IP address.
    func verifyServer(named name: String) throws(TLSLoadError) -> Bool {
        unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        let parameters = unsafe SSL_CTX_get0_param(context)
        unsafe X509_VERIFY_PARAM_set_hostflags(
            parameters,
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        defer { ERR_clear_error() }
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 { return true }
        guard !name.isEmpty, unsafe X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 else {
            throw TLSLoadError(file: "", reason: "'\(name)' cannot be a TLS server name")
        }
        return false
    }

    // MARK: ALPN

    func selectProtocol() { unsafe SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nil) }

    func offerProtocol() {
        let protocols = TLSContextHandle.clientProtocols
        _ = unsafe SSL_CTX_set_alpn_protos(
            context, protocols.utf8Start, UInt32(protocols.utf8CodeUnitCount))
    }
}

// MARK: OpenSSL's callbacks

/// Takes the first of our protocols that the client offers; none is a fatal alert (RFC 7301 §3.2).
private func chooseProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenCount: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?,
    _ offeredCount: UInt32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let chosen = unsafe chosen else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let ours = TLSContextHandle.serverProtocols
    var match: UnsafeMutablePointer<UInt8>?
    let code = unsafe SSL_select_next_proto(
        &match, chosenCount, ours.utf8Start, UInt32(ours.utf8CodeUnitCount), offered, offeredCount)
    guard code == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    // It points into `ours`, which lives for ever.
    unsafe chosen.pointee = UnsafePointer(match)
    return SSL_TLSEXT_ERR_OK
}

/// Notes in the flag at `context` that the key is encrypted, and gives no passphrase.
private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe context?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
