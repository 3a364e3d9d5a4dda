/// What went wrong inside a codec: one byte, so that throwing it costs nothing where nothing is thrown.
/// The offset is the cursor's; `JSONError` is made from both at the edge.
public enum JSONFault: UInt8, Error, Sendable {
    // Syntax of the document.
    case expectedValue, expectedName, expectedColon, expectedCommaOrBrace, expectedCommaOrBracket
    case trailingData, controlCharacter, unterminatedString, badEscape, unpairedSurrogate
    case invalidUTF8, badNumber, tooDeep
    // Values of another type than the field's.
    case expectedObject, expectedArray, expectedString, expectedBool, expectedInteger
    case expectedNumber, expectedEnum, nullNotAllowed
    case outOfRange, notInteger, badBase64, badTimestamp, badDuration, badFieldMask
    // Structure.
    case unknownField, unknownEnumName, duplicateField, duplicateMapKey, oneofTwice
    case missingRequired, messageSet
    case anyWithoutType, anyTypeTwice, anyUnknownType, anyWithoutValue, anyValueTwice
    // Wire bytes that are no message of the type.
    case wireTruncated, wireVarint, wireTag, wireGroup
    case unprintableTimestamp, unprintableDuration, unprintableFieldMask, unprintableNumber
    // Never leaves a codec.
    case fieldsOutOfOrder, enumDropped

    /// What stood in the way, in words; what was found is added by `JSONError`.
    var text: String {
        switch self {
        case .expectedValue: "expected a value"
        case .expectedName: "expected a member name in quotes"
        case .expectedColon: "expected ':' after the member name"
        case .expectedCommaOrBrace: "expected ',' or '}'"
        case .expectedCommaOrBracket: "expected ',' or ']'"
        case .trailingData: "expected nothing after the value"
        case .controlCharacter: "control characters in strings must be escaped"
        case .unterminatedString: "expected the string's closing quote"
        case .badEscape: "expected a valid escape sequence"
        case .unpairedSurrogate: "unpaired surrogate in string"
        case .invalidUTF8: "invalid UTF-8 in string"
        case .badNumber: "expected a number as JSON writes it"
        case .tooDeep: "nested deeper than \(JSONLimits.depth) levels"
        case .expectedObject: "expected an object"
        case .expectedArray: "expected an array"
        case .expectedString: "expected a string"
        case .expectedBool: "expected true or false"
        case .expectedInteger: "expected an integer"
        case .expectedNumber: "expected a number"
        case .expectedEnum: "expected the name or number of an enum value"
        case .nullNotAllowed: "expected an element other than null"
        case .outOfRange: "number out of range"
        case .notInteger: "expected an integer without a fraction"
        case .badBase64: "expected base64"
        case .badTimestamp: "expected an RFC 3339 timestamp of the years 0001 to 9999"
        case .badDuration: "expected a duration in seconds such as \"1.5s\""
        case .badFieldMask: "expected field paths in lowerCamelCase, separated by commas"
        case .unknownField: "unknown field"
        case .unknownEnumName: "expected the name of an enum value"
        case .duplicateField: "field given twice"
        case .duplicateMapKey: "map key given twice"
        case .oneofTwice: "two members of one oneof"
        case .missingRequired: "required field missing"
        case .messageSet: "MessageSet has no JSON form"
        case .anyWithoutType: "expected \"@type\""
        case .anyTypeTwice: "\"@type\" given twice"
        case .anyUnknownType: "expected \"@type\" to name a known message"
        case .anyWithoutValue: "expected \"value\""
        case .anyValueTwice: "\"value\" given twice"
        case .wireTruncated: "message ends inside a field"
        case .wireVarint: "varint longer than ten bytes"
        case .wireTag: "invalid field tag"
        case .wireGroup: "group end without its start"
        case .unprintableTimestamp: "timestamp out of range"
        case .unprintableDuration: "duration out of range"
        case .unprintableFieldMask: "field mask path has no JSON form"
        case .unprintableNumber: "NaN and infinity have no JSON form here"
        case .fieldsOutOfOrder, .enumDropped: "internal error"
        }
    }
}

extension JSONFault {
    /// Whether the bytes are no message at all, whatever their order. Decoders refuse text that is not UTF-8 even
    /// where it would be overwritten.
    var isMalformedWire: Bool {
        switch self {
        case .wireTruncated, .wireVarint, .wireTag, .wireGroup, .invalidUTF8, .tooDeep,
            .messageSet:
            true
        default: false
        }
    }
}

/// Limits of both directions.
public enum JSONLimits {
    /// Levels of nesting: objects and arrays of a document, messages of wire bytes.
    public static let depth = 100
}
