import Testing

@testable import Transcode

@Suite struct KnownFieldTests {
    /// Those with one name; `other` has none.
    private static let all = (0...UInt8.max).compactMap(KnownField.init(rawValue:))
        .filter { $0 != .xForwardedOther }

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
            KnownFieldTests.expectUnknown(changed)
        }
        KnownFieldTests.expectUnknown(name + [120])
        KnownFieldTests.expectUnknown(Array(name.dropLast()))
        KnownFieldTests.expectUnknown(Array(name.dropFirst()))
    }

    private static func expectUnknown(_ name: [UInt8]) {
        let text = String(decoding: name, as: UTF8.self)
        let expected = text.hasPrefix("x-forwarded-") ? KnownField.xForwardedOther : .other
        #expect(KnownField(name: name.span) == expected, "\(text)")
    }

    @Test(arguments: ["x-forwarded-", "x-forwarded-port", "x-forwarded-forx", "x-forwarded-user"])
    func `whatever begins with x-forwarded is of that kind`(name: String) {
        let field = KnownField(name: name.utf8Span.span)
        #expect(field == .xForwardedOther)
        #expect(field.isForwarding)
    }

    @Test func `the fields that tell of the client are told apart`() {
        let names = KnownFieldTests.all.filter(\.isForwarding).map { "\($0.text)" }
        #expect(
            Set(names) == [
                "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto",
                "x-forwarded-client-cert", "x-request-id",
            ])
    }
}
