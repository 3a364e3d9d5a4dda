public import ProtoRuntime

/// The percent-coding of `grpc-message` (gRPC over HTTP/2, "Responses"): UTF-8, every byte outside
/// 0x20...0x7E and `%` as `%XX`.
public enum GRPCMessageCoding {
    /// Appends the coded form of a UTF-8 message.
    public static func encode(_ message: Span<UInt8>, into output: inout OutputBlock) {
        output.reserve(message.count)
        for index in message.indices {
            let byte = message[index]
            if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
                output.append(byte)
            } else {
                PercentEncoding.appendEscape(of: byte, into: &output)
            }
        }
    }

    public static func encode(_ message: String, into output: inout OutputBlock) {
        encode(message.utf8Span.span, into: &output)
    }

    /// Never fails: a broken escape stays as it stands, invalid UTF-8 becomes U+FFFD.
    public static func decode(_ value: Span<UInt8>) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(value.count)
        var index = 0
        while index < value.count {
            if value[index] == UInt8(ascii: "%"),
                let byte = PercentEncoding.escapedByte(in: value, at: index)
            {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(value[index])
                index += 1
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
