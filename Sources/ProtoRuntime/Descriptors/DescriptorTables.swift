/// How a field is declared; raw values are those of FieldDescriptorProto.Type.
public enum FieldKind: UInt8, Sendable, BitwiseCopyable {
    case double = 1
    case float, int64, uint64, int32, fixed64, fixed32, bool, string, group, message, bytes, uint32
    case enumeration, sfixed32, sfixed64, sint32, sint64
}

/// What else is known of a field, features already resolved.
public struct FieldFlags: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt16
    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `repeated`, maps included.
    @inlinable public static var repeated: FieldFlags { .init(rawValue: 1) }
    /// A map; `typeIndex` names its entry message (field 1 = key, field 2 = value).
    @inlinable public static var map: FieldFlags { .init(rawValue: 2) }
    /// A repeated scalar that is written packed (`tag` is then the length-delimited one).
    @inlinable public static var packed: FieldFlags { .init(rawValue: 4) }
    /// Explicit presence: singular messages, oneof members, `optional`, EXPLICIT, LEGACY_REQUIRED.
    @inlinable public static var presence: FieldFlags { .init(rawValue: 8) }
    @inlinable public static var required: FieldFlags { .init(rawValue: 16) }
    /// Strings must be valid UTF-8 (utf8_validation = VERIFY).
    @inlinable public static var verifyUTF8: FieldFlags { .init(rawValue: 32) }
    /// A message field written as a group (message_encoding = DELIMITED).
    @inlinable public static var delimited: FieldFlags { .init(rawValue: 64) }
    /// A member of a real oneof: `oneofIndex` is not negative.
    @inlinable public static var oneof: FieldFlags { .init(rawValue: 256) }
    /// An extension: both its names are `[full.name]`.
    @inlinable public static var isExtension: FieldFlags { .init(rawValue: 128) }
}

/// One field as the codecs see it: flat, trivial, everything precomputed.
public struct FieldEntry: BitwiseCopyable, Sendable {
    /// The encoded tag, first byte lowest; only the low `tagLength` bytes count.
    public var tag: UInt64
    /// The bits of these bytes.
    public var tagMask: UInt64
    public var number: Int32
    /// Index of the message (kinds message, group) or enum; -1 otherwise.
    public var typeIndex: Int32
    /// Where `,"jsonName":` stands in the text (already escaped); skip its first byte for the first member.
    public var keyOffset: UInt32
    /// The same for `,"proto_name":`.
    public var protoKeyOffset: UInt32
    /// Where the bare names stand, for look-up and error paths.
    public var nameOffset: UInt32
    public var protoNameOffset: UInt32
    public var keyLength: UInt16
    public var protoKeyLength: UInt16
    public var nameLength: UInt16
    public var protoNameLength: UInt16
    public var flags: FieldFlags
    /// Index of the real oneof within its message; -1 for none (synthetic oneofs do not count).
    public var oneofIndex: Int16
    /// Position among the message's fields, which are sorted by number.
    public var ordinal: UInt16
    /// `group` exactly when `flags` has `delimited`: proto2 groups and the DELIMITED fields of editions alike.
    public var kind: FieldKind
    public var tagLength: UInt8
}

/// One message type.
public struct MessageEntry: BitwiseCopyable, Sendable {
    /// Fields `firstField ..< firstField + fieldCount`, extensions among them, sorted by number.
    public var firstField: Int32
    public var fieldCount: Int32
    /// `slots[numberSlot + n]` is ordinal + 1 (0: none) for field numbers n < numberSlotCount;
    /// larger numbers are found by binary search.
    public var numberSlot: Int32
    public var numberSlotCount: Int32
    /// Open-addressed table of `nameMask + 1` slots: 0 empty, else ordinal * 2 + (1 JSON name, 2 proto name).
    public var nameSlot: Int32
    public var nameMask: UInt32
    public var fullNameOffset: UInt32
    public var fullNameLength: UInt16
    public var oneofCount: Int16
    public var wellKnown: WellKnownType
    public var isMapEntry: Bool
    /// One of its own fields is `required`; nested messages do not count.
    public var hasRequired: Bool
    public var isMessageSet: Bool
}

