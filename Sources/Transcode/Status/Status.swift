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
    /// What would have been accepted, for 405 and 415.
    public var accepted: Accepted?

    public init(
        _ code: StatusCode, _ message: String = "", httpStatus: Int? = nil, reason: String? = nil
    ) {
        self.code = code
        self.message = message
        self.details = []
        self.httpStatus = httpStatus ?? code.httpStatus
        self.reason = reason
        self.accepted = nil
    }

    public static var ok: Status { Status(.ok) }
    public var isOK: Bool { code == .ok }
}

extension Status {
    /// What a resource takes, as the header field that tells it.
    public enum Accepted: Sendable, Equatable {
        /// HTTP methods: `Allow`.
        case methods(String)
        /// Media types of POST (W3C Linked Data Platform §7.1).
        case post(String)
        /// Media types of PATCH (RFC 5789 §3.1).
        case patch(String)
        /// Media types of any other method (RFC 9110 §12.5.1).
        case other(String)

        var fieldName: StaticString {
            switch self {
            case .methods: "allow"
            case .post: "accept-post"
            case .patch: "accept-patch"
            case .other: "accept"
            }
        }

        var value: String {
            switch self {
            case .methods(let list), .post(let list), .patch(let list), .other(let list): list
            }
        }
    }

    /// The errors of the gateway's own REST side, with the code that goes with their HTTP status.
    public static func rest(
        _ httpStatus: Int, _ message: String, reason: String, accepted: Accepted? = nil
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
        status.accepted = accepted
        return status
    }

    public static var routeNotFound: Status {
        .rest(404, "no route for this path", reason: "route_not_found")
    }

    public static func methodNotAllowed(allow: String) -> Status {
        .rest(
            405, "this path does not take that method; it takes \(allow)",
            reason: "method_not_allowed", accepted: .methods(allow))
    }
}
