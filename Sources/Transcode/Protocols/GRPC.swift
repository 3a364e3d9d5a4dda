import ProtoRuntime

/// Status and fields of gRPC over HTTP/2 (SEMANTICS d).
public enum GRPC {
    public static let contentType: StaticString = "application/grpc"

    /// The status that trailers, or the head of a trailers-only answer, carry; nil without `grpc-status`.
    public static func status(in fields: borrowing Fields) -> Status? {
        guard let index = fields.firstIndex(of: .grpcStatus) else { return nil }
        guard fields.count(of: .grpcStatus) == 1 else {
            return Status(
                .unknown, "the upstream ended the call with more than one grpc-status",
                reason: "upstream_two_statuses")
        }
        let code = StatusCode(grpcStatus: fields.value(at: index)) ?? .unknown
        guard code != .ok else { return .ok }
        var message = ""
        if let index = fields.firstIndex(of: .grpcMessage) {
            message = GRPCMessageCoding.decode(fields.value(at: index))
        }
        var details = OutputBlock()
        if let index = fields.firstIndex(of: .grpcStatusDetailsBin) {
            // Details that are not base64 are dropped; code and message stand.
            try? BinaryMetadata.decode(fields.value(at: index), into: &details)
        }
        return Status(code: code, message: message, encodedDetails: details.bytes)
    }

    /// Whether a head says that its body is gRPC.
    public static func isContentType(of fields: borrowing Fields) -> Bool {
        guard let index = fields.firstIndex(of: .contentType) else { return false }
        return fields.value(at: index).hasPrefix(contentType)
    }

    /// How a call ended that the upstream has closed: by its trailers, or by the head of a trailers-only answer.
    public static func finalStatus(
        _ head: borrowing ResponseHead, trailers: borrowing Fields
    ) -> Status {
        let hasTrailers = !trailers.isEmpty
        if hasTrailers, isPlainOK(trailers) { return .ok }
        if let status = hasTrailers ? status(in: trailers) : status(in: head.fields) {
            return status
        }
        return statusWithoutGRPC(
            httpStatus: head.status, hasGRPCContentType: isContentType(of: head.fields),
            hasTrailers: hasTrailers)
    }

    /// Whether they say 0 once, as at the end of nearly every call.
    private static func isPlainOK(_ trailers: borrowing Fields) -> Bool {
        trailers.count(of: .grpcStatus) == 1 && trailers.has(.grpcStatus, value: "0")
    }

    /// Appends `grpc-status`, `grpc-message` and the details to trailers or to a trailers-only head.
    public static func append(_ status: Status, to fields: inout Fields) {
        fields.append(.grpcStatus) { output in
            if status.code.rawValue >= 10 { output.append(UInt8(ascii: "1")) }
            output.append(UInt8(ascii: "0") + status.code.rawValue % 10)
        }
        if !status.message.isEmpty {
            fields.append(.grpcMessage) { GRPCMessageCoding.encode(status.message, into: &$0) }
        }
        if !status.details.isEmpty {
            var encoded = OutputBlock()
            status.encode(into: &encoded)
            fields.append(.grpcStatusDetailsBin) { BinaryMetadata.encode(encoded.bytes, into: &$0) }
        }
        if let reason = status.reason { fields.append("gateway-error", text: reason) }
    }

    /// What an upstream's answer without a gRPC status means, by its HTTP status and content type (SEMANTICS d.2, d.3).
    public static func statusWithoutGRPC(
        httpStatus: Int, hasGRPCContentType: Bool, hasTrailers: Bool
    ) -> Status {
        guard httpStatus == 200 else {
            return Status(
                .from(httpStatus: httpStatus),
                "the upstream answered with HTTP status \(httpStatus)",
                reason: "upstream_http_status")
        }
        guard hasGRPCContentType else {
            return Status(
                .unknown,
                "the upstream's answer is not gRPC: its content-type is not application/grpc",
                reason: "upstream_not_grpc")
        }
        return Status(
            hasTrailers ? .unknown : .internal, "the upstream ended the call without a grpc-status",
            reason: "upstream_no_status")
    }

    /// What RST_STREAM from an upstream means (SEMANTICS d.4).
    public static func status(resetCode code: UInt32) -> Status {
        let mapped: StatusCode =
            switch code {
            case 7: .unavailable
            case 8: .cancelled
            case 11: .resourceExhausted
            case 12: .permissionDenied
            case 0...6, 9, 10, 13: .internal
            default: .unknown
            }
        return Status(
            mapped, "the upstream reset the stream with HTTP/2 error code \(code)",
            reason: "upstream_reset")
    }
}