/// One enum type.
public struct EnumEntry: BitwiseCopyable, Sendable {
    /// Values in declaration order.
    public var firstValue: Int32
    public var valueCount: Int32
    /// `slots[numberSlot + n - lowest]` is index + 1 of the first value declared with number n, 0 for none,
    /// for n in `lowest ..< lowest + numberSlotCount`.
    public var numberSlot: Int32
    public var numberSlotCount: Int32
    public var lowest: Int32
    /// Open-addressed table of the numbers outside that range: 0 empty, else value index + 1.
    public var sparseSlot: Int32
    public var sparseMask: UInt32
    /// Open-addressed table: 0 empty, else value index + 1.
    public var nameSlot: Int32
    public var nameMask: UInt32
    public var fullNameOffset: UInt32
    public var fullNameLength: UInt16
    public var isClosed: Bool
    /// google.protobuf.NullValue
    public var isNullValue: Bool
}

public struct EnumValueEntry: BitwiseCopyable, Sendable {
    public var number: Int32
    /// Where `"NAME"` (with quotes) stands in the text.
    public var quotedOffset: UInt32
    public var quotedLength: UInt16
}

/// Messages that have a JSON form of their own, by full name.
public enum WellKnownType: UInt8, Sendable, BitwiseCopyable {
    case none, timestamp, duration, fieldMask, `struct`, value, listValue, any, empty
    case doubleValue, floatValue, int64Value, uint64Value, int32Value, uint32Value, boolValue,
        stringValue, bytesValue
}

/// The flat tables of one linked descriptor set, as the codecs read them: trivial to copy, no reference counting.
///
/// Valid while its `DescriptorPool` lives; the pool is kept by the snapshot that every call holds. Invariants
/// (kept by `DescriptorLinker` and `TableStorage`): every index stored in an entry is in range; `text` ends in
/// `textSlack` readable bytes; a name table has at least one empty slot, so that probing ends. Built with CHECKED
/// every index is verified.
@safe
public struct DescriptorTables: BitwiseCopyable, @unchecked Sendable {
    /// Zero bytes behind the text, so that a wide load may start at any name.
    @inlinable public static var textSlack: Int { 32 }

    @usableFromInline let messages: UnsafePointer<MessageEntry>
    @usableFromInline let fields: UnsafePointer<FieldEntry>
    @usableFromInline let enums: UnsafePointer<EnumEntry>
    @usableFromInline let enumValues: UnsafePointer<EnumValueEntry>
    /// `numberSlots` and `nameSlots` of all types, one after the other.
    @usableFromInline let slots: UnsafePointer<UInt16>
    @usableFromInline let text: UnsafePointer<UInt8>

    public let messageCount: Int32
    /// Fields of all messages, then the extensions that belong to none.
    public let fieldCount: Int32
    public let enumCount: Int32
    public let enumValueCount: Int32
    @usableFromInline let slotCount: Int32
    /// Without the slack.
    @usableFromInline let textCount: UInt32

    @inlinable
    public func message(_ index: Int32) -> MessageEntry {
        check(index, messageCount)
        return unsafe messages[Int(index)]
    }

    @inlinable
    public func field(_ index: Int32) -> FieldEntry {
        check(index, fieldCount)
        return unsafe fields[Int(index)]
    }

    @inlinable
    public func enumeration(_ index: Int32) -> EnumEntry {
        check(index, enumCount)
        return unsafe enums[Int(index)]
    }

    @inlinable
    public func enumValue(_ index: Int32) -> EnumValueEntry {
        check(index, enumValueCount)
        return unsafe enumValues[Int(index)]
    }

