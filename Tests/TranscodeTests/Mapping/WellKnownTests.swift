import Glibc
import Testing

@testable import Transcode

/// Messages that have a JSON form of their own.
@Suite struct WellKnownTests {
    static let bothWays: [(String, String, String)] = [
        ("Timestamp", "\"1970-01-01T00:00:00Z\"", ""),
        ("Timestamp", "\"1970-01-01T00:00:01Z\"", "08 01"),
        ("Timestamp", "\"0001-01-01T00:00:00Z\"", "08 80 92 b8 c3 98 fe ff ff ff 01"),
        (
            "Timestamp", "\"9999-12-31T23:59:59.999999999Z\"",
            "08 ff 82 d1 ff af 07 10 ff 93 eb dc 03"
        ),
        ("Timestamp", "\"1970-01-01T00:00:00.100Z\"", "10 80 c2 d7 2f"),
        ("Timestamp", "\"1970-01-01T00:00:00.000001Z\"", "10 e8 07"),
        ("Timestamp", "\"1970-01-01T00:00:00.000000001Z\"", "10 01"),
        ("Timestamp", "\"2000-02-29T12:30:45Z\"", "08 f5 f7 ee c5 03"),
        ("Timestamp", "\"1969-12-31T23:59:59Z\"", "08 ff ff ff ff ff ff ff ff ff 01"),
        ("Duration", "\"0s\"", ""), ("Duration", "\"1s\"", "08 01"),
        ("Duration", "\"-0.500s\"", "10 80 b6 ca 91 fe ff ff ff ff 01"),
        ("Duration", "\"1.000000001s\"", "08 01 10 01"),
        ("Duration", "\"315576000000s\"", "08 80 bc ae ce 97 09"),
        ("FieldMask", "\"\"", ""),
        (
            "FieldMask", "\"foo,fooBar.bazQux\"",
            "0a 03 66 6f 6f 0a 0f 66 6f 6f 5f 62 61 72 2e 62 61 7a 5f 71 75 78"
        ),
        ("Struct", "{}", ""), ("Struct", "{\"a\":null}", "0a 07 0a 01 61 12 02 08 00"),
        ("ListValue", "[]", ""), ("ListValue", "[true,null]", "0a 02 20 01 0a 02 08 00"),
        ("Value", "null", "08 00"), ("Value", "1.5", "11 00 00 00 00 00 00 f8 3f"),
        ("Value", "\"\"", "1a 00"), ("Value", "false", "20 00"), ("Value", "{}", "2a 00"),
        ("Value", "[]", "32 00"),
        ("Value", "[{\"a\":[]}]", "32 0d 0a 0b 2a 09 0a 07 0a 01 61 12 02 32 00"),
        ("Empty", "{}", ""), ("BoolValue", "true", "08 01"), ("BoolValue", "false", ""),
        ("Int64Value", "\"-1\"", "08 ff ff ff ff ff ff ff ff ff 01"),
        ("UInt64Value", "\"1\"", "08 01"),
        ("Int32Value", "-1", "08 ff ff ff ff ff ff ff ff ff 01"), ("UInt32Value", "0", ""),
        ("DoubleValue", "1.5", "09 00 00 00 00 00 00 f8 3f"),
        ("FloatValue", "\"NaN\"", "0d 00 00 c0 7f"),
        ("StringValue", "\"a\"", "0a 01 61"), ("BytesValue", "\"AAE=\"", "0a 02 00 01"),
        ("Any", "{}", ""),
    ]

    @Test(arguments: bothWays)
    func `the form leads both ways`(_ type: String, _ json: String, _ hex: String) throws {
        #expect(Codec.hex(try Codec.wire(json, "google.protobuf." + type)) == hex)
        #expect(try Codec.json(hex, "google.protobuf." + type) == json)
    }

