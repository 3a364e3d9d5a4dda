import Testing

@testable import Transcode

/// Numbers of every kind, exact, in range, in every form that ProtoJSON allows.
@Suite struct JSONNumberTests {
    static let integers: [(String, String, String)] = [
        ("int32Value", "0", ""), ("int32Value", "-0", ""), ("int32Value", "1", "18 01"),
        ("int32Value", "2147483647", "18 ff ff ff ff 07"),
        ("int32Value", "-2147483648", "18 80 80 80 80 f8 ff ff ff ff 01"),
        ("int32Value", "-1", "18 ff ff ff ff ff ff ff ff ff 01"),
        ("int32Value", "\"12\"", "18 0c"), ("int32Value", "\"\\u0031\\u0032\"", "18 0c"),
        ("int32Value", "1e2", "18 64"), ("int32Value", "1E+2", "18 64"),
        ("int32Value", "100.000", "18 64"), ("int32Value", "\"1e2\"", "18 64"),
        ("int32Value", "1000e-1", "18 64"), ("int32Value", "0.1e3", "18 64"),
        ("int32Value", "0.0", ""), ("int32Value", "0e99999999999999999999", ""),
        ("int64Value", "9223372036854775807", "20 ff ff ff ff ff ff ff ff 7f"),
        ("int64Value", "-9223372036854775808", "20 80 80 80 80 80 80 80 80 80 01"),
        ("int64Value", "9223372036854774784", "20 80 f8 ff ff ff ff ff ff 7f"),
        ("int64Value", "\"9007199254740993\"", "20 81 80 80 80 80 80 80 10"),
        ("int64Value", "9007199254740993", "20 81 80 80 80 80 80 80 10"),
        ("int64Value", "9.223372036854775807e18", "20 ff ff ff ff ff ff ff ff 7f"),
        ("uint32Value", "4294967295", "28 ff ff ff ff 0f"), ("uint32Value", "-0", ""),
        ("uint64Value", "18446744073709551615", "30 ff ff ff ff ff ff ff ff ff 01"),
        ("uint64Value", "18446744073709549568", "30 80 f0 ff ff ff ff ff ff ff 01"),
        ("uint64Value", "\"1844674407370955161.5e1\"", "30 ff ff ff ff ff ff ff ff ff 01"),
        ("sint32Value", "-1", "38 01"), ("sint32Value", "-2147483648", "38 ff ff ff ff 0f"),
        ("sint64Value", "1", "40 02"),
        ("sint64Value", "-9223372036854775808", "40 ff ff ff ff ff ff ff ff ff 01"),
        ("fixed32Value", "4294967295", "4d ff ff ff ff"),
        ("fixed64Value", "1", "51 01 00 00 00 00 00 00 00"),
        ("sfixed32Value", "-2", "5d fe ff ff ff"),
        ("sfixed64Value", "-2", "61 fe ff ff ff ff ff ff ff"),
    ]

    @Test(arguments: integers)
    func `an integer is read exactly`(_ field: String, _ text: String, _ hex: String) throws {
        let wire = try Codec.wire("{\"\(field)\":\(text)}", "proto3.v1.Scalars")
        #expect(Codec.hex(wire) == hex)
    }

