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
}
