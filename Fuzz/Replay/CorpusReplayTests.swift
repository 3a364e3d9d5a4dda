import Foundation
import Testing

/// The fuzzers' corpus and seeded damage to it, through the same entry functions, on checked bytes.
@Suite struct CorpusReplayTests {
    /// Damaged inputs a target; the slow ones get fewer.
    private static func damagedCount(_ target: FuzzTarget) -> Int {
        switch target {
        case .linker: 150
        case .yaml: 300
        case .query, .http1: 1500
        default: 4000
        }
    }

    private static func corpus(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "corpus/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { (name: $0, bytes: Array(try Data(contentsOf: folder.appending(path: $0)))) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `every input of the corpus keeps the rules`(_ target: FuzzTarget) throws {
        let corpus = try CorpusReplayTests.corpus(target)
        #expect(!corpus.isEmpty)
        for input in corpus {
            do throws(BrokenRule) {
                try target.run(input.bytes)
            } catch {
                Issue.record("\(target.rawValue)/\(input.name): \(error)")
            }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `damage to the corpus breaks no rule`(_ target: FuzzTarget) throws {
        let corpus = try CorpusReplayTests.corpus(target).map(\.bytes).filter { !$0.isEmpty }
        var random = SeededGenerator(seed: 1)
        for _ in 0..<CorpusReplayTests.damagedCount(target) {
            let input = damaged(corpus, &random)
            do throws(BrokenRule) {
                try target.run(input)
            } catch {
                Issue.record("\(target.rawValue) \(Data(input).base64EncodedString()): \(error)")
            }
        }
    }

    private func damaged(_ corpus: [[UInt8]], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = corpus[Int.random(in: corpus.indices, using: &random)]
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...30, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(start..<end)
            case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
            case 4: bytes.removeSubrange(start...)
            default:
                let other = corpus[Int.random(in: corpus.indices, using: &random)]
                bytes.replaceSubrange(start..., with: other.suffix(from: other.count / 2))
            }
        }
        return bytes
    }
}

/// A generator that gives the same numbers in every run (SplitMix64).
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
