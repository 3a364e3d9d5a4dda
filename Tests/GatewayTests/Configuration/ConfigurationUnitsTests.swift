import Testing

@testable import Gateway

@Suite struct ConfigurationUnitsTests {
    @Test(
        arguments: [
            ("15s", 15_000_000_000), ("100ms", 100_000_000), ("2h", 7_200_000_000_000),
            ("1m30s", 90_000_000_000), ("0s", 0), ("5us", 5_000), ("1h1m1s1ms", 3_661_001_000_000),
            ("9223372036s", 9_223_372_036_000_000_000),
        ] as [(String, Int64)])
    func `durations have a number and a unit`(_ text: String, _ nanoseconds: Int64) {
        #expect(ConfigurationUnits.duration(text) == nanoseconds)
    }

    @Test(arguments: [
        "", "15", "s", "15 s", " 15s", "15s ", "-1s", "+1s", "1.5s", "15S", "15sec", "1d", "15s5",
        "9223372037s", "99999999999999999999s", "9223372036s1s", "١s", "15µs",
    ])
    func `anything else is no duration`(_ text: String) {
        #expect(ConfigurationUnits.duration(text) == nil)
    }

    @Test(arguments: [
        ("4MiB", 4 << 20), ("32KiB", 32 << 10), ("512B", 512), ("512", 512), ("1GiB", 1 << 30),
        ("0", 0),
    ])
    func `sizes have a number and perhaps a unit`(_ text: String, _ bytes: Int) {
        #expect(ConfigurationUnits.size(text) == bytes)
    }

    @Test(arguments: [
        "", "MiB", "4MB", "4kb", "4mib", "4 MiB", "-4MiB", "1.5MiB", "4MiB4", "99999999999GiB",
    ])
    func `anything else is no size`(_ text: String) {
        #expect(ConfigurationUnits.size(text) == nil)
    }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ns"), (1_500_000_000, "1500ms"), (60_000_000_000, "1m"),
            (90_000_000_000, "90s"),
        ] as [(Int64, String)])
    func `durations are shown in their largest whole unit`(_ nanoseconds: Int64, _ text: String) {
        #expect(ConfigurationUnits.format(nanoseconds: nanoseconds) == text)
    }

    @Test(arguments: [
        (0, "0B"), (1000, "1000B"), (1536, "1536B"), (2048, "2KiB"), (1 << 30, "1GiB"),
    ])
    func `sizes are shown in their largest whole unit`(_ bytes: Int, _ text: String) {
        #expect(ConfigurationUnits.format(bytes: bytes) == text)
    }
}

@Suite struct SpellingTests {
    @Test(arguments: [
        ("listners", "listeners"), ("limit", "limits"), ("Limits", "limits"), ("lmiits", "limits"),
        ("listen-ers", "listeners"), ("logg", "log"),
    ])
    func `a slip is understood`(_ word: String, _ meant: String) {
        #expect(Spelling.nearest(to: word, among: ["listeners", "limits", "log"]) == meant)
    }

    @Test(arguments: ["", "x", "lo", "zzz", "upstreams", "logging_level"])
    func `what is too far is not guessed`(_ word: String) {
        #expect(Spelling.nearest(to: word, among: ["listeners", "limits", "log"]) == nil)
    }
}

@Suite struct ExpansionTests {
    private let expansion = Expansion(
        environment: { ["A": "1", "B_2": "${A}", "EMPTY": ""][$0] },
        file: { (name) throws(ConfigurationFileError) in
            guard name == "/s" else { throw ConfigurationFileError(reason: "is not there") }
            return "s3cret\r\n"
        })

    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("$", "$"), ("a$b$$c", "a$b$$c"), ("${A}", "1"),
        ("x${A}y${A}z", "x1y1z"),
        ("${B_2}", "${A}"), ("${EMPTY}", ""), ("$${A}", "${A}"), ("${file:/s}", "s3cret"),
        ("u:${file:/s}@h", "u:s3cret@h"),
    ])
    func `references are replaced once`(_ text: String, _ expanded: String) throws {
        #expect(try expansion.expand(text) == expanded)
    }

    @Test(arguments: [
        ("${A", "'}' is missing behind '${'"),
        ("${C}", "the environment variable C is not set"),
        ("${}", "'${}' is neither ${NAME} nor ${file:/path}"),
        ("${1A}", "'${1A}' is neither ${NAME} nor ${file:/path}"),
        ("${A:-x}", "'${A:-x}' is neither ${NAME} nor ${file:/path}"),
        ("${file:/t}", "${file:/t}: is not there"),
    ])
    func `a reference that leads nowhere is refused`(_ text: String, _ message: String) {
        #expect(throws: Expansion.Failure(message: message)) { try expansion.expand(text) }
    }
}
