import CLinux
import Glibc
import ProtoRuntime

/// System calls on a socket: EINTR is retried, EAGAIN is a value, everything else throws.
struct Socket: Equatable {
    /// What one read or write did.
    enum Transfer: Equatable {
        case bytes(Int)
        /// The kernel has nothing to give, or no room.
        case blocked
        /// Read only: the peer has finished sending.
        case end
    }

    let descriptor: Int32

    /// A non-blocking stream socket that is closed on exec.
    init(family: Int32) throws(SystemError) {
        let kind =
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            | Int32(SOCK_CLOEXEC.rawValue)
        descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { throw SystemError("socket") }
    }

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Reads at most `room` bytes behind what `block` holds.
    func read(into block: inout OutputBlock, atMost room: Int) throws(SystemError) -> Transfer {
        var transfer = Transfer.blocked
        _ = unsafe try block.append(atMost: room) { (buffer) throws(SystemError) -> Int in
            while true {
                let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
                if count > 0 {
                    transfer = .bytes(count)
                    return count
                }
                if count == 0 {
                    transfer = .end
                    return 0
                }
                if errno == EINTR { continue }
                if errno == EAGAIN { return 0 }
                throw SystemError("read")
            }
        }
        return transfer
    }

    /// Writes as much of `bytes` as the kernel takes.
    func write(_ bytes: Span<UInt8>) throws(SystemError) -> Transfer {
        while true {
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe send(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 { return .bytes(count) }
            if errno == EINTR { continue }
            if errno == EAGAIN { return .blocked }
            throw SystemError("write")
        }
    }

    /// A socket that connects to `address`: once it is writable `finishConnect` tells the outcome.
    static func dial(_ address: SocketAddress) throws(SystemError) -> Socket {
        let socket = try Socket(family: address.family)
        let result = unsafe address.withSockaddr {
            unsafe Glibc.connect(socket.descriptor, $0, $1)
        }
        guard result == 0 || errno == EINPROGRESS || errno == EINTR else {
            let error = SystemError("connect")
            socket.close()
            throw error
        }
        socket.disableDelay()
        return socket
    }

    /// The outcome of a connection attempt that became writable.
    func finishConnect() throws(SystemError) {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            throw SystemError("getsockopt")
        }
        guard code == 0 else { throw SystemError("connect", code: code) }
    }

    /// Accepts one connection; nil when none waits.
    func accept() throws(SystemError) -> (socket: Socket, peer: SocketAddress?)? {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let accepted = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe accept4(descriptor, address, &length, flags)
                }
            }
            if accepted >= 0 {
                return (Socket(descriptor: accepted), SocketAddress(storage: storage))
            }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO: continue
            case EAGAIN: return nil
            default: throw SystemError("accept")
            }
        }
    }

    /// Binds and listens. The address must be free: SO_REUSEPORT is not set, so a second gateway is refused.
    func listen(on address: SocketAddress, backlog: Int32) throws(SystemError) {
        setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        guard unsafe address.withSockaddr({ unsafe bind(descriptor, $0, $1) }) == 0 else {
            throw SystemError("bind")
        }
        guard Glibc.listen(descriptor, backlog) == 0 else { throw SystemError("listen") }
    }

    /// The address the socket is bound to, its port filled in by the kernel.
    func localAddress() throws(SystemError) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe getsockname(descriptor, address, &length)
            }
        }
        guard result == 0 else { throw SystemError("getsockname") }
        return SocketAddress(storage: storage)
    }

    /// Small writes leave at once. Has no effect on a Unix socket.
    func disableDelay() { setOption(Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// Sends FIN: nothing more will be written, reading goes on.
    func finishSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func close() { _ = Glibc.close(descriptor) }

    private func setOption(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
