import Testing

@testable import Transcode

@Suite struct QueryStringTests {
    @Test(arguments: [
        ("", []), ("a=1", ["a=1"]), ("a=1&b=2", ["a=1", "b=2"]), ("a", ["a"]), ("a=", ["a="]),
        ("&&a=1&", ["a=1"]), ("a=b=c", ["a=b=c"]), ("=1", ["=1"]), ("a=%26&b", ["a=%26", "b"]),
    ])
    func `parameters come out in order and still encoded`(_ query: String, _ expected: [String]) {
        let bytes = Array(query.utf8)
        var walk = QueryString(bytes.span)
        var found: [String] = []
        while let parameter = walk.next() {
            let name = String(decoding: bytes[parameter.name], as: UTF8.self)
            let value = String(decoding: bytes[parameter.value], as: UTF8.self)
            found.append(parameter.hasValue ? "\(name)=\(value)" : name)
        }
        #expect(found == expected)
    }

    @Test(arguments: [
        ("a=1", false, false), ("a%20=1", true, false), ("a=%31", false, true),
        ("a+=b", true, false),
        ("a=+", false, true), ("a+b", true, false), ("+=+", true, true), ("a=b=%", false, true),
        ("x=%&a=1", false, true),
    ])
    func `a parameter says what decoding would change`(
        _ query: String, _ isNameCoded: Bool, _ isValueCoded: Bool
    ) throws {
        let bytes = Array(query.utf8)
        var walk = QueryString(bytes.span)
        let first = walk.next()
        let parameter = try #require(first)
        #expect(parameter.isNameCoded == isNameCoded)
        #expect(parameter.isValueCoded == isValueCoded)
        let second = walk.next()
        if let second { #expect(!second.isNameCoded && !second.isValueCoded) }
    }
}
