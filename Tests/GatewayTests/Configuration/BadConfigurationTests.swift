import Testing

@testable import Gateway

/// The files of Golden/bad.txt.
struct BadConfiguration: CustomTestStringConvertible {
    var name: String
    var text: String
    /// `line:column: message`, a line each.
    var expected: String

    var testDescription: String { name }

    static let all: [BadConfiguration] = {
        let path = "Tests/GatewayTests/Configuration/Golden/bad.txt"
        guard let bytes = try? ConfigurationFixture.repositoryFile(path) else { return [] }
        let sections = String(decoding: bytes, as: UTF8.self).split(separator: "\n=== ").dropFirst()
        return sections.compactMap { section in
            guard let line = section.firstIndex(of: "\n") else { return nil }
            let rest = section[line...]
            guard let arrow = rest.firstRange(of: "\n=>\n") else { return nil }
            let text = String(
                rest[rest.index(after: rest.startIndex)..<arrow.upperBound].dropLast(3))
            return BadConfiguration(
                name: String(section[..<line]), text: text,
                expected: String(rest[arrow.upperBound...]))
        }
    }()
}

@Suite struct BadConfigurationTests {
    @Test func `the table of bad files is there`() {
        #expect(BadConfiguration.all.count >= 90)
    }

    @Test(arguments: BadConfiguration.all)
    func `a bad file gets exactly its messages`(_ bad: BadConfiguration) {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFixture.load(bad.text)
        }
        let expected = bad.expected.split(separator: "\n").map { "c.yaml:\($0)" }
        #expect(error?.description.split(separator: "\n").map(String.init) == expected)
    }

    @Test func `a file that is too large is not parsed`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: (1 << 20) + 1)
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFixture.load(bytes)
        }
        let message = "the file has 1048577 bytes; at most 1048576 are read"
        #expect(error?.problems.map(\.message) == [message])
    }

    @Test func `bytes that are not UTF-8 are refused where they stand`() {
        let bytes = Array("log:\n  level: a".utf8) + [0xC3, 0x28]
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationFixture.load(bytes)
        }
        #expect(
            error?.description == "c.yaml:2:12: not valid YAML: invalid trailing UTF-8 octet")
    }
}