    @inlinable
    func slot(_ index: Int32) -> UInt16 {
        check(index, slotCount)
        return unsafe slots[Int(index)]
    }

    @inlinable
    func check(_ index: Int32, _ count: Int32) {
        #if CHECKED
            precondition(index >= 0 && index < count, "descriptor index out of range")
        #endif
    }
}

// MARK: - Look-ups

extension DescriptorTables {
    /// Bytes of the text that entries point into. They live as long as the pool.
    @inlinable @_lifetime(immortal)
    public func text(offset: UInt32, length: UInt16) -> Span<UInt8> {
        #if CHECKED
            precondition(
                UInt64(offset) + UInt64(length) <= UInt64(textCount), "text offset out of range")
        #endif
        let span = unsafe Span(_unsafeStart: text + Int(offset), count: Int(length))
        return unsafe _overrideLifetime(span, borrowing: ())
    }

    /// Position of the field with that number among the message's fields; -1 when there is none.
    @inlinable @inline(__always)
    public func ordinal(ofNumber number: UInt32, in message: MessageEntry) -> Int32 {
        if number < UInt32(bitPattern: message.numberSlotCount) {
            let index = message.numberSlot &+ Int32(bitPattern: number)
            return Int32(slot(index)) &- 1
        }
        return sparseOrdinal(ofNumber: number, in: message)
    }

    /// Binary search among the fields whose numbers lie above the dense range.
    @usableFromInline
    func sparseOrdinal(ofNumber number: UInt32, in message: MessageEntry) -> Int32 {
        var low: Int32 = 0
        var high = message.fieldCount
        while low < high {
            let middle = low &+ (high &- low) / 2
            let found = UInt32(bitPattern: field(message.firstField &+ middle).number)
            if found == number { return middle }
            if found < number { low = middle &+ 1 } else { high = middle }
        }
        return -1
    }

    /// Position of the field with that JSON name or proto name among the message's fields; -1 when there is none.
    /// Where one field's JSON name is another's proto name, the JSON name counts.
    @inlinable
    public func ordinal(named name: Span<UInt8>, in message: MessageEntry) -> Int32 {
        guard name.count <= Int(UInt16.max) else { return -1 }
        return unsafe name.withUnsafeBufferPointer { name in
            guard let start = name.baseAddress else { return -1 }
            let length = UInt16(truncatingIfNeeded: name.count)
            var probe = unsafe NameHash.hash(start, name.count) & message.nameMask
            while true {
                let value = slot(message.nameSlot &+ Int32(bitPattern: probe))
                if value == 0 { return -1 }
                let ordinal = Int32((value &- 1) &>> 1)
                let field = self.field(message.firstField &+ ordinal)
                let isProto = value & 1 == 0
                let foundLength = isProto ? field.protoNameLength : field.nameLength
                if foundLength == length {
                    let offset = isProto ? field.protoNameOffset : field.nameOffset
                    if unsafe NameHash.equal(start, text + Int(offset), name.count) {
                        return ordinal
                    }
                }
                probe = (probe &+ 1) & message.nameMask
            }
        }
    }

    /// The number of the enum value with that name; nil when there is none.
    @inlinable
    public func enumNumber(named name: Span<UInt8>, in enumeration: EnumEntry) -> Int32? {
        guard name.count <= Int(UInt16.max) - 2 else { return nil }
        return unsafe name.withUnsafeBufferPointer { name in
            guard let start = name.baseAddress else { return nil }
            let quotedLength = UInt16(truncatingIfNeeded: name.count &+ 2)
            var probe = unsafe NameHash.hash(start, name.count) & enumeration.nameMask
            while true {
                let slot = self.slot(enumeration.nameSlot &+ Int32(bitPattern: probe))
                if slot == 0 { return nil }
                let value = enumValue(enumeration.firstValue &+ Int32(slot) &- 1)
                if value.quotedLength == quotedLength,
                    unsafe NameHash.equal(start, text + Int(value.quotedOffset) + 1, name.count)
                {
                    return value.number
                }
                probe = (probe &+ 1) & enumeration.nameMask
            }
        }
    }

