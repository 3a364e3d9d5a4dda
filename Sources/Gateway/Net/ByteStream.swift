import ProtoRuntime

/// Why a connection cannot be read or written any more.
enum TransportError: Error, Equatable {
    case system(SystemError)
    case tls(TLSFailure)

    /// Such as "Connection reset by peer".
    var reason: String {
        switch self {
        case .system(let error): error.reason
        case .tls(let failure): "TLS: \(failure.reason)"
        }
    }
}

/// A connected socket, plain or under TLS, with the same way to read and write. Its holder closes it, once.
struct ByteStream {
    let socket: Socket
    let tls: TLSStream?

    init(_ socket: Socket, tls: TLSStream? = nil) {
        self.socket = socket
        self.tls = tls
    }

    /// Reads at most `room` bytes behind what `block` holds; under TLS a record or two more.
    func read(into block: inout OutputBlock, atMost room: Int) throws(TransportError)
        -> Socket.Transfer
    {
        if let tls { return try tls.read(into: &block, atMost: room) }
        do throws(SystemError) {
            return try socket.read(into: &block, atMost: room)
        } catch {
            throw .system(error)
        }
    }

    /// Writes as much of `bytes` as the kernel takes; under TLS one record at most.
    func write(_ bytes: Span<UInt8>) throws(TransportError) -> Socket.Transfer {
        if let tls { return try tls.write(bytes) }
        do throws(SystemError) {
            return try socket.write(bytes)
        } catch {
            throw .system(error)
        }
    }

    /// Nothing more will be written, reading goes on.
    func finishSending() {
        tls?.finishSending()
        socket.finishSending()
    }
}
