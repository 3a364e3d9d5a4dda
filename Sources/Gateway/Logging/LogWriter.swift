import CLinux
import Glibc
import Synchronization

/// Writes lines to standard error from a thread of its own, so that no loop waits for a slow reader.
///
/// Lines wait in a bounded queue; what does not fit is dropped, counted, and the count is written once there is room.
public final class LogWriter: Sendable {
    /// Bytes that may wait.
    static let waitingBytesMax = 1 << 20

    /// The one of this process. Its thread starts with the first line and ends with the process.
    public static let standardError = LogWriter(descriptor: 2)

    private struct Queue {
        var waiting: [UInt8] = []
        var dropped = 0
        var hasThread = false
    }

    private let descriptor: Int32
    private let queue = Mutex(Queue())
    /// Held while bytes are being written, so that `flush` can wait for them.
    private let writing = Mutex(())
    /// An eventfd that the thread waits on.
    private let wakeUp: Int32

    init(descriptor: Int32) {
        self.descriptor = descriptor
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC))
    }

    deinit { _ = close(wakeUp) }

    /// Whether people read along.
    public var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Queues a line, newline included. Safe from any thread; never waits for the reader.
    public func write(_ line: String) {
        let needsThread = queue.withLock { queue in
            guard queue.waiting.count + line.utf8.count <= LogWriter.waitingBytesMax else {
                queue.dropped += 1
                return false
            }
            queue.waiting += Array(line.utf8)
            defer { queue.hasThread = true }
            return !queue.hasThread
        }
        if needsThread { startThread() }
        var one: UInt64 = 1
        _ = unsafe Glibc.write(wakeUp, &one, MemoryLayout<UInt64>.size)
    }

    /// Writes everything that waits, and returns once it is out. For the end of the process, and before plain lines.
    public func flush() {
        writing.withLock { _ in
            while let bytes = take() { LogWriter.writeAll(bytes, to: descriptor) }
        }
    }

    private func startThread() {
        do throws(SystemError) {
            _ = try LoopThread { [self] in
                var count: UInt64 = 0
                while unsafe read(wakeUp, &count, MemoryLayout<UInt64>.size) > 0 || errno == EINTR {
                    flush()
                }
            }
        } catch {
            // Without a thread lines leave at the next `flush`.
            return
        }
    }

    private func take() -> [UInt8]? {
        queue.withLock { queue in
            var bytes = queue.waiting
            queue.waiting = []
            if queue.dropped > 0 {
                bytes += Array(
                    "(\(queue.dropped) log lines were dropped: standard error is slow)\n".utf8)
                queue.dropped = 0
            }
            return bytes.isEmpty ? nil : bytes
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { raw in
                unsafe Glibc.write(
                    descriptor, raw.baseAddress?.advanced(by: offset), bytes.count - offset)
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe Glibc.poll(&poll, 1, 1_000)
            } else if errno != EINTR {
                return
            }
        }
    }
}
