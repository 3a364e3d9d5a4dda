import ProtoRuntime
import Testing

@testable import Transcode

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

    @Test(arguments: [("0", "5"), ("5", "0"), ("0", "0")])
    func `two statuses are none that can be trusted`(first: String, second: String) {
        let status = GRPCStatusTests.status([("grpc-status", first), ("grpc-status", second)])
        #expect(status?.code == .unknown)
        #expect(status?.reason == "upstream_two_statuses")
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
            (429, true, .unavailable), (431, true, .internal), (502, false, .unavailable),
            (503, false, .unavailable),
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
