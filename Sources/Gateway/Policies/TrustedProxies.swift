/// One network in CIDR form; an address alone is a network of one. IPv4 stands in IPv6's mapped range (RFC 4291 §2.5.5.2),
/// so that a client that comes as ::ffff:10.0.0.1 is the one that comes as 10.0.0.1.
public struct ProxyNetwork: Sendable, Equatable {
    private let high: UInt64
    private let low: UInt64
    private let bits: Int

    /// Why a text is no network.
    struct ParseError: Error, Equatable {
        let message: String
    }

    init(_ text: String) throws(ParseError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first,
            let address = SocketAddress(numericHost: String(first), port: 0)
        else {
            throw ParseError(
                message: "'\(YAMLNode.shortened(text))' is no network: write 10.0.0.0/8, fd00::/8, "
                    + "an address, or unix")
        }
        let most = address.isIPv6 ? 128 : 32
        var length = most
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let given = Int(parts[1]),
                given <= most
            else {
                throw ParseError(
                    message:
                        "'\(YAMLNode.shortened(text))': the prefix must be a number from 0 to \(most)"
                )
            }
            length = given
        }
        guard let number = ProxyNetwork.number(address) else {
            throw ParseError(message: "'\(YAMLNode.shortened(text))' is no network")
        }
        bits = length + 128 - most
        high = number.high & ProxyNetwork.mask(bits)
        low = number.low & ProxyNetwork.mask(bits - 64)
        guard high == number.high, low == number.low else {
            throw ParseError(
                message:
                    "'\(text)' has bits behind its prefix of \(length): write the network's first address"
            )
        }
    }

    /// A network of IPv6 has no IPv4 addresses, however short its prefix.
    func contains(high: UInt64, low: UInt64) -> Bool {
        let isIPv4 = high == 0 && low >> 32 == 0xFFFF
        return (bits >= 96 || !isIPv4) && high & ProxyNetwork.mask(bits) == self.high
            && low & ProxyNetwork.mask(bits - 64) == self.low
    }

    /// The first `count` of 64 bits; none below 0, all above 64.
    private static func mask(_ count: Int) -> UInt64 {
        if count <= 0 { return 0 }
        return count >= 64 ? .max : ~(UInt64.max >> UInt64(count))
    }

    /// The 128 bits of an IP address; nil for a Unix socket.
    static func number(_ address: SocketAddress) -> (high: UInt64, low: UInt64)? {
        switch address.form {
        case .ip4(let bytes, _): (0, 0xFFFF_0000_0000 | joined(bytes[..<4]))
        case .ip6(let bytes, _, _): (joined(bytes[..<8]), joined(bytes[8...]))
        case .unix: nil
        }
    }

    private static func joined(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Peers whose word about who calls is taken (`trusted_proxies`). Pure.
public struct TrustedProxies: Sendable, Equatable {
    public var networks: [ProxyNetwork] = []
    /// Whether whoever comes by a Unix socket is trusted.
    public var trustsUnix = false

    public init() {}

    /// nil: the kernel tells no address.
    func contains(_ peer: SocketAddress?) -> Bool {
        guard let peer else { return false }
        guard let number = ProxyNetwork.number(peer) else { return trustsUnix }
        return networks.contains { $0.contains(high: number.high, low: number.low) }
    }
}
