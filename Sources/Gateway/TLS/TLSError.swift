import COpenSSL
import Glibc

/// A file of a TLS context that cannot be used: which one, and why.
public struct TLSLoadError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The path as the settings name it; empty when no file is to blame.
    public let file: String
    /// Such as "No such file or directory" or "does not match the certificate in server.pem".
    public let reason: String

    /// "server.key: does not match the certificate in server.pem"
    public var description: String { file.isEmpty ? reason : "\(file): \(reason)" }
}

/// Why a handshake or an established TLS connection failed. A peer's fault: a value, never a trap.
public struct TLSFailure: Error, Sendable, Equatable {
    /// For the log and for the status of calls, such as "no shared cipher".
    public let reason: String
    /// The peer spoke plain HTTP to a port that expects TLS.
    let isPlainHTTP: Bool

    init(_ reason: String, isPlainHTTP: Bool = false) {
        self.reason = reason
        self.isPlainHTTP = isPlainHTTP
    }
}

/// OpenSSL's queue of errors, one a thread. Empty between our calls: whoever fails takes what is in it.
enum OpenSSLErrors {
    /// The first error of a failed call: the others are its consequences.
    struct Cause: Equatable {
        let library: Int32
        let reason: Int32
        let text: String

        /// errno, where a system call failed.
        var systemError: Int32? { library == ERR_LIB_SYS ? reason : nil }

        func isTLS(_ code: Int32) -> Bool { library == ERR_LIB_SSL && reason == code }
        func isPEM(_ code: Int32) -> Bool { library == ERR_LIB_PEM && reason == code }
        func isX509(_ code: Int32) -> Bool { library == ERR_LIB_X509 && reason == code }
    }

    /// Must precede every call whose failure `SSL_get_error` is to explain.
    static func clear() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// Takes the cause and empties the queue; nil when it was empty.
    static func take() -> Cause? {
        let code = ERR_get_error()
        guard code != 0 else { return nil }
        ERR_clear_error()
        let reason = ERR_GET_REASON(code)
        if ERR_GET_LIB(code) == ERR_LIB_SYS {
            return Cause(library: ERR_LIB_SYS, reason: reason, text: systemText(reason))
        }
        guard let text = unsafe ERR_reason_error_string(code) else {
            return Cause(
                library: ERR_GET_LIB(code), reason: reason, text: "OpenSSL error \(code)")
        }
        return unsafe Cause(
            library: ERR_GET_LIB(code), reason: reason, text: String(cString: text))
    }

    static func systemText(_ code: Int32) -> String { SystemError("tls", code: code).reason }
}
