/// How a field's value is delimited on the wire: the low three bits of its tag.
public enum WireType: UInt8, Sendable, BitwiseCopyable {
    case varint = 0
    case fixed64, lengthDelimited, startGroup, endGroup, fixed32
}

/// A field's tag: which field, and how its value is delimited.
public struct WireTag: Sendable, Equatable, BitwiseCopyable {
    /// The greatest legal field number, 2^29 - 1.
    public static var numberMax: Int32 { 536_870_911 }

    /// 1 ... `numberMax`.
    public let number: Int32
    public let type: WireType

    @inlinable
    public init(number: Int32, type: WireType) {
        precondition(number > 0 && number <= WireTag.numberMax, "field number out of range")
        self.number = number
        self.type = type
    }

    /// The tag that `value` encodes; nil for field number 0, one above `numberMax`, or wire type 6 or 7.
    @inlinable
    public init?(encoded value: UInt64) {
        let number = value >> 3
        guard number > 0, number <= UInt64(WireTag.numberMax),
            let type = WireType(rawValue: UInt8(truncatingIfNeeded: value & 7))
        else { return nil }
        self.number = Int32(truncatingIfNeeded: number)
        self.type = type
    }

    /// The number that is written as a varint.
    @inlinable
    public var encoded: UInt32 { UInt32(bitPattern: number) << 3 | UInt32(type.rawValue) }
}

/// What any message may ask of a decoder.
public enum WireLimits {
    /// How deep messages and groups may nest (protobuf's own limit).
    public static var depthMax: Int { 100 }
    /// The greatest length prefix that protobuf allows, 2^31 - 1.
    public static var lengthMax: UInt64 { 2_147_483_647 }
    /// Bytes of the longest varint.
    public static var varintBytesMax: Int { 10 }
}
