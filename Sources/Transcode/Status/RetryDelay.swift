import ProtoRuntime

extension Status {
    /// Whole seconds after which the client may try again, rounded up: the google.rpc.RetryInfo {retry_delay = 1}
    /// among the details. Nil without one, and for a delay that is none (negative, or of more than 10,000 years).
    var retryAfterSeconds: Int64? {
        guard !details.isEmpty else { return nil }
        for detail in decodedDetails where detail.typeName == "google.rpc.RetryInfo" {
            guard let delay = try? Status.retryDelay(in: detail.value.span), delay.seconds >= 0,
                delay.seconds <= 315_576_000_000, (0...999_999_999).contains(delay.nanoseconds)
            else { return nil }
            return delay.seconds + (delay.nanoseconds > 0 ? 1 : 0)
        }
        return nil
    }

    /// google.protobuf.Duration {seconds = 1, nanos = 2}; pieces are merged.
    private static func retryDelay(
        in retryInfo: Span<UInt8>
    ) throws(WireError) -> (seconds: Int64, nanoseconds: Int64) {
        var delay = (seconds: Int64(0), nanoseconds: Int64(0))
        var reader = WireReader(retryInfo)
        while let tag = try reader.readTag() {
            guard tag.number == 1 else {
                try reader.skip(tag)
                continue
            }
            var duration = try reader.readMessage(tag)
            while let tag = try duration.readTag() {
                switch tag.number {
                case 1: delay.seconds = try duration.readInt64(tag)
                case 2: delay.nanoseconds = Int64(try duration.readInt32(tag))
                default: try duration.skip(tag)
                }
            }
        }
        return delay
    }
}
