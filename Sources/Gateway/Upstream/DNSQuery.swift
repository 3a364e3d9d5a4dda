import CAres
import Glibc

/// One look-up of a name, A and AAAA, or SRV before that, by c-ares in a loop: the only file that calls it.
///
/// c-ares opens and closes its own sockets and tells which to watch; its callbacks only note what happened, and the
/// outcome is told after its functions have returned. Each query has a c-ares channel of its own, so that it sees
/// /etc/resolv.conf as it is now.
@safe
final class DNSQuery: NameLookUp, TimerTarget {
    /// Milliseconds until a server is asked again.
    static let timeoutMilliseconds: Int32 = 2_000
    static let tries: Int32 = 2

    private let name: DNSName
    private let loop: EventLoop
    private let whenDone: (NameAnswer) -> Void
    private var channel: ares_channel?
    private var sockets: [Int32: DNSSocket] = [:]
    private var timer: EventLoop.TimerID?
    private var outcome: NameAnswer?
    private var isDone = false
    /// The name itself, or the hosts of its SRV records.
    private var hosts: [DNSHost] = []
    private var records: [ServiceRecord] = []
    /// Look-ups under way.
    private var pendingCount = 0
    private var timeToLive: Int64?
    private var failure: String?

    /// The owner keeps it until it is done, or cancels it.
    init(_ name: DNSName, loop: EventLoop, whenDone: @escaping (NameAnswer) -> Void) {
        self.name = name
        self.loop = loop
        self.whenDone = whenDone
    }

    func start() {
        if let problem = open() {
            outcome = .failure(problem)
        } else {
            switch name.records {
            case .addresses(let port): lookUp([DNSHost(name.host, port, query: self)])
            case .services:
                pendingCount = 1
                unsafe ares_query(
                    channel, name.host, DNSMessage.internetClass, ServiceRecord.type, onServices,
                    Unmanaged.passUnretained(self).toOpaque())
            }
        }
        proceed()
    }

    private func lookUp(_ hosts: [DNSHost]) {
        self.hosts = hosts
        pendingCount = hosts.count
        for host in hosts {
            var hints = ares_addrinfo_hints()
            hints.ai_family = AF_UNSPEC
            hints.ai_flags = ARES_AI_NOSORT | ARES_AI_NUMERICSERV
            unsafe ares_getaddrinfo(
                channel, host.name, "\(host.port)", &hints, onAddresses,
                Unmanaged.passUnretained(host).toOpaque())
        }
    }

    /// Nothing is under way any more.
    private func conclude() {
        guard pendingCount == 0, outcome == nil else { return }
        if hosts.isEmpty, !records.isEmpty {
            lookUp(records.map { DNSHost($0.host, $0.port, query: self) })
            return conclude()
        }
        let found =
            records.isEmpty
            ? hosts.flatMap { $0.addresses.sorted { $0.order < $1.order } }.map {
                ResolvedAddress($0)
            }
            : ResolvedAddress.of(Array(zip(records, hosts.map(\.addresses))))
        outcome =
            found.isEmpty
            ? .failure(failure ?? "no addresses") : .answer(found, timeToLive: timeToLive)
    }

    func cancel() {
        isDone = true
        close()
    }

    /// Makes the c-ares channel; says what went wrong.
    private func open() -> String? {
        var options = unsafe ares_options()
        unsafe options.sock_state_cb = onSocketState
        unsafe options.sock_state_cb_data = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe options.timeout = DNSQuery.timeoutMilliseconds
        unsafe options.tries = DNSQuery.tries
        var mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
        if name.server != nil || name.records == .services {
            // The name as it stands, and those that SRV records have.
            mask |= ARES_OPT_FLAGS
            unsafe options.flags = ARES_FLAG_NOSEARCH
        }
        var code = ARES_SUCCESS
        if let server = name.server {
            // Only that server, not /etc/hosts.
            mask |= ARES_OPT_LOOKUPS
            var lookups = Array("b".utf8CString)
            code = unsafe lookups.withUnsafeMutableBufferPointer { buffer in
                unsafe options.lookups = buffer.baseAddress
                return unsafe ares_init_options(&channel, &options, mask)
            }
            if code == ARES_SUCCESS {
                code = unsafe ares_set_servers_ports_csv(channel, server.description)
            }
        } else {
            code = unsafe ares_init_options(&channel, &options, mask)
        }
        return code == ARES_SUCCESS ? nil : DNSQuery.text(code)
    }

    // MARK: Events

    /// A socket is ready.
    fileprivate func process(_ descriptor: Int32, _ readiness: Readiness) {
        guard !isDone else { return }
        let isReadable = !readiness.isDisjoint(with: [.readable, .hangUp, .failed])
        let isWritable = readiness.contains(.writable)
        unsafe ares_process_fd(
            channel, isReadable ? descriptor : ARES_SOCKET_BAD,
            isWritable ? descriptor : ARES_SOCKET_BAD)
        proceed()
    }

