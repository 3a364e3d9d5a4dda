import ProtoRuntime

/// A connected byte stream in a loop with its unsent bytes: what HTTP/1.1 and HTTP/2 connections stand on.
///
/// Reading is on until paused; EPOLLOUT is asked for only after a short write. One owner, loop-confined.
/// Under TLS what the owner waits for and what the socket must become ready for may differ: owners pass every
/// readiness through `translate`.
struct Transport: ~Copyable {
    /// Bytes of output memory an idle connection may keep.
    static let keptBytesMax = 4 << 10

    private var stream: ByteStream
    /// Bytes to be written by the next `flush`.
    var output = ByteBuffer()
    private let loop: EventLoop
    private var token: LoopToken?
    /// What the owner waits for.
    private var interest: Readiness
    /// What the loop waits for.
    private var armed: Readiness

    /// Takes the stream over; `register` must follow.
    init(_ stream: ByteStream, loop: EventLoop) {
        self.stream = stream
        self.loop = loop
        interest = [.readable, .hangUp]
        armed = interest
    }

    /// Takes a plain socket over; `register` must follow.
    init(socket: Socket, loop: EventLoop) { self.init(ByteStream(socket), loop: loop) }

    var socket: Socket { stream.socket }
    var tls: TLSStream? { stream.tls }
    var isOpen: Bool { token != nil }
    var isReading: Bool { interest.contains(.readable) }

    /// Enters the loop. `connecting` waits for the socket to become writable first.
    mutating func register(_ handler: any EventHandler, connecting: Bool = false)
        throws(SystemError)
    {
        interest = connecting ? .writable : [.readable, .hangUp]
        armed = interest
        token = try loop.register(socket, interest: interest, handler: handler)
        arm()
    }

    /// Leaves the loop; the stream goes on elsewhere.
    mutating func release() -> ByteStream {
        if let token { loop.unregister(socket, token: token) }
        token = nil
        return stream
    }

    /// Pauses or resumes reading. While paused, a hang-up is still reported unless `hangUp` is false.
    mutating func setReading(_ reading: Bool, hangUp: Bool = true) {
        var wanted = interest
        if reading { wanted.insert(.readable) } else { wanted.remove(.readable) }
        if hangUp { wanted.insert(.hangUp) } else { wanted.remove(.hangUp) }
        setInterest(wanted)
    }

    /// After connecting: wait for bytes instead of for writability.
    mutating func becameConnected() { setInterest([.readable, .hangUp]) }

    // MARK: TLS

    /// From now on the socket speaks TLS; `handshake` must follow.
    mutating func secure(by tls: TLSStream) { stream = ByteStream(socket, tls: tls) }

    /// Goes on with the handshake.
    /// - Returns: whether it is done; then something may be there to be read, and the loop will not tell.
    mutating func handshake() throws(TLSFailure) -> Bool {
        guard let tls, !tls.isEstablished else { return true }
        switch try tls.handshake() {
        case .done: setInterest([.readable, .hangUp])
        case .wantsRead: setInterest(.readable)
        case .wantsWrite: setInterest(.writable)
        }
        return tls.isEstablished
    }

    /// What the socket's readiness means for the owner.
    func translate(_ readiness: Readiness) -> Readiness {
        guard let tls else { return readiness }
        var meant = readiness
        if tls.needsAnotherRead, isReading, readiness.contains(.writable) {
            meant.insert(.readable)
        }
        if tls.writeNeedsReadable, interest.contains(.writable), readiness.contains(.readable) {
            meant.insert(.writable)
        }
        return meant
    }

    // MARK: Bytes

    /// Reads about `room` bytes behind what `block` holds.
    mutating func read(into block: inout OutputBlock, atMost room: Int) throws(TransportError)
        -> Socket.Transfer
    {
        guard stream.tls != nil else { return try stream.read(into: &block, atMost: room) }
        defer { arm() }
        return try stream.read(into: &block, atMost: room)
    }

    /// Writes what is in `output` as far as the kernel takes it.
    /// - Returns: whether nothing is left.
    mutating func flush() throws(TransportError) -> Bool {
        while !output.isEmpty {
            guard case .bytes(let count) = try stream.write(output.readable) else {
                setInterest(interest.union(.writable))
                return false
            }
            output.consume(count)
        }
        output.shrink(toAtMost: Transport.keptBytesMax)
        if interest.contains(.writable) { setInterest(interest.subtracting(.writable)) }
        return true
    }

    /// Tells the peer that nothing more will be written; reading goes on.
    func finishSending() { stream.finishSending() }

    /// Leaves the loop and closes the socket. An end that is not in order, with bytes unsent, is none for TLS.
    mutating func close() {
        guard let token else { return }
        self.token = nil
        loop.unregister(socket, token: token)
        if output.isEmpty { stream.tls?.finishSending() }
        socket.close()
        output.removeAll()
        output.shrink(toAtMost: 0)
    }

    private mutating func setInterest(_ wanted: Readiness) {
        interest = wanted
        arm()
    }

    /// Makes the loop wait for what the owner's interest needs.
    private mutating func arm() {
        var wanted = interest
        if let tls {
            if tls.writeNeedsReadable, interest.contains(.writable) {
                wanted.remove(.writable)
                wanted.insert(.readable)
            }
            if tls.needsAnotherRead, isReading {
                wanted.remove(.readable)
                wanted.insert(.writable)
            }
        }
        guard wanted != armed, let token else { return }
        armed = wanted
        // The descriptor is registered and open, so this cannot fail but for lack of memory; then the
        // connection's timers end it.
        try? loop.setInterest(wanted, of: socket, token: token)
    }
}
