import Testing

@testable import Transcode

@Suite struct KnownFieldTests {
    private static let all = (0...UInt8.max).compactMap(KnownField.init(rawValue:))

    @Test(arguments: all)
    func `every known name is recognised as itself`(field: KnownField) {
        #expect(KnownField(name: "\(field.text)".utf8Span.span) == field)
    }

    @Test func `no two names are alike, and all are lower-case`() {
        let names = KnownFieldTests.all.map { "\($0.text)" }
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0 == $0.lowercased() })
        #expect(names.count > 20)
    }

    @Test(arguments: KnownFieldTests.all.filter { $0 != .other })
    func `a name with one byte changed, added or taken away is another`(field: KnownField) {
        let name = Array("\(field.text)".utf8)
        for index in name.indices {
            var changed = name
            changed[index] ^= 0x20
            #expect(KnownField(name: changed.span) == .other, "byte \(index)")
        }
        #expect(KnownField(name: (name + [120]).span) == .other)
        #expect(KnownField(name: Array(name.dropLast()).span) == .other)
        #expect(KnownField(name: Array(name.dropFirst()).span) == .other)
    }
}
