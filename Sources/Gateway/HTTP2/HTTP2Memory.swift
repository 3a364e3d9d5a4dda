import CNghttp2
import Glibc

/// The memory of a loop's nghttp2 sessions: small blocks are kept when they are freed, and handed out again.
///
/// A call takes ten of them and gives them back, which costs 60 instructions each with the C library and 20 here.
/// A block has 16 bytes in front, which name its class; in a free one the first word is the next free block.
@safe
final class HTTP2Memory {
    /// The classes: 32, 64, 128, 256, 512 and 1,024 bytes. Larger blocks are the C library's.
    private static let classCount = 6
    /// Bytes of blocks that are kept: those of some ten thousand streams.
    static let keptBytesMax = 16 << 20
    private static let headBytes = 16
    private static let large = classCount

    private var firstFree = unsafe InlineArray<6, UnsafeMutableRawPointer?>(repeating: nil)
    private var keptBytes = 0

    deinit {
        for index in 0..<HTTP2Memory.classCount {
            while let block = unsafe takeFree(index) { unsafe Glibc.free(block) }
        }
    }

    /// What nghttp2 calls. The sessions that are made with it must not outlive this object.
    var functions: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: Unmanaged.passUnretained(self).toOpaque(),
            malloc: { size, memory in unsafe HTTP2Memory.of(memory) { unsafe $0.allocate(size) } },
            free: { block, memory in
                guard let block = unsafe block else { return }
                unsafe HTTP2Memory.of(memory) { unsafe $0.release(block) }
            },
            calloc: { count, size, memory in
                let (total, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow,
                    let block = unsafe HTTP2Memory.of(memory, { unsafe $0.allocate(total) })
                else { return nil }
                return unsafe memset(block, 0, total)
            },
            realloc: { block, size, memory in
                unsafe HTTP2Memory.of(memory) { unsafe $0.resize(block, to: size) }
            })
    }

    private static func of<R>(_ memory: UnsafeMutableRawPointer?, _ body: (HTTP2Memory) -> R) -> R {
        unsafe Unmanaged<HTTP2Memory>.fromOpaque(memory.unsafelyUnwrapped)._withUnsafeGuaranteedRef(
            body)
    }

    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let index = HTTP2Memory.classIndex(size)
        var block: UnsafeMutableRawPointer?
        if index < HTTP2Memory.large {
            unsafe block =
                takeFree(index) ?? Glibc.malloc(HTTP2Memory.headBytes + HTTP2Memory.bytes(index))
        } else {
            guard size <= Int.max - HTTP2Memory.headBytes else { return nil }
            unsafe block = Glibc.malloc(HTTP2Memory.headBytes + size)
        }
        guard let block = unsafe block else { return nil }
        unsafe block.storeBytes(of: index, as: Int.self)
        return unsafe block + HTTP2Memory.headBytes
    }

    func release(_ pointer: UnsafeMutableRawPointer) {
        let block = unsafe pointer - HTTP2Memory.headBytes
        let index = unsafe block.load(as: Int.self)
        guard index < HTTP2Memory.large, keptBytes < HTTP2Memory.keptBytesMax else {
            unsafe Glibc.free(block)
            return
        }
        unsafe block.storeBytes(of: firstFree[index], as: UnsafeMutableRawPointer?.self)
        unsafe firstFree[index] = block
        keptBytes &+= HTTP2Memory.bytes(index)
    }

    func resize(_ pointer: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
        guard let pointer = unsafe pointer else { return unsafe allocate(size) }
        let block = unsafe pointer - HTTP2Memory.headBytes
        let index = unsafe block.load(as: Int.self)
        if index == HTTP2Memory.large {
            guard size <= Int.max - HTTP2Memory.headBytes,
                let moved = unsafe Glibc.realloc(block, HTTP2Memory.headBytes + size)
            else { return nil }
            return unsafe moved + HTTP2Memory.headBytes
        }
        let room = HTTP2Memory.bytes(index)
        if size <= room { return unsafe pointer }
        guard let moved = unsafe allocate(size) else { return nil }
        unsafe moved.copyMemory(from: pointer, byteCount: room)
        unsafe release(pointer)
        return unsafe moved
    }

    private func takeFree(_ index: Int) -> UnsafeMutableRawPointer? {
        guard let block = unsafe firstFree[index] else { return nil }
        unsafe firstFree[index] = block.load(as: UnsafeMutableRawPointer?.self)
        keptBytes &-= HTTP2Memory.bytes(index)
        return unsafe block
    }

    private static func bytes(_ index: Int) -> Int { 32 << index }

    private static func classIndex(_ size: Int) -> Int {
        guard size > 32 else { return 0 }
        return min(59 - (size - 1).leadingZeroBitCount, large)
    }
}
