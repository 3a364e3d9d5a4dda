public import ProtoRuntime

/// The serialized google.rpc.Status {code = 1, message = 2, details = 3}, as `grpc-status-details-bin` carries it.
public struct RPCStatus: Equatable, Sendable {
    public var code: StatusCode = .ok
    public var message = ""
    /// The `details` fields as they came, each with its tag.
    public var details: [UInt8] = []

    public init() {}

    /// Decodes the message (base64 taken off already). Invalid UTF-8 in `message` is replaced.
    public init(decoding bytes: Span<UInt8>) throws(WireError) {
        var reader = WireReader(bytes)
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1:
                let number = try reader.readInt32(tag)
                code = StatusCode(number: Int(number))
            case 2: message = String(copying: try reader.readBytes(tag))
            case 3:
                let detail = try reader.readBytes(tag)
                details.append(0x1a)
                appendVarint(UInt64(detail.count))
                details.reserveCapacity(details.count + detail.count)
                for index in detail.indices { details.append(detail[index]) }
            default: try reader.skip(tag)
            }
        }
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 128 {
            details.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        details.append(UInt8(truncatingIfNeeded: rest))
    }
}

extension Status {
    /// What trailers say: `grpc-status` and `grpc-message`, and with them the decoded details when there are any.
    ///
    /// Details whose code is another than grpc-status are dropped (grpc-status is to be trusted); otherwise
    /// their message is preferred. Details that cannot be read are dropped too.
    public init(code: StatusCode, message: String, encodedDetails: Span<UInt8>) {
        self.init(code, message)
        guard encodedDetails.count > 0,
            let status = try? RPCStatus(decoding: encodedDetails), status.code == code
        else { return }
        if !status.message.isEmpty { self.message = status.message }
        details = status.details
    }

    /// Appends the serialized google.rpc.Status.
    public func encode(into output: inout OutputBlock) {
        if code != .ok { output.appendField(1, varint: UInt64(code.rawValue)) }
        if !message.isEmpty { output.appendField(2, string: message) }
        output.append(details.span)
    }
}
