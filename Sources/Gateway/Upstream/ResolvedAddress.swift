/// An address that a target stands for, and how much it is wanted beside the others.
struct ResolvedAddress: Equatable, Sendable {
    /// What an address weighs of which nothing is said, and an SRV record of weight 1.
    static let usualWeight = 16

    var address: SocketAddress
    /// 0 is most wanted; others only while those before cannot be connected.
    var priority = 0
    /// Its share of the calls among those of one priority; nil where nothing is said of it.
    var weight: Int?

    init(_ address: SocketAddress, priority: Int = 0, weight: Int? = nil) {
        self.address = address
        self.priority = priority
        self.weight = weight
    }

    /// What SRV records and the addresses of their hosts come to (RFC 2782): priorities count from 0, those without an
    /// address left out; the addresses of a host share its weight. Sorted, so that an unchanged answer compares equal.
    static func of(_ hosts: [(record: ServiceRecord, addresses: [SocketAddress])])
        -> [ResolvedAddress]
    {
        let found = hosts.filter { !$0.addresses.isEmpty }
        let numbers = Set(found.map(\.record.priority)).sorted()
        var result: [ResolvedAddress] = []
        for (priority, number) in numbers.enumerated() {
            let group = found.filter { $0.record.priority == number }
            let isWeighted = group.contains { $0.record.weight > 0 }
            var members: [ResolvedAddress] = []
            for (record, addresses) in group {
                // Of those that have none beside others, very few calls.
                let weight = isWeighted ? Int(record.weight) * usualWeight : usualWeight
                for address in addresses {
                    members.append(
                        ResolvedAddress(
                            address, priority: priority, weight: max(1, weight / addresses.count)))
                }
            }
            result += members.stablySorted { $0.address.order < $1.address.order }
        }
        return result
    }

    /// By priority, the most wanted ones first; an address that is there twice counts where it is most wanted.
    static func groups(_ addresses: [ResolvedAddress]) -> [[ResolvedAddress]] {
        var groups: [[ResolvedAddress]] = []
        for address in addresses.stablySorted(by: { $0.priority < $1.priority })
        where !groups.contains(where: { $0.contains { $0.address == address.address } }) {
            if groups.last?.first?.priority == address.priority {
                groups[groups.count - 1].append(address)
            } else {
                groups.append([address])
            }
        }
        return groups
    }
}

extension SocketAddress {
    /// IPv4 first, then by text.
    var order: (Int, String) { (isIPv6 ? 1 : 0, description) }
}
