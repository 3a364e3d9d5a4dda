import CLinux
import Glibc
import Synchronization

/// The one way into a loop from other threads: work is queued under a lock and an eventfd wakes the loop.
final class Mailbox: Sendable {
    typealias Work = @Sendable (EventLoop) -> Void

    /// Readable when there is work.
    let descriptor: Int32
    private let queue = Mutex<[Work]>([])

    init() throws(SystemError) {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit { _ = close(descriptor) }

    /// Queues work for the loop's thread. Safe from any thread.
    func send(_ work: @escaping Work) {
        queue.withLock { $0.append(work) }
        wake()
    }

    /// Wakes the loop. Only writes to a descriptor, so a signal handler may call it.
    func wake() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Everything queued so far; called on the loop's thread.
    func take() -> [Work] {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, MemoryLayout<UInt64>.size)
        return queue.withLock { queue in
            let taken = queue
            queue.removeAll()
            return taken
        }
    }
}
