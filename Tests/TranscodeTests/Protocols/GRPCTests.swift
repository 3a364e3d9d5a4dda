import ProtoRuntime
import Testing

@testable import Transcode

/// One envelope.
func envelope(_ payload: [UInt8], flags: UInt8 = 0) -> [UInt8] {
    [flags] + (0..<4).map { UInt8(truncatingIfNeeded: payload.count >> (24 - 8 * $0)) } + payload
}

@Suite struct GRPCCodecTests {
    /// "ok", or the code and message of what `check` or `checkEnd` threw, for all ways to cut the body.
    private static func check(
        _ body: [UInt8], limit: Int = 10, allowsCompressed: Bool = false, isSingle: Bool = false
    ) -> Set<String> {
        var found: Set<String> = []
        for size in 1...max(1, body.count) {
            var codec = GRPCCodec(
                messageBytesMax: limit, allowsCompressed: allowsCompressed, isSingle: isSingle)
            do throws(Status) {
                for start in stride(from: 0, to: body.count, by: size) {
                    let piece = Array(body[start..<min(start + size, body.count)])
                    try codec.check(piece.span)
                }
                try codec.checkEnd()
                found.insert("ok")
            } catch {
                found.insert("\(error.code) \(error.message)")
            }
        }
        return found
    }

    @Test(
        arguments: [
            ([], false), (envelope([]), true), (envelope([1, 2, 3]), true),
            (envelope([1]) + envelope([]) + envelope([2]), false),
            (envelope([UInt8](repeating: 7, count: 10)), true),
        ] as [([UInt8], Bool)])
    func `good bodies pass however they are cut`(body: [UInt8], isSingle: Bool) {
        #expect(GRPCCodecTests.check(body, isSingle: isSingle) == ["ok"])
    }

    @Test(
        arguments: [
            (
                envelope([UInt8](repeating: 7, count: 11)), false,
                "resourceExhausted a message of 11 bytes is over the limit of 10"
            ),
            (
                [0, 255, 255, 255, 255], false,
                "resourceExhausted a message of 4294967295 bytes is over the limit of 10"
            ),
            (
                envelope([1], flags: 1), false,
                "internal a message is compressed, but no grpc-encoding was declared"
            ),
            (envelope([1], flags: 2), false, "internal a message has the unknown flags 2"),
            (envelope([1], flags: 0x80), false, "internal a message has the unknown flags 128"),
            (
                envelope([1]) + envelope([2]), true,
                "unimplemented more than one message where exactly one is expected"
            ),
            ([], true, "unimplemented no message where exactly one is expected"),
            ([0], false, "internal the body ends inside a message"),
            (Array(envelope([1, 2]).dropLast()), true, "internal the body ends inside a message"),
            (Array(envelope([]).dropLast()), true, "internal the body ends inside a message"),
        ] as [([UInt8], Bool, String)])
    func `bad bodies are refused however they are cut`(body: [UInt8], isSingle: Bool, error: String)
    {
        #expect(GRPCCodecTests.check(body, isSingle: isSingle) == [error])
    }

    @Test func `a compressed message passes where an encoding was declared`() {
        let body = envelope([1], flags: 1)
        #expect(GRPCCodecTests.check(body, allowsCompressed: true) == ["ok"])
        let unknown = envelope([1], flags: 3)
        #expect(
            GRPCCodecTests.check(unknown, allowsCompressed: true)
                == ["internal a message has the unknown flags 3"])
    }
}

@Suite struct GRPCStatusTests {
    private static func status(_ pairs: [(String, String)]) -> Status? {
        var fields = Fields()
        fields.append(pairs)
        return GRPC.status(in: fields)
    }