    @Test func `every day of the calendar is the C library's`() {
        // A prime, so that all days of a year and all kinds of century come.
        for days in stride(from: -719_162 as Int64, through: 2_932_896, by: 101) {
            var seconds = time_t(days * 86_400)
            var time = unsafe tm()
            unsafe gmtime_r(&seconds, &time)
            let date = CivilDate(days: days)
            let expected = unsafe CivilDate(
                year: Int64(time.tm_year) + 1900, month: Int64(time.tm_mon) + 1,
                day: Int64(time.tm_mday))
            #expect(date == expected)
            #expect(date.days == days)
        }
    }

    static let readOnly: [(String, String, String)] = [
        ("Timestamp", "\"1970-01-01T01:00:00+01:00\"", ""),
        ("Timestamp", "\"1969-12-31T23:00:00-01:00\"", ""),
        ("Timestamp", "\"1970-01-01T00:00:00.1Z\"", "10 80 c2 d7 2f"),
        ("Timestamp", "\"0001-01-01T00:00:00-23:59\"", "08 c4 b4 bd c3 98 fe ff ff ff 01"),
        ("Timestamp", "\"\\u0031970-01-01T00:00:00Z\"", ""),
        ("Duration", "\"-0s\"", ""), ("Duration", "\"0.5s\"", "10 80 ca b5 ee 01"),
        ("Duration", "\"1\\u0073\"", "08 01"),
        ("FieldMask", "\"\\u0061\"", "0a 01 61"), ("Int64Value", "1", "08 01"),
        ("Int64Value", "1e2", "08 64"),
        ("Value", "{\"a\\u0062\":1}", "2a 11 0a 0f 0a 02 61 62 12 09 11 00 00 00 00 00 00 f0 3f"),
    ]

    @Test(arguments: readOnly)
    func `other legal forms are read`(_ type: String, _ json: String, _ hex: String) throws {
        #expect(Codec.hex(try Codec.wire(json, "google.protobuf." + type)) == hex)
    }

    static let badTimes = [
        "1970-01-01", "1970-01-01T00:00:00", "1970-01-01t00:00:00Z", "1970-01-01T00:00:00z",
        "1970-01-01 00:00:00Z", "1970-1-01T00:00:00Z", "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-01-00T00:00:00Z", "1970-01-32T00:00:00Z", "1970-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "1970-04-31T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567890Z", "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+00:60", "1970-01-01T00:00:00+1:00",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "10000-01-01T00:00:00Z", "+1970-01-01T00:00:00Z", "-001-01-01T00:00:00Z", "",
        " 1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z ", "1970-01-01T00:00:00ZZ",
        "1970-01-01T0:00:00Z",
    ]

    @Test(arguments: badTimes) func `a bad timestamp is refused`(_ text: String) throws {
        let error = try Codec.refusal("\"\(text)\"", "google.protobuf.Timestamp")
        #expect(error?.reason == .badTimestamp)
        #expect(error?.offset == 0)
    }

    @Test(arguments: [
        "", "1", "s", "1 s", "1S", "1ss", " 1s", "+1s", ".5s", "1.s", "-.5s", "--1s",
        "1.1234567890s",
        "315576000001s", "-315576000001s", "315576000000.1s", "99999999999999999999s", "1e3s",
        "0x1s", "1,5s", "NaNs",
    ])
    func `a bad duration is refused`(_ text: String) throws {
        let error = try Codec.refusal("\"\(text)\"", "google.protobuf.Duration")
        #expect(error?.reason == .badDuration)
    }

