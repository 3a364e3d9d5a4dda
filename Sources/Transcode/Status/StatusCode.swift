/// The seventeen codes of gRPC and Connect; raw values are those of google.rpc.Code.
public enum StatusCode: UInt8, Sendable, CaseIterable {
    case ok = 0
    case cancelled
    case unknown
    case invalidArgument
    case deadlineExceeded
    case notFound
    case alreadyExists
    case permissionDenied
    case resourceExhausted
    case failedPrecondition
    case aborted
    case outOfRange
    case unimplemented
    case `internal`
    case unavailable
    case dataLoss
    case unauthenticated
}

extension StatusCode {
    /// What REST and Connect clients get (google/rpc/code.proto; Connect's table is the same).
    public var httpStatus: Int {
        switch self {
        case .ok: 200
        case .invalidArgument, .failedPrecondition, .outOfRange: 400
        case .unauthenticated: 401
        case .permissionDenied: 403
        case .notFound: 404
        case .alreadyExists, .aborted: 409
        case .resourceExhausted: 429
        case .cancelled: 499
        case .unknown, .internal, .dataLoss: 500
        case .unimplemented: 501
        case .unavailable: 503
        case .deadlineExceeded: 504
        }
    }

    /// The code of a plain HTTP answer that carries no gRPC status (gRPC's http-grpc-status-mapping).
    public static func from(httpStatus: Int) -> StatusCode {
        switch httpStatus {
        case 400, 431: .internal
        case 401: .unauthenticated
        case 403: .permissionDenied
        case 404: .unimplemented
        case 429, 502, 503, 504: .unavailable
        default: .unknown
        }
    }

    /// The same by Connect's table, which does not know 431.
    public static func from(connectHTTPStatus httpStatus: Int) -> StatusCode {
        httpStatus == 431 ? .unknown : from(httpStatus: httpStatus)
    }

    /// The name in Connect's error JSON; "canceled" has one l. `ok` has none on the wire.
    public var connectName: String {
        switch self {
        case .ok: "ok"
        case .cancelled: "canceled"
        case .unknown: "unknown"
        case .invalidArgument: "invalid_argument"
        case .deadlineExceeded: "deadline_exceeded"
        case .notFound: "not_found"
        case .alreadyExists: "already_exists"
        case .permissionDenied: "permission_denied"
        case .resourceExhausted: "resource_exhausted"
        case .failedPrecondition: "failed_precondition"
        case .aborted: "aborted"
        case .outOfRange: "out_of_range"
        case .unimplemented: "unimplemented"
        case .internal: "internal"
        case .unavailable: "unavailable"
        case .dataLoss: "data_loss"
        case .unauthenticated: "unauthenticated"
        }
    }

    /// The code that a Connect error names; nil for `ok` and for text that is no code.
    public init?(connectName: String) {
        let known = StatusCode.allCases.first { $0.connectName == connectName }
        guard let known, known != .ok else { return nil }
        self = known
    }

    /// The name in google.rpc.Code: `NOT_FOUND`.
    public var name: String {
        self == .cancelled ? "CANCELLED" : connectName.uppercased()
    }

    /// The value of a `grpc-status` field: decimal without sign or leading zeros. Nil when it is not
    /// that; a number that is no code is `unknown`, as gRPC asks.
    public init?(grpcStatus text: Span<UInt8>) {
        guard text.count >= 1, text.count <= 9, text[0] != UInt8(ascii: "0") || text.count == 1
        else { return nil }
        var value = 0
        for index in text.indices {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        self = StatusCode(number: value)
    }

    /// The code with that number; `unknown` for a number that is no code.
    public init(number: Int) {
        self = UInt8(exactly: number).flatMap(StatusCode.init(rawValue:)) ?? .unknown
    }
}
