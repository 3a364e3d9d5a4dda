import Testing

@testable import Gateway

@Suite struct PoolTests {
    private final class Buffer: Pooled {
        var memoryBytes: Int
        var pooledBytes = 0
        init(_ bytes: Int) { memoryBytes = bytes }
    }

    @Test func `the last object is taken first, and an empty pool has none`() {
        var pool = Pool<Buffer>(keptBytesMax: 1000)
        let (first, second) = (Buffer(1), Buffer(2))
        pool.giveBack(first)
        pool.giveBack(second)
        #expect(pool.take() === second)
        #expect(pool.take() === first)
        #expect(pool.take() == nil)
        #expect(pool.keptBytes == 0)
    }

    @Test func `what would take more memory than the limit is let go`() {
        var pool = Pool<Buffer>(keptBytesMax: 1000)
        let small = Buffer(600)
        pool.giveBack(small)
        weak var large: Buffer?
        do {
            let buffer = Buffer(401)
            large = buffer
            pool.giveBack(buffer)
        }
        #expect(large == nil)
        pool.giveBack(Buffer(400))
        #expect(pool.keptBytes == 1000)
        pool.giveBack(Buffer(1))
        #expect(pool.keptBytes == 1000)
    }

    @Test func `an object that grows in use counts as what it was given back as`() {
        var pool = Pool<Buffer>(keptBytesMax: 1000)
        let buffer = Buffer(10)
        pool.giveBack(buffer)
        #expect(pool.take() === buffer)
        buffer.memoryBytes = 500
        pool.giveBack(buffer)
        #expect(pool.keptBytes == 500)
        pool.removeAll()
        #expect(pool.keptBytes == 0)
        #expect(pool.take() == nil)
    }
}
