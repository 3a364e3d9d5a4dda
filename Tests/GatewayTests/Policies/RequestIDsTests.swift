import ProtoRuntime
import Testing

@testable import Gateway

@Suite struct RequestIDsTests {
    private struct Constant: RandomNumberGenerator {
        let value: UInt64
        mutating func next() -> UInt64 { value }
    }

    private static func made(_ count: Int, seed: UInt64) -> [String] {
        var source = RandomSource(seed: seed)
        var ids = RequestIDs(seededBy: &source)
        return (0..<count).map { _ in
            var output = OutputBlock()
            ids.append(to: &output)
            return output.bytes.text
        }
    }

    @Test func `an id is a random UUID of lower-case digits`() {
        for id in RequestIDsTests.made(1000, seed: 1) {
            let groups = id.split(separator: "-", omittingEmptySubsequences: false)
            #expect(groups.map(\.count) == [8, 4, 4, 4, 12])
            #expect(id.allSatisfy { "0123456789abcdef-".contains($0) })
            #expect(groups[2].first == "4")
            #expect("89ab".contains(groups[3].first ?? "-"))
        }
    }

    @Test func `no id comes twice, from one generator or two`() {
        let ids = RequestIDsTests.made(20_000, seed: 1) + RequestIDsTests.made(20_000, seed: 2)
        #expect(Set(ids).count == ids.count)
    }

    @Test func `every digit but the marked ones takes all its values`() {
        let ids = RequestIDsTests.made(2000, seed: 3).map(Array.init)
        for position in 0..<RequestIDs.byteCount {
            let expected =
                switch position {
                case 8, 13, 18, 23, 14: 1
                case 19: 4
                default: 16
                }
            #expect(Set(ids.map { $0[position] }).count == expected, "position \(position)")
        }
    }

    @Test func `a source of nothing but zeros does not make the same id for ever`() {
        var source = Constant(value: 0)
        var ids = RequestIDs(seededBy: &source)
        var output = OutputBlock()
        for _ in 0..<100 { ids.append(to: &output) }
        let text = output.bytes.text
        let made = (0..<100).map { text.dropFirst($0 * 36).prefix(36) }
        #expect(Set(made).count == 100)
    }

    @Test(
        arguments: [
            (0, "00000000"), (0x0123_4567, "01234567"), (0x89ab_cdef, "89abcdef"),
            (.max, "ffffffff"),
            (0x0a90_9f9a, "0a909f9a"),
        ] as [(UInt32, String)])
    func `digits are written all at once`(value: UInt32, text: String) {
        let digits = RequestIDs.hexadecimal(value)
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: digits >> UInt64($0 * 8)) }
        #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
}
