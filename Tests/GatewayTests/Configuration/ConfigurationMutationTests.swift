import Testing

@testable import Gateway

/// Random damage to a good file: whatever comes, a value or an error with places in the file, never a trap.
@Suite struct ConfigurationMutationTests {
    private static let pieces = [
        "&a ", "*a", "!!str ", "- ", ": ", "? ", "{", "}", "[", "]", ",", "\"", "'", "#", "|\n",
        ">\n", "\t",
        "\n", "---\n", "...\n", "%YAML 1.2\n", "${", "${SECRET}", "}", "$${", "\u{FEFF}", "\u{85}",
        "\u{0}", "~",
        "99999999999999999999", "-1", "1e9", "0x10", "9223372036854775807h",
        "9223372036854775807GiB", "<<: ",
        "é", "\u{1F600}", "::", "unix:", "dns://", "dns:///", "[::]:", "https://", "**", "{a=**}",
        "%2F", "true",
    ].map { Array($0.utf8) }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `no damage to the file makes the decoder trap`(_ seed: UInt64) throws {
        let original = try ConfigurationFixture.repositoryFile("config/gateway.yaml")
            .split(separator: UInt8(ascii: "\n")).filter { $0.first != UInt8(ascii: "#") }
            .joined(separator: [UInt8(ascii: "\n")])
        var random = SeededGenerator(seed: seed)
        for _ in 0..<150 {
            var bytes = Array(original)
            for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
            do throws(ConfigurationError) {
                _ = try ConfigurationFixture.load(bytes)
            } catch {
                let lines = bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
                #expect(!error.problems.isEmpty)
                for problem in error.problems {
                    // U+0085, U+2028 and U+2029 break lines too; they come in four pieces at most.
                    #expect((1...lines + 6).contains(problem.position.line), "\(problem)")
                    #expect(problem.position.column >= 1 && !problem.message.isEmpty)
                }
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let start = Int.random(in: bytes.indices, using: &random)
        let end = min(bytes.count, start + Int.random(in: 1...40, using: &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[start] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(start..<end)
        case 2:
            bytes.insert(
                contentsOf: bytes[start..<end], at: Int.random(in: 0...bytes.count, using: &random))
        case 3: bytes.removeSubrange(start...)
        default:
            let piece = Int.random(in: ConfigurationMutationTests.pieces.indices, using: &random)
            bytes.insert(contentsOf: ConfigurationMutationTests.pieces[piece], at: start)
        }
    }
}
