import COpenSSL
import Glibc
import ProtoRuntime

/// TLS over one socket, either side. Loop-confined; the socket stays its owner's.
///
///     handshake ──done──▶ established ──close_notify, error──▶ ended
///
/// Level-triggered epoll does not tell of bytes that OpenSSL has already read. So `read` leaves none of them
/// behind but the beginning of a record; where something is left to be told, `needsAnotherRead` is set.
@safe
final class TLSStream {
    /// Plaintext of one record at most (RFC 8446 §5.1).
    static let recordBytesMax = 16 << 10
    /// Reads that brought a message without data, such as a new session ticket, in one turn at most.
    static let emptyReadsMax = 16

    enum Handshake: Equatable { case done, wantsRead, wantsWrite }
    enum ApplicationProtocol { case http2, http1 }

    private enum Outcome {
        case bytes
        /// A record without data; there may be more.
        case nothing
        case blocked
        case end
        case failed(TransportError)
    }

    private let ssl: OpaquePointer
    private let isServer: Bool
    /// What a client expects the certificate to be for.
    private let serverName: String
    private(set) var isEstablished = false
    /// After a fatal error OpenSSL must not be called any more.
    private var isBroken = false
    private var hasSentEnd = false
    /// What the next read reports: it came behind data.
    private var postponed: Outcome?

    /// Reading must be tried again as soon as the socket is writable.
    private(set) var needsAnotherRead = false
    /// Writing must be tried again when the socket is readable, not when it is writable.
    private(set) var writeNeedsReadable = false

    /// The server's side of a connection that was accepted.
    init(accepting socket: Socket, _ context: TLSServerContext) throws(TLSFailure) {
        unsafe ssl = try TLSStream.make(context.handle, socket)
        isServer = true
        serverName = ""
        unsafe SSL_set_accept_state(ssl)
    }

    /// The client's side of a connection that was made.
    init(connecting socket: Socket, _ context: TLSClientContext) throws(TLSFailure) {
        unsafe ssl = try TLSStream.make(context.handle, socket)
        isServer = false
        serverName = context.serverName
        unsafe SSL_set_connect_state(ssl)
        if let name = context.serverNameIndication {
            _ = unsafe copenssl_set_server_name(ssl, name)
        }
    }

    deinit { unsafe SSL_free(ssl) }

    private static func make(_ context: TLSContextHandle, _ socket: Socket) throws(TLSFailure)
        -> OpaquePointer
    {
        guard let made = unsafe context.makeConnection() else { throw TLSFailure("out of memory") }
        guard unsafe SSL_set_fd(made, socket.descriptor) == 1 else {
            unsafe SSL_free(made)
            throw TLSFailure("out of memory")
        }
        return unsafe made
    }

    // MARK: Handshake

