/// What the targets of an upstream stand for, as one reactor knows it: addresses that stay, and names as they were
/// resolved last.
final class TargetAddresses {
    private enum Target {
        case address(SocketAddress)
        case name(Resolver)
    }

    private var targets: [Target] = []
    private unowned let channel: Channel

    init(_ shared: UpstreamShared, of channel: Channel, reactor: Reactor) {
        self.channel = channel
        targets = shared.targets.map { target in
            switch target {
            case .address(let address): .address(address)
            case .name(let name):
                .name(
                    Resolver(name, upstream: channel.name, reactor: reactor) { [unowned channel] in
                        channel.targetsChanged()
                    })
            }
        }
    }

    private var resolvers: [Resolver] {
        targets.compactMap { target in
            if case .name(let resolver) = target { resolver } else { nil }
        }
    }

    /// All of them, in the order of the targets; the same one may be there twice.
    var addresses: [ResolvedAddress] {
        targets.flatMap { target in
            switch target {
            case .address(let address): [ResolvedAddress(address)]
            case .name(let resolver): resolver.outcome.addresses
            }
        }
    }

    /// Why there are no addresses; nil while there may yet be some.
    var failure: String? {
        let failures = resolvers.compactMap(\.outcome.failure)
        return failures.count == targets.count ? failures.joined(separator: "; ") : nil
    }

    func start() {
        for resolver in resolvers { resolver.start() }
    }

    func stop() {
        for resolver in resolvers { resolver.stop() }
    }

    /// A connection failed: names may stand for other addresses by now.
    func refresh() {
        for resolver in resolvers { resolver.refresh() }
    }
}
