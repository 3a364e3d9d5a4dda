import SwiftProtobuf

/// The edition of a file; proto2 and proto3 count as editions of their own.
enum Edition: Int32, Comparable {
    case proto2 = 998
    case proto3 = 999
    case edition2023 = 1000
    case edition2024 = 1001

    static func < (left: Edition, right: Edition) -> Bool { left.rawValue < right.rawValue }

    /// Whether features may be set by options.
    var hasFeatures: Bool { self >= .edition2023 }
}

/// The six features of a file, message, enum, oneof or field that a codec must know, resolved for that place.
///
/// Resolution: the edition's defaults, then file, message or enum (outermost first), oneof, field; innermost wins.
struct Features: Equatable {
    enum Presence { case explicit, implicit, required }

    var presence = Presence.explicit
    var closedEnums = false
    var packed = true
    var verifyUTF8 = true
    var delimited = false
    /// LEGACY_BEST_EFFORT: two fields may share a JSON name.
    var legacyJSON = false

    init(defaultsOf edition: Edition) {
        switch edition {
        case .proto2:
            closedEnums = true
            packed = false
            verifyUTF8 = false
            legacyJSON = true
        case .proto3:
            presence = .implicit
        case .edition2023, .edition2024:
            break
        }
    }

    /// These features as overridden by the ones set in options. Values that are unknown or unset change nothing.
    func merging(_ overrides: Google_Protobuf_FeatureSet) -> Features {
        var merged = self
        switch overrides.fieldPresence {
        case .explicit: merged.presence = .explicit
        case .implicit: merged.presence = .implicit
        case .legacyRequired: merged.presence = .required
        case .unknown: break
        }
        switch overrides.enumType {
        case .open: merged.closedEnums = false
        case .closed: merged.closedEnums = true
        case .unknown: break
        }
        switch overrides.repeatedFieldEncoding {
        case .packed: merged.packed = true
        case .expanded: merged.packed = false
        case .unknown: break
        }
        switch overrides.utf8Validation {
        case .verify: merged.verifyUTF8 = true
        case .none: merged.verifyUTF8 = false
        case .unknown: break
        }
        switch overrides.messageEncoding {
        case .delimited: merged.delimited = true
        case .lengthPrefixed: merged.delimited = false
        case .unknown: break
        }
        switch overrides.jsonFormat {
        case .legacyBestEffort: merged.legacyJSON = true
        case .allow: merged.legacyJSON = false
        case .unknown: break
        }
        return merged
    }
}
