import Testing

@testable import Transcode

/// RFC 8259, strictly. google.protobuf.Value takes any JSON; an unknown member is skipped by other code.
@Suite struct JSONSyntaxTests {
    static let good = [
        "null", "true", "false", "0", "-0", "10", "-1.5", "1e5", "1E+5", "1.25e-3", "\"\"", "\"a\"",
        "[]", "{}", "[ ]", "{ }", " \t\r\n[1 , 2\n,3]\t", "{\"a\":{\"b\":[{}]}}", "\"\\u0000\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"", "\"\u{7f}\u{80}\u{2028}\"",
        "[[[[[[[[[[[[]]]]]]]]]]]]", "\"\(String(repeating: "x", count: 100))\"",
    ]

    static let bad: [(String, JSONFault)] = [
        ("", .expectedValue), (" ", .expectedValue), ("nul", .expectedValue),
        ("Null", .expectedValue), ("tru", .expectedBool), ("nulll", .trailingData),
        ("1 2", .trailingData), ("{}{}", .trailingData), ("[1],", .trailingData),
        ("[1,]", .expectedValue), ("[,1]", .expectedValue), ("[1 2]", .expectedCommaOrBracket),
        ("[", .expectedValue), ("[1", .expectedCommaOrBracket), ("[1}", .expectedCommaOrBracket),
        ("]", .expectedValue), ("{", .expectedName), ("{\"a\"", .expectedColon),
        ("{\"a\":", .expectedValue), ("{\"a\":1", .expectedCommaOrBrace),
        ("{\"a\":1,}", .expectedName), ("{\"a\" 1}", .expectedColon), ("{a:1}", .expectedName),
        ("{'a':1}", .expectedName), ("{1:1}", .expectedName), ("{\"a\":1]", .expectedCommaOrBrace),
        ("{,}", .expectedName), ("'a'", .expectedValue), ("// c\n1", .expectedValue),
        ("1 // c", .trailingData), ("/* c */1", .expectedValue), ("#1", .expectedValue),
        ("NaN", .expectedValue), ("Infinity", .expectedValue), ("-Infinity", .expectedNumber),
        ("undefined", .expectedValue), ("\u{feff}1", .expectedValue), ("\u{a0}1", .expectedValue),
        ("\u{b}1", .expectedValue), ("\u{0}", .expectedValue), ("1\u{0}", .trailingData),
        ("01", .badNumber), ("-01", .badNumber), ("00", .badNumber), ("+1", .expectedValue),
        ("-", .expectedNumber), ("1.", .badNumber), (".5", .expectedValue), ("1.e5", .badNumber),
        ("1e", .badNumber), ("1e+", .badNumber), ("1e5.5", .trailingData), ("--1", .expectedNumber),
        ("0x10", .trailingData), ("1_000", .trailingData), ("1e400", .outOfRange),
        ("\"", .unterminatedString), ("\"a", .unterminatedString), ("\"a\\", .badEscape),
        ("\"a\nb\"", .controlCharacter), ("\"a\tb\"", .controlCharacter),
        ("\"\u{0}\"", .controlCharacter), ("\"\u{1f}\"", .controlCharacter),
        ("\"\\x41\"", .badEscape), ("\"\\'\"", .badEscape), ("\"\\u12\"", .badEscape),
        ("\"\\u12g4\"", .badEscape), ("\"\\u 123\"", .badEscape), ("\"\\U0041\"", .badEscape),
        ("\"\\ud800\"", .unpairedSurrogate), ("\"\\udc00\"", .unpairedSurrogate),
        ("\"\\ud800\\ud800\"", .unpairedSurrogate), ("\"\\ud800x\"", .unpairedSurrogate),
        ("\"\\udc00\\ud800\"", .unpairedSurrogate), ("\"\\ud800\\u0041\"", .unpairedSurrogate),
        ("\"\\ud83d\\ude0\"", .unpairedSurrogate),
    ]

