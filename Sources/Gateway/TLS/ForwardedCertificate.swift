import COpenSSL
import ProtoRuntime

/// A client's certificate as Envoy tells upstreams of it, in one element of `x-forwarded-client-cert`:
///
///     Hash=<SHA-256>;Subject="<RFC 2253>";URI=<each>;DNS=<each>
///
/// Values with a comma, a semicolon, an equals sign or a quote are quoted.
@safe
enum ForwardedCertificate {
    /// Bytes of one element; a certificate that says more is told by its hash alone.
    static let bytesMax = 4 << 10

    /// nil when the client has shown no certificate.
    static func element(_ stream: TLSStream) -> [UInt8]? {
        guard let certificate = unsafe SSL_get1_peer_certificate(stream.handle) else { return nil }
        defer { unsafe X509_free(certificate) }
        let hash = unsafe self.hash(certificate)
        var text = hash
        if let subject = unsafe subject(certificate) { text += ";Subject=\"" + subject + "\"" }
        for (kind, name) in unsafe names(certificate) { text += ";\(kind)=" + quoted(name) }
        OpenSSLErrors.clear()
        return Array((text.utf8.count <= bytesMax ? text : hash).utf8)
    }

    private static func hash(_ certificate: OpaquePointer) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard unsafe X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else {
            return "Hash="
        }
        let digits = Array("0123456789abcdef".utf8)
        let text = digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "Hash=" + String(decoding: text, as: UTF8.self)
    }

    /// Escaped by OpenSSL so that quotes and bytes beyond ASCII may stand between quotes.
    private static func subject(_ certificate: OpaquePointer) -> String? {
        guard let buffer = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free(buffer) }
        let flags = UInt(copenssl_name_rfc2253())
        guard
            unsafe X509_NAME_print_ex(buffer, X509_get_subject_name(certificate), 0, flags) >= 0
        else { return nil }
        var text: UnsafeMutablePointer<CChar>?
        let count = unsafe copenssl_bio_text(buffer, &text)
        guard count > 0, let text = unsafe text else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// The URIs, then the DNS names. One with anything but printable ASCII is left out.
    private static func names(_ certificate: OpaquePointer) -> [(String, String)] {
        guard let list = unsafe copenssl_alternative_names(certificate) else { return [] }
        defer { unsafe GENERAL_NAMES_free(list) }
        var uris: [(String, String)] = []
        var hosts: [(String, String)] = []
        for index in 0..<(unsafe copenssl_name_count(list)) {
            var start: UnsafePointer<UInt8>?
            var count: Int32 = 0
            let kind = unsafe copenssl_name(list, index, &start, &count)
            guard let start = unsafe start, count > 0 else { continue }
            let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(count))
            guard unsafe bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { continue }
            let text = unsafe String(decoding: bytes, as: UTF8.self)
            if kind == GEN_URI { uris.append(("URI", text)) }
            if kind == GEN_DNS { hosts.append(("DNS", text)) }
        }
        return uris + hosts
    }

    static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { ",;=\"".utf8.contains($0) }) else { return text }
        var escaped = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return escaped + "\""
    }
}
