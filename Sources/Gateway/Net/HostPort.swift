/// HOST:PORT as it is written, the host not looked up.
struct HostPort: Sendable, Equatable {
    /// A name or a numeric address, without brackets.
    var host: String
    var port: UInt16

    /// Reads "name:port", "1.2.3.4:port" or "[v6]:port".
    /// - Parameter allowsUnix: "unix:/path" is fine too, and gives an empty host.
    init(_ text: String, allowsUnix: Bool = false) throws(SocketAddress.ParseError) {
        if allowsUnix, text.hasPrefix("unix:") {
            _ = try SocketAddress(unix: text)
            (host, port) = ("", 0)
            return
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw .init(
                description: "'\(text)': expected HOST:PORT" + (allowsUnix ? " or unix:/PATH" : ""))
        }
        guard let port = UInt16(text[text.index(after: colon)...]) else {
            throw .init(description: "'\(text)': the port must be a number from 0 to 65535")
        }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            self.host = String(host.dropFirst().dropLast())
            guard SocketAddress(numericHost: self.host, port: port)?.isIPv6 == true else {
                throw .init(description: "'\(text)': there is no IPv6 address between the brackets")
            }
        } else {
            guard HostPort.isName(host) else {
                throw .init(
                    description: host.isEmpty
                        ? "'\(text)': the host is missing" : "'\(text)': '\(host)' is no host name")
            }
            self.host = String(host)
        }
        self.port = port
    }

    /// RFC 1123 names, a last dot allowed; underscores are common enough.
    static func isName(_ host: Substring) -> Bool {
        !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "_-.".utf8.contains(byte)
                }
            }
    }

    /// "host:port", brackets around a v6 address.
    var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
