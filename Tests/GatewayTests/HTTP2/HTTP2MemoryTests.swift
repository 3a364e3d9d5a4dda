import Testing

@testable import Gateway

@Suite struct HTTP2MemoryTests {
    /// Fills a block, and says afterwards whether it is still as it was.
    private static func fill(_ block: UnsafeMutableRawPointer, _ count: Int, seed: Int) {
        for index in 0..<count {
            unsafe block.storeBytes(
                of: UInt8(truncatingIfNeeded: index &* 7 &+ seed), toByteOffset: index,
                as: UInt8.self)
        }
    }

    private static func holds(_ block: UnsafeMutableRawPointer, _ count: Int, seed: Int) -> Bool {
        (0..<count).allSatisfy {
            unsafe block.load(fromByteOffset: $0, as: UInt8.self)
                == UInt8(truncatingIfNeeded: $0 &* 7 &+ seed)
        }
    }

    @Test(arguments: [0, 1, 31, 32, 33, 64, 65, 500, 1024, 1025, 5000])
    func `a block holds what it was asked for, and moves with its content`(size: Int) throws {
        let memory = HTTP2Memory()
        let block = unsafe try #require(memory.allocate(size))
        let address = Int(bitPattern: block)
        #expect(address % 16 == 0)
        let other = unsafe try #require(memory.allocate(size))
        unsafe HTTP2MemoryTests.fill(block, size, seed: 1)
        unsafe HTTP2MemoryTests.fill(other, size, seed: 2)
        let grown = unsafe try #require(memory.resize(block, to: size * 3 + 40))
        unsafe HTTP2MemoryTests.fill(grown + size, size * 2 + 40, seed: 3)
        let isKept = unsafe HTTP2MemoryTests.holds(grown, size, seed: 1)
        let isUntouched = unsafe HTTP2MemoryTests.holds(other, size, seed: 2)
        #expect(isKept && isUntouched)
        unsafe memory.release(grown)
        unsafe memory.release(other)
    }

    @Test func `a freed block is handed out again, to those of its class only`() throws {
        let memory = HTTP2Memory()
        let block = unsafe try #require(memory.allocate(100))
        let address = Int(bitPattern: block)
        unsafe memory.release(block)
        let larger = unsafe try #require(memory.allocate(129))
        let same = unsafe try #require(memory.allocate(65))
        #expect(Int(bitPattern: larger) != address)
        #expect(Int(bitPattern: same) == address)
        unsafe memory.release(larger)
        unsafe memory.release(same)
    }

    @Test func `random use never hands out the same bytes twice`() throws {
        var random = RandomSource(seed: 7)
        let memory = HTTP2Memory()
        var blocks: [(block: Int, count: Int, seed: Int)] = []
        for step in 0..<20_000 {
            if blocks.count < 600, Bool.random(using: &random) {
                let count = Int.random(in: 0...1500, using: &random)
                let block = unsafe try #require(memory.allocate(count))
                unsafe HTTP2MemoryTests.fill(block, count, seed: step)
                blocks.append((Int(bitPattern: block), count, step))
            } else if !blocks.isEmpty {
                let (address, count, seed) = blocks.remove(
                    at: Int.random(in: 0..<blocks.count, using: &random))
                let block = unsafe try #require(UnsafeMutableRawPointer(bitPattern: address))
                let isUntouched = unsafe HTTP2MemoryTests.holds(block, count, seed: seed)
                #expect(isUntouched)
                unsafe memory.release(block)
            }
        }
        for (address, _, _) in blocks {
            let block = unsafe try #require(UnsafeMutableRawPointer(bitPattern: address))
            unsafe memory.release(block)
        }
    }
}