    @Test(arguments: [
        "foo_bar", "foo,", ",foo", "foo,,bar", "_", "a b", #"\""#, #"\\"#, "é", #"\u0001"#,
    ])
    func `a bad field mask is refused`(_ text: String) throws {
        #expect(
            try Codec.refusal("\"\(text)\"", "google.protobuf.FieldMask")?.reason == .badFieldMask)
    }

    static let unprintable: [(String, String, JSONFault)] = [
        ("Timestamp", "08 80 83 d1 ff af 07", .unprintableTimestamp),
        ("Timestamp", "08 ff 91 b8 c3 98 fe ff ff ff 01", .unprintableTimestamp),
        ("Timestamp", "10 80 94 eb dc 03", .unprintableTimestamp),
        ("Timestamp", "10 ff ff ff ff ff ff ff ff ff 01", .unprintableTimestamp),
        ("Duration", "08 81 bc ae ce 97 09", .unprintableDuration),
        ("Duration", "08 01 10 ff ff ff ff ff ff ff ff ff 01", .unprintableDuration),
        ("Duration", "08 ff ff ff ff ff ff ff ff ff 01 10 01", .unprintableDuration),
        ("Duration", "10 80 94 eb dc 03", .unprintableDuration),
        ("Duration", "08 80 80 80 80 80 80 80 80 80 01", .unprintableDuration),
        ("FieldMask", "0a 06 66 6f 6f 42 61 72", .unprintableFieldMask),
        ("FieldMask", "0a 04 66 5f 5f 62", .unprintableFieldMask),
        ("FieldMask", "0a 03 66 5f 33", .unprintableFieldMask),
        ("FieldMask", "0a 02 66 5f", .unprintableFieldMask),
        ("FieldMask", "0a 00", .unprintableFieldMask),
        ("FieldMask", "0a 01 61 0a 00", .unprintableFieldMask),
        ("Value", "11 00 00 00 00 00 00 f8 7f", .unprintableNumber),
        ("Value", "11 00 00 00 00 00 00 f0 7f", .unprintableNumber),
        ("Any", "12 01 00", .anyWithoutType), ("Any", "0a 03 61 2f 62", .anyUnknownType),
        ("Any", "0a 01 61", .anyUnknownType),
    ]

    @Test(arguments: unprintable)
    func `what has no JSON form is an error`(_ type: String, _ hex: String, _ fault: JSONFault)
        throws
    {
        let error = try Codec.refusal(wire: Codec.bytes(hex: hex), "google.protobuf." + type)
        #expect(error?.reason == fault)
    }

    @Test func `a Value without a kind prints null, and the last kind counts`() throws {
        #expect(try Codec.json("", "google.protobuf.Value") == "null")
        #expect(try Codec.json("20 01 1a 01 61", "google.protobuf.Value") == "\"a\"")
        #expect(
            try Codec.json("32 04 0a 02 20 01 32 04 0a 02 20 00", "google.protobuf.Value")
                == "[true,false]")
        #expect(
            try Codec.json(
                "0a 07 0a 01 61 12 02 20 01 0a 07 0a 01 61 12 02 20 00", "google.protobuf.Struct")
                == "{\"a\":false}")
        #expect(
            try Codec.json("10 01 08 05 08 06", "google.protobuf.Timestamp")
                == "\"1970-01-01T00:00:06.000000001Z\"")
        #expect(try Codec.json("08 05 08 06", "google.protobuf.Int32Value") == "6")
    }

    @Test func `null is a value for Value and unset for everything else`() throws {
        #expect(try Codec.wire("{\"value\":null}", "proto3.v1.WellKnown") == [0x2a, 2, 8, 0])
        #expect(try Codec.wire("{\"nullValue\":null}", "proto3.v1.WellKnown") == [])
        #expect(
            try Codec.wire(
                "{\"int64Value\":null,\"timestamp\":null,\"struct\":null}", "proto3.v1.WellKnown")
                == [])
        #expect(
            try Codec.wire("{\"values\":[null],\"nullValues\":[null]}", "proto3.v1.WellKnown") == [
                0xca, 1, 2, 8, 0, 0xea, 1, 1, 0,
            ])
        for json in ["{\"timestamps\":[null]}", "{\"int64Values\":[null]}", "{\"structs\":[null]}"]
        {
            #expect(try Codec.refusal(json, "proto3.v1.WellKnown")?.reason == .nullNotAllowed)
        }
        for type in [
            "Timestamp", "Duration", "Struct", "ListValue", "Any", "Empty", "Int32Value",
            "StringValue",
        ] {
            #expect(try Codec.refusal("null", "google.protobuf." + type) != nil)
        }
    }

    static let anys: [(String, String)] = [
        (
            "{\"@type\":\"type.googleapis.com/gatewaytest.proto3.v1.Recursive\",\"level\":1}",
            "{\"@type\":\"type.googleapis.com/gatewaytest.proto3.v1.Recursive\",\"level\":1}"
        ),
        (
            "{\"level\":1,\"\\u0040type\":\"x/gatewaytest.proto3.v1.Recursive\"}",
            "{\"@type\":\"x/gatewaytest.proto3.v1.Recursive\",\"level\":1}"
        ),
        (
            "{\"@type\":\"a/google.protobuf.Duration\",\"value\":\"1s\"}",
            "{\"@type\":\"a/google.protobuf.Duration\",\"value\":\"1s\"}"
        ),
        (
            "{\"value\":\"1s\",\"@type\":\"a/google.protobuf.Duration\"}",
            "{\"@type\":\"a/google.protobuf.Duration\",\"value\":\"1s\"}"
        ),
        ("{\"@type\":\"a/google.protobuf.Empty\"}", "{\"@type\":\"a/google.protobuf.Empty\"}"),
        (
            "{\"@type\":\"a/google.protobuf.Empty\",\"value\":{}}",
            "{\"@type\":\"a/google.protobuf.Empty\"}"
        ),
        (
            "{\"@type\":\"a/google.protobuf.Value\",\"value\":null}",
            "{\"@type\":\"a/google.protobuf.Value\",\"value\":null}"
        ),
        (
            "{\"@type\":\"a/google.protobuf.Any\",\"value\":{\"@type\":\"b/google.protobuf.Int32Value\",\"value\":5}}",
            "{\"@type\":\"a/google.protobuf.Any\",\"value\":{\"@type\":\"b/google.protobuf.Int32Value\",\"value\":5}}"
        ),
        // Required fields are not asked for inside Any.
        (
            "{\"@type\":\"a/gatewaytest.proto2.v1.Required\"}",
            "{\"@type\":\"a/gatewaytest.proto2.v1.Required\"}"
        ),
    ]

    @Test(arguments: anys) func `Any shows what it holds`(_ json: String, _ printed: String) throws
    {
        let wire = try Codec.wire(json, "google.protobuf.Any", JSONOptions(unknownFields: .reject))
        #expect(try Codec.json(wire, "google.protobuf.Any") == printed)
    }

    @Test(
        arguments: [
            ("{\"level\":1}", .anyWithoutType), ("{\"@type\":\"\"}", .anyUnknownType),
            ("{\"@type\":\"a/\"}", .anyUnknownType),
            ("{\"@type\":\"google.protobuf.Empty\"}", .anyUnknownType),
            ("{\"@type\":\"a/b.C\"}", .anyUnknownType),
            ("{\"@type\":1}", .expectedString),
            ("{\"@type\":\"a/google.protobuf.Duration\"}", .anyWithoutValue),
            (
                "{\"@type\":\"a/google.protobuf.Duration\",\"value\":\"1s\",\"value\":\"1s\"}",
                .anyValueTwice
            ),
            (
                "{\"@type\":\"a/google.protobuf.Duration\",\"@type\":\"x\",\"value\":\"1s\"}",
                .anyTypeTwice
            ),
            (
                "{\"@type\":\"a/google.protobuf.Empty\",\"@type\":\"a/google.protobuf.Empty\"}",
                .anyTypeTwice
            ),
            ("{\"@type\":\"a/gatewaytest.proto3.v1.Recursive\",\"@type\":\"b\"}", .anyTypeTwice),
            ("{\"@type\":\"a/gatewaytest.proto3.v1.Recursive\",\"level\":{}}", .expectedInteger),
        ] as [(String, JSONFault)])
    func `a bad Any is refused`(_ json: String, _ fault: JSONFault) throws {
        #expect(try Codec.refusal(json, "google.protobuf.Any")?.reason == fault)
    }

    @Test func `Any with its payload out of order is put in order`() throws {
        let wire = try Codec.wire(
            "{\"@type\":\"a/gatewaytest.proto3.v1.Recursive\",\"child\":{},\"level\":1}",
            "google.protobuf.Any")
        #expect(
            try Codec.json(wire, "google.protobuf.Any")
                == "{\"@type\":\"a/gatewaytest.proto3.v1.Recursive\",\"level\":1,\"child\":{}}")
    }
}
