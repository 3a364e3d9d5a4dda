import Testing

@testable import Transcode

@Suite struct Base64Tests {
    static let good: [(String, String)] = [
        ("", ""), ("AA==", "00"), ("AA", "00"), ("AAE=", "00 01"), ("AAE", "00 01"),
        ("AAEC", "00 01 02"), ("-_-_", "fb ff bf"), ("+/+/", "fb ff bf"),
        ("\\/\\/\\/\\/", "ff ff ff"),
        ("A\\u0041A=", "00 00"), ("YWJjZGVmZ2g=", "61 62 63 64 65 66 67 68"), ("YR", "61"),
    ]

    @Test(arguments: good)
    func `both alphabets, padded or not, are read`(_ text: String, _ hex: String) throws {
        let wire = try Codec.wire("\"\(text)\"", "google.protobuf.BytesValue")
        let bytes = Codec.bytes(hex: hex)
        #expect(wire == (bytes.isEmpty ? [] : [0x0a, UInt8(bytes.count)] + bytes))
    }

    @Test(arguments: [
        "A", "AAAAA", "=", "==", "A=", "AA=", "AA===", "AAA==", "AAAA=", "AA==AA", "AA AA", "AAA!",
        "AA\\nAA", "éé", "A\\u0041A==",
    ])
    func `anything else is refused`(_ text: String) throws {
        let error = try Codec.refusal("\"\(text)\"", "google.protobuf.BytesValue")
        #expect(error?.reason == .badBase64)
    }

    @Test(arguments: ["1", "true", "[]", "{}"])
    func `bytes must be a string`(_ json: String) throws {
        #expect(try Codec.refusal(json, "google.protobuf.BytesValue")?.reason == .expectedString)
    }

    @Test(arguments: 0..<50) func `what is printed leads back`(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
        let wire = count == 0 ? [] : [0x0a, UInt8(count)] + bytes
        let json = try Codec.json(wire, "google.protobuf.BytesValue")
        #expect(json.utf8.count == (count + 2) / 3 * 4 + 2)
        #expect(try Codec.wire(json, "google.protobuf.BytesValue") == wire)
    }
}
