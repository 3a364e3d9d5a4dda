// Which messages have a JSON form of their own, and what they must look like for it.

extension WellKnownType {
    /// By full name; `.none` for every other message.
    init(fullName: String) {
        self = WellKnownType.byName[fullName] ?? .none
    }

    private static let byName: [String: WellKnownType] = [
        "google.protobuf.Timestamp": .timestamp,
        "google.protobuf.Duration": .duration,
        "google.protobuf.FieldMask": .fieldMask,
        "google.protobuf.Struct": .struct,
        "google.protobuf.Value": .value,
        "google.protobuf.ListValue": .listValue,
        "google.protobuf.Any": .any,
        "google.protobuf.Empty": .empty,
        "google.protobuf.DoubleValue": .doubleValue,
        "google.protobuf.FloatValue": .floatValue,
        "google.protobuf.Int64Value": .int64Value,
        "google.protobuf.UInt64Value": .uint64Value,
        "google.protobuf.Int32Value": .int32Value,
        "google.protobuf.UInt32Value": .uint32Value,
        "google.protobuf.BoolValue": .boolValue,
        "google.protobuf.StringValue": .stringValue,
        "google.protobuf.BytesValue": .bytesValue,
    ]

    /// A field that the codecs rely on: number, kind, repeated or map, and its type's full name (of a map, its
    /// value's; "" for scalars).
    struct Shape {
        let number: Int32
        let kind: FieldKind
        var flags: FieldFlags = []
        var type = ""
    }

    /// What a message of that name must declare, whatever else it declares.
    var shape: [Shape] {
        switch self {
        case .none, .empty: []
        case .timestamp, .duration:
            [Shape(number: 1, kind: .int64), Shape(number: 2, kind: .int32)]
        case .fieldMask: [Shape(number: 1, kind: .string, flags: .repeated)]
        case .struct:
            [
                Shape(
                    number: 1, kind: .message, flags: [.repeated, .map],
                    type: "google.protobuf.Value")
            ]
        case .value:
            [
                Shape(number: 1, kind: .enumeration, type: "google.protobuf.NullValue"),
                Shape(number: 2, kind: .double), Shape(number: 3, kind: .string),
                Shape(number: 4, kind: .bool),
                Shape(number: 5, kind: .message, type: "google.protobuf.Struct"),
                Shape(number: 6, kind: .message, type: "google.protobuf.ListValue"),
            ]
        case .listValue:
            [Shape(number: 1, kind: .message, flags: .repeated, type: "google.protobuf.Value")]
        case .any: [Shape(number: 1, kind: .string), Shape(number: 2, kind: .bytes)]
        case .doubleValue: [Shape(number: 1, kind: .double)]
        case .floatValue: [Shape(number: 1, kind: .float)]
        case .int64Value: [Shape(number: 1, kind: .int64)]
        case .uint64Value: [Shape(number: 1, kind: .uint64)]
        case .int32Value: [Shape(number: 1, kind: .int32)]
        case .uint32Value: [Shape(number: 1, kind: .uint32)]
        case .boolValue: [Shape(number: 1, kind: .bool)]
        case .stringValue: [Shape(number: 1, kind: .string)]
        case .bytesValue: [Shape(number: 1, kind: .bytes)]
        }
    }
}
