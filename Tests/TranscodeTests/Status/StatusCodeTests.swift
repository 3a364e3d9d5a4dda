import Testing

@testable import Transcode

@Suite struct StatusCodeTests {
    static let rows: [(Int, StatusCode, String, Int)] = [
        (0, .ok, "ok", 200), (1, .cancelled, "canceled", 499), (2, .unknown, "unknown", 500),
        (3, .invalidArgument, "invalid_argument", 400),
        (4, .deadlineExceeded, "deadline_exceeded", 504), (5, .notFound, "not_found", 404),
        (6, .alreadyExists, "already_exists", 409),
        (7, .permissionDenied, "permission_denied", 403),
        (8, .resourceExhausted, "resource_exhausted", 429),
        (9, .failedPrecondition, "failed_precondition", 400), (10, .aborted, "aborted", 409),
        (11, .outOfRange, "out_of_range", 400), (12, .unimplemented, "unimplemented", 501),
        (13, .internal, "internal", 500), (14, .unavailable, "unavailable", 503),
        (15, .dataLoss, "data_loss", 500), (16, .unauthenticated, "unauthenticated", 401),
    ]

    @Test(arguments: rows)
    func `every code has its number, Connect name and HTTP status`(
        _ row: (Int, StatusCode, String, Int)
    ) {
        let (number, code, name, httpStatus) = row
        #expect(StatusCode(number: number) == code)
        #expect(code.connectName == name)
        #expect(code.httpStatus == httpStatus)
        #expect(StatusCode(connectName: name) == (code == .ok ? nil : code))
    }

    @Test func `names are those of google.rpc.Code`() {
        #expect(StatusCode.cancelled.name == "CANCELLED")
        #expect(StatusCode.deadlineExceeded.name == "DEADLINE_EXCEEDED")
    }

    @Test func `an unknown Connect name is no code`() {
        #expect(StatusCode(connectName: "cancelled") == nil)
        #expect(StatusCode(connectName: "NOT_FOUND") == nil)
    }

    @Test(arguments: [
        (400, StatusCode.internal), (401, .unauthenticated), (403, .permissionDenied),
        (404, .unimplemented), (429, .unavailable), (502, .unavailable), (503, .unavailable),
        (504, .unavailable), (431, .internal), (200, .unknown), (409, .unknown), (500, .unknown),
    ])
    func `a plain HTTP status has a code`(_ httpStatus: Int, _ code: StatusCode) {
        #expect(StatusCode.from(httpStatus: httpStatus) == code)
        let connect: StatusCode = httpStatus == 431 ? .unknown : code
        #expect(StatusCode.from(connectHTTPStatus: httpStatus) == connect)
    }

    @Test(arguments: [
        ("0", StatusCode.ok), ("5", .notFound), ("16", .unauthenticated), ("17", .unknown),
        ("999999999", .unknown), ("00", nil), ("05", nil), ("", nil), ("-1", nil), ("x", nil),
        ("1000000000", nil),
    ])
    func `grpc-status is a plain decimal`(_ text: String, _ code: StatusCode?) {
        let parsed = StatusCode(grpcStatus: text.utf8Span.span)
        #expect(parsed == code)
    }

    @Test(arguments: [
        (404, 5), (405, 12), (408, 4), (413, 8), (415, 3), (431, 8), (502, 14), (503, 14),
        (400, 3),
    ])
    func `the gateway's own REST errors have their codes`(_ httpStatus: Int, _ number: Int) {
        let status = Status.rest(httpStatus, "x", reason: "y")
        #expect(status.httpStatus == httpStatus)
        #expect(status.code.rawValue == UInt8(number))
    }
}