    static let badIntegers: [(String, String, JSONFault)] = [
        ("int32Value", "2147483648", .outOfRange), ("int32Value", "-2147483649", .outOfRange),
        ("int32Value", "1.5", .notInteger), ("int32Value", "1e-1", .notInteger),
        ("int32Value", "1e10", .outOfRange), ("int32Value", "\"\"", .expectedInteger),
        ("int32Value", "\" 1\"", .expectedInteger), ("int32Value", "\"1 \"", .badNumber),
        ("int32Value", "\"+1\"", .expectedInteger), ("int32Value", "01", .badNumber),
        ("int32Value", "\"01\"", .badNumber), ("int32Value", "\"12abc\"", .badNumber),
        ("int32Value", "\"0x1\"", .badNumber), ("int32Value", "true", .expectedInteger),
        ("int32Value", "[1]", .expectedInteger), ("int32Value", "{}", .expectedInteger),
        ("int32Value", "\"NaN\"", .expectedInteger), ("int32Value", "1.", .badNumber),
        ("int32Value", "--1", .expectedInteger), ("int32Value", "-", .expectedInteger),
        ("int32Value", "1e536870000", .outOfRange), ("int32Value", "1e-536870000", .notInteger),
        ("int32Value", "1e99999999999999999999", .outOfRange),
        ("int64Value", "9223372036854775808", .outOfRange),
        ("int64Value", "-9223372036854775809", .outOfRange),
        ("int64Value", "99999999999999999999", .outOfRange),
        ("uint32Value", "4294967296", .outOfRange), ("uint32Value", "-1", .outOfRange),
        ("uint64Value", "18446744073709551616", .outOfRange),
        ("uint64Value", "\"1e536870000\"", .outOfRange),
        ("uint64Value", "1844674407370955161.55e1", .notInteger),
        ("sint64Value", "9223372036854775808", .outOfRange),
        ("fixed32Value", "4294967296", .outOfRange), ("sfixed32Value", "2147483648", .outOfRange),
        ("fixed64Value", "-1", .outOfRange), ("sfixed64Value", "1e19", .outOfRange),
    ]

    @Test(arguments: badIntegers)
    func `a bad integer is refused`(_ field: String, _ text: String, _ fault: JSONFault) throws {
        let error = try Codec.refusal("{\"\(field)\":\(text)}", "proto3.v1.Scalars")
        #expect(error?.reason == fault)
        #expect(error?.path == field)
    }

