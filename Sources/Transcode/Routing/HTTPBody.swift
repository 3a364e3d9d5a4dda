public import ProtoRuntime

/// google.api.HttpBody {content_type = 1, data = 2, extensions = 3}: a raw entity, no JSON.
public enum HTTPBody {
    public static let fullName = "google.api.HttpBody"

    /// Where the parts of an encoded HttpBody stand in its block; empty where they are absent.
    public struct Parts: Equatable, Sendable {
        public var contentType: Range<Int>
        public var data: Range<Int>
    }

    /// Appends the fields of an HttpBody; empty ones are left out.
    public static func encode(
        contentType: Span<UInt8>, data: Span<UInt8>, into output: inout OutputBlock
    ) {
        if contentType.count > 0 { output.appendField(1, bytes: contentType) }
        if data.count > 0 { output.appendField(2, bytes: data) }
    }

    /// How many bytes `encode` appends.
    static func encodedBytes(contentType: Int, data: Int) -> Int {
        var bytes = 0
        if contentType > 0 { bytes += 1 + OutputBlock.varintBytes(contentType) + contentType }
        if data > 0 { bytes += 1 + OutputBlock.varintBytes(data) + data }
        return bytes
    }

    /// Finds the parts of the HttpBody that `wire[range]` is, or that is its field `field`.
    ///
    /// Throws 502 when the bytes are no message: the upstream's fault.
    public static func locate(
        in wire: borrowing OutputBlock, range: Range<Int>, field number: Int32? = nil
    ) throws(Status) -> Parts {
        var parts = Parts(
            contentType: range.lowerBound..<range.lowerBound,
            data: range.lowerBound..<range.lowerBound)
        do throws(WireError) {
            var reader = WireReader(wire.bytes.extracting(range))
            guard let number else {
                try locate(&reader, range.lowerBound, &parts)
                return parts
            }
            while let tag = try reader.readTag() {
                guard tag.number == number else {
                    try reader.skip(tag)
                    continue
                }
                // A field in pieces is merged: what a later piece has wins.
                var nested = try reader.readMessage(tag)
                try locate(&nested, range.lowerBound, &parts)
            }
        } catch {
            throw .rest(
                502, "the upstream's HttpBody is not valid protobuf: \(error)",
                reason: "bad_upstream_message")
        }
        return parts
    }

    private static func locate(
        _ reader: inout WireReader, _ base: Int, _ parts: inout Parts
    ) throws(WireError) {
        while let tag = try reader.readTag() {
            guard tag.number == 1 || tag.number == 2 else {
                try reader.skip(tag)
                continue
            }
            let count = try reader.readBytes(tag).count
            let end = base + reader.offset
            if tag.number == 1 {
                parts.contentType = end - count..<end
            } else {
                parts.data = end - count..<end
            }
        }
    }
}
