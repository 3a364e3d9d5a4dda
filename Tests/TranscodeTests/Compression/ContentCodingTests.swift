import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct ContentCodingTests {
    private static func accepted(_ values: [String]) -> ContentCoding {
        var fields = Fields()
        fields.append([("x-other", "gzip")])
        fields.append(values.map { ("accept-encoding", $0) })
        return .accepted(by: .acceptEncoding, in: fields)
    }

    @Test(
        arguments: [
            ([], .identity), ([""], .identity), (["gzip"], .gzip), (["x-gzip"], .gzip),
            (["GZIP"], .gzip), (["br"], .brotli), (["zstd"], .zstd), (["identity"], .identity),
            (["br, gzip"], .brotli), (["gzip, br"], .gzip), (["gzip", "br"], .gzip),
            (["gzip;q=0.5, br;q=0.9"], .brotli), (["gzip;q=0.5", "zstd;q=0.501"], .zstd),
            (["gzip;q=0"], .identity), (["gzip;q=0.000, br;q=0.001"], .brotli),
            (["identity, deflate, gzip"], .gzip), (["identity;q=1, gzip;q=0.5"], .identity),
            (["gzip;q=1.0, identity;q=0.5, *;q=0"], .gzip), (["deflate"], .identity),
            (["compress, sdch"], .identity), (["*"], .identity),
            (["gzip ; Q=0.3 , br; q=0.2"], .gzip), (["gzip;q=x, br"], .brotli),
            (["gzip;q=2, br"], .brotli), (["gzip;level=1;q=0.1, br;q=0.2"], .brotli),
            ([",,gzip,"], .gzip), (["gzip;q=0.1234, br;q=0.1"], .brotli),
        ] as [([String], ContentCoding)])
    func `the best of what a client accepts is taken`(values: [String], coding: ContentCoding) {
        #expect(ContentCodingTests.accepted(values) == coding)
    }

    private static func named(_ values: [String]) -> ContentCoding? {
        var fields = Fields()
        fields.append(values.map { ("content-encoding", $0) })
        return .named(by: .contentEncoding, in: fields)
    }

    @Test(
        arguments: [
            ([], .identity), ([""], .identity), (["identity"], .identity), (["gzip"], .gzip),
            (["Zstd"], .zstd), (["deflate"], .deflate), (["snappy"], nil), (["gzip, br"], nil),
            (["gzip", "gzip"], nil),
        ] as [([String], ContentCoding?)])
    func `a request has one coding that is known`(values: [String], coding: ContentCoding?) {
        #expect(ContentCodingTests.named(values) == coding)
    }

    @Test(arguments: ContentCoding.allCases) func `a coding is known by its name`(
        coding: ContentCoding
    ) {
        #expect(ContentCodingTests.named(["\(coding.name)"]) == coding)
    }
}