    @Test func `an integer of a million digits costs no memory and is refused`() throws {
        let digits = String(repeating: "9", count: 1_000_000)
        #expect(
            try Codec.refusal("{\"int64Value\":\(digits)}", "proto3.v1.Scalars")?.reason
                == .outOfRange)
        let zeros = "1." + String(repeating: "0", count: 1_000_000)
        #expect(try Codec.wire("{\"int32Value\":\(zeros)}", "proto3.v1.Scalars") == [0x18, 1])
    }

    static let doubles: [(String, Double)] = [
        ("0", 0), ("-0", -0.0), ("-0.0", -0.0), ("1", 1), ("-1.5", -1.5), ("1e5", 1e5),
        ("0.1", 0.1),
        ("1.7976931348623157e308", .greatestFiniteMagnitude), ("5e-324", .leastNonzeroMagnitude),
        ("2.2250738585072011e-308", Double.leastNormalMagnitude.nextDown), ("1e-400", 0),
        ("-1e-400", -0.0),
        ("0e400", 0), ("9007199254740993", 9007199254740992),
        ("9007199254740993.0000000000000000000000001", 9007199254740994),
        ("123456789012345678901234567890", 123456789012345677877719597056),
        ("1e22", 1e22), ("1e23", 1e23), ("8.5e-22", 8.5e-22), ("8.5e-23", 8.5e-23),
        ("0.000000000000000000000000000000000000000000000000001", 1e-51),
        ("\"1.5\"", 1.5), ("\"-Infinity\"", -.infinity), ("\"Infinity\"", .infinity),
        ("52.520008", 52.520008), ("1.0000000000000002", 1.0000000000000002),
    ]

    @Test(arguments: doubles)
    func `a double is the nearest to its text`(_ text: String, _ value: Double) throws {
        let wire = try Codec.wire("{\"doubleValue\":\(text)}", "proto3.v1.Optionals")
        #expect(wire == [0x09] + littleEndian(value.bitPattern, 8))
    }

    static let floats: [(String, Float)] = [
        ("0.1", 0.1), ("3.4028235e38", .greatestFiniteMagnitude), ("1e-45", .leastNonzeroMagnitude),
        ("16777217", 16777216), ("16777219", 16777220), ("1.17549435e-38", .leastNormalMagnitude),
        // Rounded to a double first it would lie halfway between two floats.
        ("1.00000017881393432617187499", 1.0000001), ("1.00000017881393432617187501", 1.0000002),
        ("3.4028235677973366e38", .greatestFiniteMagnitude),
        ("3.4028235677973367e38", .infinity),
    ]

    @Test(arguments: floats)
    func `a float is rounded once`(_ text: String, _ value: Float) throws {
        let json = "{\"floatValue\":\(text)}"
        guard value.isFinite else {
            #expect(try Codec.refusal(json, "proto3.v1.Optionals")?.reason == .outOfRange)
            return
        }
        let bits = UInt64(value.bitPattern)
        #expect(try Codec.wire(json, "proto3.v1.Optionals") == [0x15] + littleEndian(bits, 4))
    }

    @Test(arguments: [
        "1.9e308", "-1.9e308", "\"1e309\"", "\"\"", "\"nan\"", "\"NaN \"", "\"+Infinity\"",
        "\"inf\"", "NaN", "Infinity", "-Infinity", "true", "\"1,5\"", "\"0x1p3\"", "\" 1\"", "1.",
        "\"1.\"", "\".5\"", "1e", "01.5", "null1",
    ])
    func `a bad double is refused`(_ text: String) throws {
        #expect(try Codec.refusal("{\"doubleValue\":\(text)}", "proto3.v1.Scalars") != nil)
    }

    @Test(arguments: ["3.5e38", "-3.5e38", "1e39", "1e308"])
    func `a float out of range is refused`(_ text: String) throws {
        let error = try Codec.refusal("{\"floatValue\":\(text)}", "proto3.v1.Scalars")
        #expect(error?.reason == .outOfRange)
    }

    static let printedDoubles: [(Double, String)] = [
        (0, "0"), (-0.0, "-0.0"), (1, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (52.520008, "52.520008"),
        (1e-7, "1e-07"), (1.5e-7, "1.5e-07"), (399_999_999.5, "399999999.5"),
        (4e8, "400000000"), (123_456_789_012.5, "123456789012.5"),
        (9_007_199_254_740_991, "9007199254740991"), (1e22, "1e+22"),
        (.leastNonzeroMagnitude, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (0.1 + 0.2, "0.30000000000000004"),
        (.nan, "\"NaN\""), (.infinity, "\"Infinity\""), (-.infinity, "\"-Infinity\""),
    ]

    @Test(arguments: printedDoubles)
    func `a double is printed short`(_ value: Double, _ text: String) throws {
        let wire = [0x09] + littleEndian(value.bitPattern, 8)
        let printed = try Codec.json(wire, "google.protobuf.DoubleValue")
        // 0.0000001 and 1e-07 are both fine; what counts is that it is short and reads back.
        #expect(printed == text || Double(printed) == value)
        #expect(printed.count <= max(text.count, 9))
    }

    @Test func `random doubles and floats lead back`() throws {
        var bits: UInt64 = 42
        for round in 0..<3_000 {
            bits = bits &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let scaled = Double(Int64(bitPattern: bits) >> 20) / 1e7
            let value = round % 2 == 0 ? Double(bitPattern: bits) : scaled
            guard value.isFinite else { continue }
            let wire = [0x09] + littleEndian(value.bitPattern, 8)
            let json = try Codec.json(wire, "google.protobuf.DoubleValue")
            #expect(
                try Codec.wire(json, "google.protobuf.DoubleValue")
                    == (value.bitPattern == 0 ? [] : wire))
            let float =
                round % 2 == 0 ? Float(bitPattern: UInt32(truncatingIfNeeded: bits)) : Float(scaled)
            guard float.isFinite, float.bitPattern != 0 else { continue }
            let short = [0x0d] + littleEndian(UInt64(float.bitPattern), 4)
            let text = try Codec.json(short, "google.protobuf.FloatValue")
            #expect(try Codec.wire(text, "google.protobuf.FloatValue") == short)
            #expect(text.count <= "\(float)".count, "\(text) is longer than \(float)")
        }
    }

    @Test(arguments: [
        0, 9, 10, 99, 100, 12_345_678, 99_999_999, 100_000_000, 1_234_567_890_123_456,
        9_999_999_999_999_999, 10_000_000_000_000_000, UInt64.max,
    ])
    func `an integer is printed with its own digits`(_ value: UInt64) throws {
        let wire = [0x09] + littleEndian(value, 8)
        let json = try Codec.json([0x51] + wire.dropFirst(), "proto3.v1.Optionals")
        #expect(json == "{\"fixed64Value\":\"\(value)\"}")
    }

    private func littleEndian(_ bits: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
}
