import Glibc

/// One block of memory a thread, lent for the time of a call: for the rare call that needs room of its own, so that
/// such a call too allocates nothing once its thread has made one like it.
public enum SpareBlock {
    /// A block that grew larger goes back to the allocator.
    public static let keptBytesMax = 256 << 10

    /// Takes the thread's block, empty; a fresh one while it is out.
    public static func take() -> OutputBlock {
        var block = OutputBlock()
        guard let slot = unsafe slot() else { return block }
        unsafe swap(&block, &slot.pointee)
        return block
    }

    /// Gives back what `take` lent, whatever it holds.
    public static func giveBack(_ block: consuming OutputBlock) {
        guard let slot = unsafe slot() else { return }
        block.removeAll()
        block.shrink(toAtMost: keptBytesMax)
        unsafe swap(&block, &slot.pointee)
    }

    /// The thread's place for its block, made on first use; nil when the process has no keys or memory left for it.
    private static func slot() -> UnsafeMutablePointer<OutputBlock>? {
        guard let key else { return nil }
        if let known = unsafe pthread_getspecific(key) {
            return unsafe known.assumingMemoryBound(to: OutputBlock.self)
        }
        let slot = UnsafeMutablePointer<OutputBlock>.allocate(capacity: 1)
        unsafe slot.initialize(to: OutputBlock())
        guard unsafe pthread_setspecific(key, slot) == 0 else {
            unsafe slot.deinitialize(count: 1)
            unsafe slot.deallocate()
            return nil
        }
        return unsafe slot
    }

    /// Where each thread keeps its slot; freed with the thread.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        let status = unsafe pthread_key_create(&key) { slot in
            guard let slot = unsafe slot?.assumingMemoryBound(to: OutputBlock.self) else { return }
            unsafe slot.deinitialize(count: 1)
            unsafe slot.deallocate()
        }
        return status == 0 ? key : nil
    }()
}
