import ProtoRuntime
import Transcode

/// One protobuf message as a value, written by hand: the gateway has no generated code. Unknown fields are skipped.
protocol WireMessage: Equatable {
    init()

    /// Reads the fields that are left in `reader`: a later scalar wins, repeated fields grow, messages merge.
    mutating func merge(_ reader: inout WireReader) throws(WireError)

    func encode(into output: inout OutputBlock)
}

extension WireMessage {
    init(decoding bytes: Span<UInt8>) throws(WireError) {
        self.init()
        var reader = WireReader(bytes)
        try merge(&reader)
    }
}

extension WireMessage {
    /// The message in its envelope, as gRPC sends it.
    func appendEnvelope(to output: inout OutputBlock) {
        let start = output.beginEnvelope()
        encode(into: &output)
        output.endEnvelope(at: start)
    }
}

extension WireReader {
    /// Merges a nested message into `message`, which is made when it is absent.
    mutating func merge<Message: WireMessage>(
        _ tag: WireTag, into message: inout Message?
    ) throws(WireError) {
        var merged = message ?? Message()
        var nested = try readMessage(tag)
        try merged.merge(&nested)
        message = merged
    }

    /// Reads one element of a repeated message field.
    mutating func decode<Message: WireMessage>(
        _ tag: WireTag, as type: Message.Type
    ) throws(WireError) -> Message {
        var message: Message?
        try merge(tag, into: &message)
        return message ?? Message()
    }

    mutating func readByteArray(_ tag: WireTag) throws(WireError) -> [UInt8] {
        let bytes = try readBytes(tag)
        return [UInt8](copying: bytes)
    }
}

extension [UInt8] {
    /// A copy of the bytes.
    init(copying bytes: Span<UInt8>) {
        self = []
        reserveCapacity(bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }
}

/// Fields without presence: written only when they are not the default.
extension OutputBlock {
    mutating func appendSet(_ number: Int32, _ value: String) {
        if !value.isEmpty { appendField(number, string: value) }
    }

    mutating func appendSet(_ number: Int32, _ value: Int32) {
        if value != 0 { appendField(number, int64: Int64(value)) }
    }

    mutating func appendSet(_ number: Int32, _ value: Int64) {
        if value != 0 { appendField(number, int64: value) }
    }

    mutating func appendSet(_ number: Int32, _ value: Double) {
        if value.bitPattern != 0 { appendField(number, double: value) }
    }

    mutating func appendSet(_ number: Int32, _ message: (some WireMessage)?) {
        guard let message else { return }
        appendField(number) { (output: inout OutputBlock) in message.encode(into: &output) }
    }
}