    @Test(arguments: good) func `a strict document is read`(_ json: String) throws {
        #expect(try Codec.refusal(json, "google.protobuf.Value") == nil)
    }

    @Test(arguments: bad)
    func `anything else is refused with what was wrong`(_ json: String, _ fault: JSONFault) throws {
        #expect(try Codec.refusal(json, "google.protobuf.Value")?.reason == fault)
    }

    @Test(arguments: good) func `a strict document is skipped`(_ json: String) throws {
        #expect(
            try Codec.wire("{\"unknown\":\(json),\"level\":7}", "proto3.v1.Recursive") == [8, 7])
    }

    @Test(arguments: bad)
    func `what is skipped is checked all the same`(_ json: String, _ fault: JSONFault) throws {
        // A skipped number has no range, and text behind a value is read as the next member.
        guard fault != .outOfRange, fault != .trailingData else { return }
        #expect(try Codec.refusal("{\"unknown\":\(json)}", "proto3.v1.Recursive") != nil)
    }

    static let badUTF8: [[UInt8]] = [
        [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe0, 0x80, 0x80],
        [0xe0, 0x9f, 0xbf], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xe2, 0x82],
        [0xe2, 0x28, 0xa1],
        [0xf0, 0x80, 0x80, 0x80], [0xf0, 0x8f, 0xbf, 0xbf], [0xf4, 0x90, 0x80, 0x80],
        [0xf5, 0x80, 0x80, 0x80], [0xf0, 0x9f, 0x98], [0xff], [0xfe],
        [0xf8, 0x88, 0x80, 0x80, 0x80],
    ]

    @Test(arguments: badUTF8, [0, 1, 7, 15, 16, 17, 40])
    func `invalid UTF-8 is refused wherever it stands`(_ bytes: [UInt8], _ before: Int) throws {
        let quote = UInt8(ascii: "\"")
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: before) + bytes
        for after in [[], [UInt8](repeating: UInt8(ascii: "y"), count: 20)] {
            let json = [quote] + text + after + [quote]
            #expect(
                try Codec.refusal(json, "google.protobuf.StringValue")?.reason == .invalidUTF8)
            let skipped = Array("{\"u\":".utf8) + json + [UInt8(ascii: "}")]
            #expect(try Codec.refusal(skipped, "proto3.v1.Recursive")?.reason == .invalidUTF8)
        }
    }

    @Test(arguments: [
        "\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}",
        "\u{10ffff}",
    ])
    func `the corners of UTF-8 are read and printed`(_ text: String) throws {
        let wire = try Codec.wire("\"\(text)\"", "google.protobuf.StringValue")
        #expect(wire == [0x0a, UInt8(text.utf8.count)] + Array(text.utf8))
        #expect(try Codec.json(wire, "google.protobuf.StringValue") == "\"\(text)\"")
    }

    @Test func `every escape gives its scalar`() throws {
        let json = "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\\u0000\""
        let text = "\"\\/\u{8}\u{c}\n\r\tAé€😀\u{0}"
        let wire = try Codec.wire(json, "google.protobuf.StringValue")
        #expect(wire == [0x0a, UInt8(text.utf8.count)] + Array(text.utf8))
    }

    @Test func `control characters, quotes and backslashes are printed escaped`() throws {
        let text = (0..<0x20).map { UInt8($0) } + Array("\"\\/\u{7f}".utf8)
        let json = try Codec.json([0x0a, UInt8(text.count)] + text, "google.protobuf.StringValue")
        #expect(json.hasPrefix("\"\\u0000\\u0001"))
        #expect(json.contains("\\b\\t\\n\\u000b\\f\\r\\u000e"))
        #expect(json.hasSuffix("\\u001f\\\"\\\\/\u{7f}\""))
        #expect(try Codec.wire(json, "google.protobuf.StringValue").dropFirst(2) == text[...])
    }
}