    @Test(
        arguments: [
            ([("grpc-status", "0")], .ok, ""),
            ([("grpc-status", "0"), ("grpc-message", "x")], .ok, ""),
            ([("grpc-status", "5"), ("grpc-message", "not%20here")], .notFound, "not here"),
            ([("grpc-message", "100%"), ("grpc-status", "16")], .unauthenticated, "100%"),
            ([("grpc-status", "17")], .unknown, ""), ([("grpc-status", "")], .unknown, ""),
            ([("grpc-status", "abc")], .unknown, ""), ([("grpc-status", "-1")], .unknown, ""),
            ([("grpc-status", "5"), ("grpc-status", "0")], .notFound, ""),
            (
                [("grpc-status", "5"), ("grpc-message", "m"), ("grpc-status-details-bin", "%%")],
                .notFound, "m"
            ),
        ] as [([(String, String)], StatusCode, String)])
    func `fields tell the status`(fields: [(String, String)], code: StatusCode, message: String) {
        let status = GRPCStatusTests.status(fields)
        #expect(status?.code == code)
        #expect(status?.message == message)
        #expect(status?.details == [])
        #expect(status?.reason == nil)
    }

    @Test func `fields without a status tell none`() {
        #expect(GRPCStatusTests.status([("grpc-message", "x"), ("x-grpc-status", "0")]) == nil)
    }

    @Test(arguments: StatusCode.allCases)
    func `a status comes back from the fields that carry it`(code: StatusCode) {
        var status = Status(code, code == .ok ? "" : "it's 100% \n ünclear")
        if code != .ok { status.details = [0x1a, 2, 0x0a, 0] }
        var fields = Fields()
        GRPC.append(status, to: &fields)
        #expect(GRPC.status(in: fields) == status)
        #expect(fields.text.hasPrefix("grpc-status=\(code.rawValue)"))
    }

    @Test func `only what the gateway says itself names its reason`() {
        var fields = Fields()
        GRPC.append(Status(.internal, "x", reason: "bad_envelope"), to: &fields)
        #expect(fields.text == "grpc-status=13 grpc-message=x gateway-error=bad_envelope")
        fields.removeAll()
        GRPC.append(Status(.internal), to: &fields)
        #expect(fields.text == "grpc-status=13")
    }

    @Test(
        arguments: [
            (400, true, .internal), (401, true, .unauthenticated), (403, true, .permissionDenied),
            (404, true, .unimplemented),
            (429, true, .unavailable), (502, false, .unavailable), (503, false, .unavailable),
            (504, true, .unavailable),
            (500, true, .unknown), (302, false, .unknown), (0, false, .unknown),
            (200, false, .unknown),
        ] as [(Int, Bool, StatusCode)])
    func `an answer that is not gRPC has a code by its HTTP status`(
        httpStatus: Int, isGRPC: Bool, code: StatusCode
    ) {
        let status = GRPC.statusWithoutGRPC(
            httpStatus: httpStatus, hasGRPCContentType: isGRPC, hasTrailers: false)
        #expect(status.code == code)
        #expect(status.reason?.hasPrefix("upstream_") == true)
    }

    @Test(arguments: [(true, .unknown), (false, .internal)] as [(Bool, StatusCode)])
    func `a gRPC answer without a status has a code by its trailers`(
        hasTrailers: Bool, code: StatusCode
    ) {
        let status = GRPC.statusWithoutGRPC(
            httpStatus: 200, hasGRPCContentType: true, hasTrailers: hasTrailers)
        #expect(status.code == code)
        #expect(status.reason == "upstream_no_status")
    }

    @Test(
        arguments: [
            (0, .internal), (1, .internal), (2, .internal), (3, .internal), (4, .internal),
            (5, .internal),
            (6, .internal), (7, .unavailable), (8, .cancelled), (9, .internal), (10, .internal),
            (11, .resourceExhausted), (12, .permissionDenied), (13, .internal), (14, .unknown),
            (.max, .unknown),
        ] as [(UInt32, StatusCode)])
    func `a reset has a code by its error code`(reset: UInt32, code: StatusCode) {
        let status = GRPC.status(resetCode: reset)
        #expect(status.code == code)
        #expect(status.message.contains("\(reset)"))
    }
}
