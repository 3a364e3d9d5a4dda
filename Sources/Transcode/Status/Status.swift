/// The one error that a client sees, whatever its protocol; also how a call ends well.
public struct Status: Error, Sendable, Equatable {
    public var code: StatusCode
    /// For humans. Never copied into a header that means something to HTTP.
    public var message: String
    /// Serialized `details` fields of google.rpc.Status as received: repeated Any, each with its tag 3.
    public var details: [UInt8]
    /// What REST and Connect send; the code's own unless the case has a better one (405, 413, 415 …).
    public var httpStatus: Int
    /// `gateway-error: <reason>` when the gateway made the error itself; nil when the upstream did.
    public var reason: String?
    /// The value of `Allow`, for 405.
    public var allow: String?

    public init(
        _ code: StatusCode, _ message: String = "", httpStatus: Int? = nil, reason: String? = nil
    ) {
        self.code = code
        self.message = message
        self.details = []
        self.httpStatus = httpStatus ?? code.httpStatus
        self.reason = reason
        self.allow = nil
    }

    public static var ok: Status { Status(.ok) }
    public var isOK: Bool { code == .ok }
}

extension Status {
    /// The errors of the gateway's own REST side, with the code that goes with their HTTP status.
    public static func rest(
        _ httpStatus: Int, _ message: String, reason: String, allow: String? = nil
    ) -> Status {
        let code: StatusCode =
            switch httpStatus {
            case 400: .invalidArgument
            case 404: .notFound
            case 405: .unimplemented
            case 408: .deadlineExceeded
            case 413, 431: .resourceExhausted
            case 415: .invalidArgument
            case 502, 503: .unavailable
            default: .from(httpStatus: httpStatus)
            }
        var status = Status(code, message, httpStatus: httpStatus, reason: reason)
        status.allow = allow
        return status
    }

    public static var routeNotFound: Status {
        .rest(404, "no route for this path", reason: "route_not_found")
    }

    public static func methodNotAllowed(allow: String) -> Status {
        .rest(
            405, "this path does not take that method; it takes \(allow)",
            reason: "method_not_allowed", allow: allow)
    }
}