    /// Index in `enumValues` of the first value declared with that number; -1 when there is none.
    @inlinable
    public func enumValueIndex(ofNumber number: Int32, in enumeration: EnumEntry) -> Int32 {
        let distance = UInt32(bitPattern: number &- enumeration.lowest)
        if distance < UInt32(bitPattern: enumeration.numberSlotCount) {
            let slot = self.slot(enumeration.numberSlot &+ Int32(bitPattern: distance))
            return slot == 0 ? -1 : enumeration.firstValue &+ Int32(slot) &- 1
        }
        var probe = NameHash.hash(number) & enumeration.sparseMask
        while true {
            let slot = self.slot(enumeration.sparseSlot &+ Int32(bitPattern: probe))
            if slot == 0 { return -1 }
            let index = enumeration.firstValue &+ Int32(slot) &- 1
            if enumValue(index).number == number { return index }
            probe = (probe &+ 1) & enumeration.sparseMask
        }
    }
}

/// The hash behind the open-addressed tables; their builder and the look-ups share it.
@usableFromInline
enum NameHash {
    /// Mixes length, first and last eight bytes by one wide multiplication (as wyhash does), and what lies between
    /// eight at a time. `count` readable bytes at `start`.
    @inlinable
    static func hash(_ start: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        let bytes = unsafe UnsafeRawPointer(start)
        var low: UInt64 = 0
        var high: UInt64 = 0
        if count >= 8 {
            low = unsafe bytes.loadUnaligned(as: UInt64.self)
            high = unsafe bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            var offset = 8
            while offset < count &- 8 {
                let middle = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                low = mix(low ^ 0xa076_1d64_78bd_642f, middle ^ 0xe703_7ed1_a0b4_28db)
                offset &+= 8
            }
        } else if count >= 4 {
            low = UInt64(unsafe bytes.loadUnaligned(as: UInt32.self))
            high = UInt64(
                unsafe bytes.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else if count > 0 {
            low = unsafe UInt64(start[0]) | UInt64(start[count &>> 1]) &<< 8
            high = unsafe UInt64(start[count &- 1])
        }
        let length = UInt64(truncatingIfNeeded: count)
        let mixed = mix(low ^ 0xa076_1d64_78bd_642f, high ^ 0xe703_7ed1_a0b4_28db ^ length)
        return UInt32(truncatingIfNeeded: mixed ^ mixed &>> 32)
    }

    @inlinable
    static func hash(_ number: Int32) -> UInt32 {
        let mixed = UInt64(UInt32(bitPattern: number)) &* 0x9e37_79b9_7f4a_7c15
        return UInt32(truncatingIfNeeded: mixed &>> 32)
    }

    @inlinable
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// Whether `count` bytes at both places are the same.
    @inlinable
    static func equal(
        _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int
    ) -> Bool {
        let left = unsafe UnsafeRawPointer(left)
        let right = unsafe UnsafeRawPointer(right)
        guard count >= 8 else { return unsafe equalShort(left, right, count) }
        var offset = 0
        while offset <= count &- 8 {
            let difference =
                unsafe left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                ^ right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if difference != 0 { return false }
            offset &+= 8
        }
        return unsafe left.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            == right.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    }

    @inlinable
    static func equalShort(
        _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        if count >= 4 {
            let first =
                unsafe left.loadUnaligned(as: UInt32.self) ^ right.loadUnaligned(as: UInt32.self)
            let last =
                unsafe left.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
                ^ right.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            return first | last == 0
        }
        for offset in 0..<count
        where unsafe left.load(fromByteOffset: offset, as: UInt8.self)
            != right.load(fromByteOffset: offset, as: UInt8.self)
        {
            return false
        }
        return true
    }
}