    /// Goes on with the handshake as far as the socket allows.
    func handshake() throws(TLSFailure) -> Handshake {
        OpenSSLErrors.clear()
        let code = unsafe SSL_do_handshake(ssl)
        let systemError = errno
        if code == 1 {
            isEstablished = true
            return .done
        }
        switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        case let error:
            isBroken = true
            throw handshakeFailure(error, systemError)
        }
    }

    /// For what else is asked of the connection in this folder.
    var handle: OpaquePointer { unsafe ssl }

    /// Whether the peer has sent anything at all.
    var hasReceivedBytes: Bool { unsafe BIO_number_read(SSL_get_rbio(ssl)) > 0 }

    /// What ALPN settled on; nil when the peer did not use it.
    var applicationProtocol: ApplicationProtocol? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard unsafe name != nil else { return nil }
        return count == 2 ? .http2 : .http1
    }

    private func handshakeFailure(_ error: Int32, _ systemError: Int32) -> TLSFailure {
        let cause = OpenSSLErrors.take()
        if error == SSL_ERROR_SYSCALL, cause == nil, systemError != 0 {
            return TLSFailure(OpenSSLErrors.systemText(systemError))
        }
        guard let cause, !cause.isTLS(SSL_R_UNEXPECTED_EOF_WHILE_READING) else {
            return TLSFailure("the peer closed the connection")
        }
        if cause.isTLS(SSL_R_HTTP_REQUEST) {
            return TLSFailure("plain HTTP came instead of TLS", isPlainHTTP: true)
        }
        if cause.isTLS(SSL_R_WRONG_VERSION_NUMBER) || cause.isTLS(SSL_R_BAD_RECORD_TYPE) {
            return TLSFailure("the peer does not speak TLS (\(cause.text))")
        }
        if cause.isTLS(SSL_R_CERTIFICATE_VERIFY_FAILED) { return certificateFailure() }
        return TLSFailure(describe(cause))
    }

    private func certificateFailure() -> TLSFailure {
        let result = unsafe SSL_get_verify_result(ssl)
        var text = "unknown"
        if let found = unsafe X509_verify_cert_error_string(result) {
            unsafe text = String(cString: found)
        }
        let isOtherName =
            result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH
        let expected = isOtherName && !isServer ? ", it is not for '\(serverName)'" : ""
        return TLSFailure("the peer's certificate is not accepted: \(text)\(expected)")
    }

    private func describe(_ cause: OpenSSLErrors.Cause) -> String {
        guard cause.library == ERR_LIB_SSL, cause.reason >= SSL_AD_REASON_OFFSET else {
            return cause.text
        }
        return "the peer sent an alert: \(cause.text)"
    }

    // MARK: Data

    /// Reads about `room` bytes behind what `block` holds, and a record or two more where OpenSSL has them already.
    func read(into block: inout OutputBlock, atMost room: Int) throws(TransportError)
        -> Socket.Transfer
    {
        needsAnotherRead = false
        let before = block.count
        var outcome = postponed ?? .nothing
        var emptyReads = 0
        var isReadingAhead = true
        if postponed != nil { return try report(outcome, 0) }
        defer { if !isReadingAhead { unsafe SSL_set_read_ahead(ssl, 1) } }
        while true {
            let count = block.count - before
            if isReadingAhead, count > room - TLSStream.recordBytesMax {
                // Enough for this turn: what OpenSSL has is taken from it, no more from the socket.
                isReadingAhead = false
                unsafe SSL_set_read_ahead(ssl, 0)
            }
            if !isReadingAhead, count > 0, unsafe SSL_has_pending(ssl) == 0 { return .bytes(count) }
            outcome = readRecord(into: &block)
            switch outcome {
            case .bytes: continue
            case .nothing:
                emptyReads += 1
                guard emptyReads < TLSStream.emptyReadsMax else {
                    isBroken = true
                    let failure = TLSFailure("too many messages without data")
                    return try report(.failed(.tls(failure)), block.count - before)
                }
            case .blocked, .end, .failed: return try report(outcome, block.count - before)
            }
        }
    }

    /// Data first; what came behind it is for the next read.
    private func report(_ outcome: Outcome, _ count: Int) throws(TransportError) -> Socket.Transfer
    {
        if count > 0 {
            if case .blocked = outcome { return .bytes(count) }
            postponed = outcome
            needsAnotherRead = true
            return .bytes(count)
        }
        switch outcome {
        case .end:
            postponed = .end
            return .end
        case .failed(let error):
            postponed = outcome
            throw error
        case .bytes, .nothing, .blocked: return .blocked
        }
    }

    private func readRecord(into block: inout OutputBlock) -> Outcome {
        guard !isBroken else { return .end }
        OpenSSLErrors.clear()
        var code: Int32 = 0
        var systemError: Int32 = 0
        let count = unsafe block.append(atMost: TLSStream.recordBytesMax) { buffer in
            var count = 0
            errno = 0
            code = unsafe SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
            systemError = errno
            return code == 1 ? count : 0
        }
        if count > 0 { return .bytes }
        switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: return systemError == EAGAIN ? .blocked : .nothing
        case SSL_ERROR_WANT_WRITE:
            needsAnotherRead = true
            return .blocked
        case SSL_ERROR_ZERO_RETURN: return .end
        case let error:
            isBroken = true
            return failure(error, systemError, "read")
        }
    }

    /// Writes one record of `bytes`, which is not empty. After `.blocked` the same bytes must come again, and
    /// more may follow them.
    func write(_ bytes: Span<UInt8>) throws(TransportError) -> Socket.Transfer {
        writeNeedsReadable = false
        guard !isBroken, !hasSentEnd else { throw .system(SystemError("write", code: EPIPE)) }
        OpenSSLErrors.clear()
        var written = 0
        var code: Int32 = 0
        var systemError: Int32 = 0
        unsafe bytes.withUnsafeBufferPointer { buffer in
            errno = 0
            code = unsafe SSL_write_ex(ssl, buffer.baseAddress, buffer.count, &written)
            systemError = errno
        }
        if code == 1 { return .bytes(written) }
        switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_WANT_READ:
            writeNeedsReadable = true
            return .blocked
        case let error:
            isBroken = true
            guard case .failed(let error) = failure(error, systemError, "write") else {
                throw .system(SystemError("write", code: EPIPE))
            }
            throw error
        }
    }

    /// An end without close_notify is an end: HTTP has its own ways to tell that a message is complete.
    private func failure(_ error: Int32, _ systemError: Int32, _ call: StaticString) -> Outcome {
        let cause = OpenSSLErrors.take()
        if error == SSL_ERROR_SYSCALL, cause == nil {
            guard systemError != 0 else { return .end }
            return .failed(.system(SystemError(call, code: systemError)))
        }
        guard let cause, !cause.isTLS(SSL_R_UNEXPECTED_EOF_WHILE_READING) else { return .end }
        return .failed(.tls(TLSFailure(describe(cause))))
    }

    /// Tells the peer by close_notify that nothing follows. Reading goes on.
    func finishSending() {
        guard isEstablished, !isBroken, !hasSentEnd else { return }
        hasSentEnd = true
        _ = unsafe SSL_shutdown(ssl)
        OpenSSLErrors.clear()
    }
}