    func timerFired(_ kind: UInt8) {
        timer = nil
        guard !isDone else { return }
        unsafe ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD)
        proceed()
    }

    /// Tells the outcome, or waits on.
    private func proceed() {
        if let timer { loop.cancel(timer) }
        timer = nil
        conclude()
        if let outcome {
            isDone = true
            close()
            whenDone(outcome)
            return
        }
        var wait = timeval()
        guard unsafe ares_timeout(channel, nil, &wait) != nil else { return }
        let nanoseconds = Int64(wait.tv_sec) * 1_000_000_000 + Int64(wait.tv_usec) * 1_000
        timer = loop.schedule(after: max(nanoseconds, 1_000_000), self)
    }

    private func close() {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard let open = unsafe channel else { return }
        unsafe channel = nil
        // Reports the sockets as closed, and a query under way as destroyed.
        unsafe ares_destroy(open)
        for socket in sockets.values { socket.leave() }
        sockets.removeAll()
    }

    // MARK: What c-ares tells

    fileprivate func watch(_ descriptor: Int32, _ interest: Readiness) {
        if interest.isEmpty {
            sockets.removeValue(forKey: descriptor)?.leave()
        } else if let socket = sockets[descriptor] {
            socket.watch(interest)
        } else {
            let socket = DNSSocket(descriptor, interest, query: self, loop: loop)
            if let socket { sockets[descriptor] = socket }
        }
    }

    fileprivate func addressesAnswered(
        of host: DNSHost, _ code: Int32, _ info: UnsafeMutablePointer<ares_addrinfo>?
    ) {
        pendingCount -= 1
        guard code == ARES_SUCCESS, let info = unsafe info else {
            failure = DNSQuery.text(code)
            return
        }
        var next = unsafe info.pointee.nodes
        while let node = unsafe next {
            unsafe next = node.pointee.ai_next
            guard
                let address = unsafe SocketAddress(
                    copying: node.pointee.ai_addr, count: Int(node.pointee.ai_addrlen))
            else { continue }
            lives(unsafe Int64(node.pointee.ai_ttl))
            if !host.addresses.contains(address) { host.addresses.append(address) }
        }
    }

    fileprivate func servicesAnswered(_ code: Int32, _ answer: UnsafeBufferPointer<UInt8>) {
        pendingCount -= 1
        var reply: UnsafeMutablePointer<ares_srv_reply>?
        let code =
            code == ARES_SUCCESS
            ? unsafe ares_parse_srv_reply(answer.baseAddress, Int32(answer.count), &reply) : code
        defer { unsafe ares_free_data(reply) }
        guard code == ARES_SUCCESS else {
            failure = DNSQuery.text(code)
            return
        }
        var records: [ServiceRecord] = []
        var next = unsafe reply
        while let record = unsafe next {
            unsafe next = record.pointee.next
            unsafe records.append(
                ServiceRecord(
                    priority: record.pointee.priority, weight: record.pointee.weight,
                    port: record.pointee.port, host: String(cString: record.pointee.host)))
        }
        self.records = ServiceRecord.wanted(records)
        if self.records.isEmpty { failure = "its SRV records name no service" }
        if let seconds = unsafe DNSMessage.timeToLive(Span(_unsafeElements: answer)) {
            lives(seconds)
        }
    }

    /// A record lives so many seconds: the answer does not live longer.
    private func lives(_ seconds: Int64) {
        guard seconds > 0, seconds < Int64(Int32.max) else { return }
        timeToLive = min(timeToLive ?? .max, seconds * 1_000_000_000)
    }

    private static func text(_ code: Int32) -> String {
        guard let text = unsafe ares_strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// A host that is looked up, and what is known of it.
private final class DNSHost {
    let name: String
    let port: UInt16
    unowned let query: DNSQuery
    var addresses: [SocketAddress] = []

    init(_ name: String, _ port: UInt16, query: DNSQuery) {
        self.name = name
        self.port = port
        self.query = query
    }
}

/// One of c-ares's sockets in the loop.
private final class DNSSocket: EventHandler {
    private let socket: Socket
    private let loop: EventLoop
    private weak var query: DNSQuery?
    private var token: LoopToken?

    init?(_ descriptor: Int32, _ interest: Readiness, query: DNSQuery, loop: EventLoop) {
        socket = Socket(descriptor: descriptor)
        self.loop = loop
        self.query = query
        do throws(SystemError) {
            token = try loop.register(socket, interest: interest, handler: self)
        } catch {
            // c-ares times out and says so.
            return nil
        }
    }

    func watch(_ interest: Readiness) {
        guard let token else { return }
        try? loop.setInterest(interest, of: socket, token: token)
    }

    func leave() {
        guard let token else { return }
        self.token = nil
        loop.unregister(socket, token: token)
    }

    func handle(_ readiness: Readiness) { query?.process(socket.descriptor, readiness) }
}

// MARK: c-ares's callbacks

private func onSocketState(
    _ context: UnsafeMutableRawPointer?, _ descriptor: Int32, _ readable: Int32, _ writable: Int32
) {
    guard let context = unsafe context else { return }
    let query = unsafe Unmanaged<DNSQuery>.fromOpaque(context).takeUnretainedValue()
    var interest = Readiness()
    if readable != 0 { interest.insert(.readable) }
    if writable != 0 { interest.insert(.writable) }
    query.watch(descriptor, interest)
}

private func onAddresses(
    _ context: UnsafeMutableRawPointer?, _ code: Int32, _ timeouts: Int32,
    _ info: UnsafeMutablePointer<ares_addrinfo>?
) {
    defer { unsafe ares_freeaddrinfo(info) }
    guard let context = unsafe context else { return }
    let host = unsafe Unmanaged<DNSHost>.fromOpaque(context).takeUnretainedValue()
    unsafe host.query.addressesAnswered(of: host, code, info)
}

private func onServices(
    _ context: UnsafeMutableRawPointer?, _ code: Int32, _ timeouts: Int32,
    _ answer: UnsafeMutablePointer<UInt8>?, _ count: Int32
) {
    guard let context = unsafe context else { return }
    let query = unsafe Unmanaged<DNSQuery>.fromOpaque(context).takeUnretainedValue()
    unsafe query.servicesAnswered(code, UnsafeBufferPointer(start: answer, count: Int(count)))
}
