import CLinux
import Glibc

/// Where a socket listens or connects: an IPv4 or IPv6 address with a port, or a Unix path.
public struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
    enum Form: Sendable, Equatable {
        /// Sixteen bytes in network order; IPv4 uses the first four.
        case ip4([UInt8], port: UInt16)
        case ip6([UInt8], port: UInt16, scope: UInt32)
        case unix(String)
    }

    let form: Form

    /// "127.0.0.1:8080", "[::1]:8080" or "unix:/run/gateway.sock".
    public var description: String {
        switch form {
        case .ip4(let bytes, let port):
            "\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3]):\(port)"
        case .ip6(_, let port, _): "[\(numericHost)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The address without its port, IPv4 in IPv6's mapped form as IPv4; empty for a Unix path.
    var host: String {
        switch form {
        case .ip4(let bytes, _): SocketAddress.dotted(bytes[...])
        case .ip6(let bytes, _, _):
            bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
                ? SocketAddress.dotted(bytes[12...]) : numericHost
        case .unix: ""
        }
    }

    private static func dotted(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { String($0) }.joined(separator: ".")
    }

    /// The same address with another port; a Unix path stays as it is.
    func withPort(_ port: UInt16) -> SocketAddress {
        switch form {
        case .ip4(let bytes, _): SocketAddress(form: .ip4(bytes, port: port))
        case .ip6(let bytes, _, let scope):
            SocketAddress(form: .ip6(bytes, port: port, scope: scope))
        case .unix: self
        }
    }

    var family: Int32 {
        switch form {
        case .ip4: AF_INET
        case .ip6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the kernel's form of the address.
    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        var storage = sockaddr_storage()
        let length = unsafe withUnsafeMutableBytes(of: &storage) { raw in
            unsafe fill(raw)
        }
        return unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, length)
            }
        }
    }

    /// Reads the kernel's form; nil for a family that is not known here.
    init?(storage: sockaddr_storage) {
        var copy = storage
        let family = Int32(copy.ss_family)
        let form: Form? = unsafe withUnsafeBytes(of: &copy) { raw in
            switch family {
            case AF_INET:
                unsafe .ip4(Array(raw[4..<8]), port: UInt16(raw[2]) << 8 | UInt16(raw[3]))
            case AF_INET6:
                unsafe .ip6(
                    Array(raw[8..<24]), port: UInt16(raw[2]) << 8 | UInt16(raw[3]),
                    scope: raw.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
            case AF_UNIX: .unix("")
            default: nil
            }
        }
        guard let form else { return nil }
        self.form = form
    }

    init(form: Form) { self.form = form }

    /// Copies an address that C code holds.
    init?(copying address: UnsafePointer<sockaddr>?, count: Int) {
        guard let address = unsafe address else { return nil }
        var storage = sockaddr_storage()
        unsafe withUnsafeMutableBytes(of: &storage) { raw in
            let bytes = unsafe UnsafeRawBufferPointer(start: address, count: min(count, raw.count))
            unsafe raw.copyMemory(from: bytes)
        }
        self.init(storage: storage)
    }

    private var numericHost: String {
        var text = [CChar](repeating: 0, count: 64)
        guard case .ip6(let bytes, _, _) = form else { return "" }
        let done = unsafe bytes.withUnsafeBytes { raw in
            unsafe inet_ntop(AF_INET6, raw.baseAddress, &text, socklen_t(text.count)) != nil
        }
        return done
            ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            : ""
    }

    private func fill(_ raw: UnsafeMutableRawBufferPointer) -> socklen_t {
        unsafe raw.storeBytes(of: sa_family_t(family), as: sa_family_t.self)
        switch form {
        case .ip4(let bytes, let port):
            unsafe raw.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (index, byte) in bytes.enumerated() { unsafe raw[4 + index] = byte }
            return socklen_t(MemoryLayout<sockaddr_in>.size)
        case .ip6(let bytes, let port, let scope):
            unsafe raw.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (index, byte) in bytes.enumerated() { unsafe raw[8 + index] = byte }
            unsafe raw.storeBytes(of: scope, toByteOffset: 24, as: UInt32.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        case .unix(let path):
            let bytes = Array(path.utf8.prefix(SocketAddress.unixPathBytesMax))
            for (index, byte) in bytes.enumerated() { unsafe raw[2 + index] = byte }
            return socklen_t(2 + bytes.count + 1)
        }
    }

    /// The kernel's limit on the path of a Unix socket, without its terminator.
    static let unixPathBytesMax = 107
}

extension SocketAddress {
    /// Why an address could not be read.
    public struct ParseError: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Reads "host:port", "[v6]:port" or "unix:/path". A name is looked up by the system's resolver, which
    /// blocks: for start-up only.
    /// - Returns: every address of the name, at least one.
    public static func resolve(_ text: String, passive: Bool = false) throws(ParseError)
        -> [SocketAddress]
    {
        if text.hasPrefix("unix:") { return [try SocketAddress(unix: text)] }
        guard let colon = text.lastIndex(of: ":") else {
            throw ParseError(description: "'\(text)': expected HOST:PORT or unix:/PATH")
        }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard let port = UInt16(digits), digits.first != "+" else {
            throw ParseError(description: "'\(text)': the port must be a number from 0 to 65535")
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        let found = lookUp(host: host, passive: passive).map { $0.withPort(port) }
        guard !found.isEmpty else {
            throw ParseError(description: "'\(text)': the host name '\(host)' is not known")
        }
        return found
    }

    /// Reads "unix:/path", also written "unix:///path".
    init(unix text: String) throws(ParseError) {
        var path = text.dropFirst("unix:".count)
        if path.hasPrefix("///") { path = path.dropFirst(2) }
        guard !path.isEmpty, path.utf8.count <= SocketAddress.unixPathBytesMax else {
            throw ParseError(
                description:
                    "'\(text)': a socket path has 1 to \(SocketAddress.unixPathBytesMax) bytes")
        }
        form = .unix(String(path))
    }

    /// An address of digits alone, such as "127.0.0.1" or "::1"; nil for a name.
    init?(numericHost host: String, port: UInt16) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, host, &bytes) == 1 {
            form = .ip4(Array(bytes[..<4]), port: port)
        } else if unsafe inet_pton(AF_INET6, host, &bytes) == 1 {
            form = .ip6(bytes, port: port, scope: 0)
        } else {
            return nil
        }
    }

    var isIPv6: Bool {
        if case .ip6 = form { return true }
        return false
    }

    private static func lookUp(host: String, passive: Bool) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = passive ? AI_PASSIVE : 0
        var list: UnsafeMutablePointer<addrinfo>?
        // One of host and service must be given; the port itself is set afterwards.
        guard unsafe getaddrinfo(host.isEmpty ? nil : host, "0", &hints, &list) == 0 else {
            return []
        }
        defer { unsafe freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            unsafe next = entry.pointee.ai_next
            let parsed = unsafe SocketAddress(
                copying: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            if let parsed, !found.contains(parsed) { found.append(parsed) }
        }
        return found
    }
}
