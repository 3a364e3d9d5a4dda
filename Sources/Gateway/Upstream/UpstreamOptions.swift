/// How a channel treats its upstream. What each means to an operator: docs/upstreams.md.
public struct UpstreamOptions: Sendable, Equatable {
    /// Which connected address gets a call.
    public enum Balance: Sendable, Equatable {
        /// Each in turn.
        case roundRobin
        /// One address, the first that can be connected.
        case pickFirst
        /// Of two that are drawn, the one with fewer calls.
        case leastRequest
    }

    public var balance = Balance.roundRobin
    /// `pick_first` tries the addresses of each start in an order of its own (A62's shuffleAddressList).
    public var shufflesAddresses = false
    /// Addresses that `least_request` draws for a call (A48).
    public var drawnMax = 2
    /// Nanoseconds between two look-ups of a name, the time to live of an answer notwithstanding.
    public var resolveIntervalMin: Int64 = 5_000_000_000
    public var connection = ConnectionOptions()
    public var throttle = ThrottleOptions()
    public var circuit = CircuitOptions()
    /// Nil: no address is left out for what becomes of its calls.
    public var outliers: OutlierOptions?
    /// An address gets calls while its health service says that this service serves, "" for the server as a whole; nil:
    /// nobody asks it. Not with `pick_first`.
    public var health: String?

    /// `health` where there is a choice of addresses (gRFC A17).
    var healthService: String? { balance == .pickFirst ? nil : health }

    public init() {}
}

/// The connections to each address of an upstream, of each reactor.
public struct ConnectionOptions: Sendable, Equatable {
    /// Nanoseconds for TCP, the TLS handshake and the upstream's SETTINGS (gRPC's minimum connect timeout).
    public var connectTimeout: Int64 = 20_000_000_000
    /// Nanoseconds without any call, then the channel closes its connections until the next one (A62).
    public var idleMax: Int64 = 1_800_000_000_000
    /// Nanoseconds, spread by a tenth to either side, after which a connection takes no more calls; nil is no limit.
    public var ageMax: Int64?
    /// Connections to one address, of each reactor: the second one is made when the upstream allows no more calls on
    /// the first one (A105).
    public var countMax = 1
    /// Nanoseconds in which nothing was read before a PING is sent while calls are in flight; nil: never.
    public var keepaliveTime: Int64?
    /// Nanoseconds after a PING in which something must be read.
    public var keepaliveTimeout: Int64 = 20_000_000_000
    public var keepaliveWithoutCalls = false

    public init() {}
}

/// How much of an upstream is used at a time, over all reactors; nil is no limit.
public struct CircuitOptions: Sendable, Equatable {
    /// Calls, from their beginning to their end.
    public var callsMax: Int?
    /// Calls that wait for a connection or a free stream.
    public var waitingMax = 10_000
    /// Calls that are made again by the policy, until their end.
    public var retriesMax: Int?

    public init() {}
}

/// How many retries an upstream gets that fails (gRFC A6).
public struct ThrottleOptions: Sendable, Equatable {
    /// A failure takes one; while half of them are gone there are no retries.
    public var tokensMax = 1000
    /// Thousandths of a token that a success gives back.
    public var ratioThousandths = 100

    public init() {}
}
