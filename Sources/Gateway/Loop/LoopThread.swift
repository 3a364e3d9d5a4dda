import Glibc

/// A thread that runs one loop from its start to its stop.
final class LoopThread {
    private var thread = pthread_t()

    /// What the thread starts with; handed over once.
    private final class Start {
        let body: () -> Void
        init(_ body: @escaping () -> Void) { self.body = body }
    }

    /// Starts `body` on a new thread.
    init(_ body: sending @escaping () -> Void) throws(SystemError) {
        let start = unsafe Unmanaged.passRetained(Start(body))
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                // Signals are the main thread's business, whenever this one was started.
                var all = sigset_t()
                _ = unsafe sigfillset(&all)
                _ = unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
                unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw SystemError("pthread_create", code: code)
        }
    }

    /// Waits until the thread has ended.
    func join() { _ = pthread_join(thread, nil) }
}
