import SwiftProtobuf

/// One field with its type found and its features applied; what a table entry is made from.
struct ResolvedField {
    let name: String
    let jsonName: String
    let number: Int32
    let kind: FieldKind
    /// Index of the message or enum; -1 for scalars.
    let typeIndex: Int32
    let flags: FieldFlags
    /// Among the message's real oneofs; -1 for none.
    let oneofIndex: Int16
}

/// Resolves fields one by one: type, presence, encoding, JSON name.
struct FieldResolver {
    private let files: [SourceFile]
    private let messages: [DeclaredMessage]
    private let enums: [DeclaredEnum]
    private var symbols: SymbolTable

    init(_ files: [SourceFile], _ declared: Declarations) {
        self.files = files
        messages = declared.messages
        enums = declared.enums
        symbols = declared.symbols
    }

    // MARK: - Fields and extensions

    /// The fields of a message, in declaration order, and how many real oneofs it has.
    mutating func fields(of message: DeclaredMessage) throws(DescriptorError) -> (
        fields: [ResolvedField], oneofCount: Int16
    ) {
        symbols.enter(message.file)
        let oneofs = try Oneofs(of: message, file: files[message.file])
        var fields: [ResolvedField] = []
        fields.reserveCapacity(message.proto.field.count)
        for proto in message.proto.field {
            let site = Site(
                proto: proto, fullName: "\(message.fullName).\(proto.name)",
                file: files[message.file], container: message)
            if proto.hasExtendee {
                throw site.error(.invalidDeclaration, "an extension stands among the fields")
            }
            let features = oneofs.features(for: proto, inside: message.features)
            fields.append(
                try resolve(site, features: features, oneofIndex: oneofs.realIndex(of: proto)))
        }
        return (fields, oneofs.realCount)
    }

    /// An extension and the index of the message that it extends.
    mutating func `extension`(_ declared: DeclaredExtension) throws(DescriptorError) -> (
        field: ResolvedField, extendee: Int32
    ) {
        symbols.enter(declared.file)
        let site = Site(
            proto: declared.proto, fullName: declared.fullName, file: files[declared.file],
            container: nil)
        let extendee = try messageType(declared.proto.extendee, in: declared.fullName)
        let field = try resolve(site, features: declared.features, oneofIndex: -1)
        return (field, extendee)
    }

    /// The index of the message that `name` means in `scope`, as seen from the file last entered.
    func messageType(_ name: String, in scope: String) throws(DescriptorError) -> Int32 {
        let symbol = try symbols.resolve(name, in: scope)
        guard symbol.kind == .message else {
            throw DescriptorError(
                .unknownType, file: symbols.presentFile, symbol: scope,
                "\"\(name)\" is not a message type")
        }
        return symbol.index
    }

    /// Makes `file` the one that names are seen from.
    mutating func enter(_ file: Int) { symbols.enter(file) }

    // MARK: - One field

    /// A field under work.
    private struct Site {
        let proto: Google_Protobuf_FieldDescriptorProto
        let fullName: String
        let file: SourceFile
        /// nil for an extension.
        let container: DeclaredMessage?

        func error(_ reason: DescriptorError.Reason, _ message: String) -> DescriptorError {
            DescriptorError(reason, file: file.name, symbol: fullName, message)
        }
    }

    private func resolve(_ site: Site, features inherited: Features, oneofIndex: Int16)
        throws(DescriptorError) -> ResolvedField
    {
        let proto = site.proto
        try checkNumber(site)
        let features = features(of: site, inherited)
        let type = try type(of: site)
        let isRepeated = proto.label == .repeated
        if isRepeated && proto.hasOneofIndex {
            throw site.error(.invalidDeclaration, "a repeated field cannot be in a oneof")
        }
        let target = type.kind == .message ? messages[Int(type.index)] : nil
        let isMap =
            try target.map { entry throws(DescriptorError) in
                try checkMap(site, entry: entry)
            } ?? false
        let kind = kind(type.kind, isMap: isMap, in: site, features)
        var flags = presence(of: site, kind: kind, features)
        if isRepeated { flags.insert(.repeated) }
        if isMap { flags.insert(.map) }
        if isRepeated, features.packed, kind.isPackable { flags.insert(.packed) }
        if kind == .string, features.verifyUTF8 { flags.insert(.verifyUTF8) }
        if kind == .group { flags.insert(.delimited) }
        if oneofIndex >= 0 { flags.insert(.oneof) }
        let jsonName = try jsonName(of: site)
        // An extension goes by its full name everywhere.
        let name = site.container == nil ? jsonName : proto.name
        return ResolvedField(
            name: name, jsonName: jsonName, number: proto.number, kind: kind,
            typeIndex: type.index, flags: flags, oneofIndex: oneofIndex)
    }

    private func checkNumber(_ site: Site) throws(DescriptorError) {
        let number = site.proto.number
        guard number > 0 else {
            throw site.error(.invalidNumber, "field number \(number) is not positive")
        }
        // Extensions of a MessageSet may have any positive number.
        guard number <= WireTag.numberMax || site.container == nil else {
            throw site.error(
                .invalidNumber,
                "field number \(number) is greater than \(WireTag.numberMax)")
        }
        guard number < 19_000 || number > 19_999 else {
            throw site.error(
                .invalidNumber,
                "field number \(number) is one of 19000 to 19999, which protobuf keeps for itself")
        }
    }

    /// The field's own features, with what older syntaxes say in other words.
    private func features(of site: Site, _ inherited: Features) -> Features {
        let proto = site.proto
        if site.file.edition.hasFeatures {
            return proto.options.hasFeatures
                ? inherited.merging(proto.options.features) : inherited
        }
        var features = inherited
        if proto.label == .required { features.presence = .required }
        if proto.proto3Optional { features.presence = .explicit }
        if proto.options.hasPacked { features.packed = proto.options.packed }
        return features
    }

    private func presence(of site: Site, kind: FieldKind, _ features: Features) -> FieldFlags {
        let proto = site.proto
        var flags: FieldFlags = site.container == nil ? .isExtension : []
        guard proto.label != .repeated else { return flags }
        let always =
            kind == .message || kind == .group || proto.hasOneofIndex || site.container == nil
        if always || features.presence != .implicit { flags.insert(.presence) }
        if features.presence == .required, !proto.hasOneofIndex, site.container != nil {
            flags.insert(.required)
        }
        return flags
    }

    /// `group` for every message that is written as one: proto2 groups, and DELIMITED fields other than maps.
    private func kind(_ kind: FieldKind, isMap: Bool, in site: Site, _ features: Features)
        -> FieldKind
    {
        guard kind == .message else { return kind }
        if site.proto.type == .group && site.proto.hasType { return .group }
        let inMapEntry = site.container?.proto.options.mapEntry ?? false
        return features.delimited && !isMap && !inMapEntry ? .group : .message
    }

    private func jsonName(of site: Site) throws(DescriptorError) -> String {
        guard site.container != nil else { return "[\(site.fullName)]" }
        guard site.proto.hasJsonName else { return JSONName.camelCase(site.proto.name) }
        if site.proto.jsonName.utf8.contains(0) {
            throw site.error(.invalidName, "json_name contains a NUL character")
        }
        return site.proto.jsonName
    }

    // MARK: - Types

    /// The declared type; a group counts as a message here.
    private func type(of site: Site) throws(DescriptorError) -> (kind: FieldKind, index: Int32) {
        let proto = site.proto
        let declared =
            proto.hasType ? FieldKind(rawValue: UInt8(clamping: proto.type.rawValue)) : nil
        switch declared {
        case .message, .group, .enumeration, nil:
            break
        case .some(let scalar):
            if !proto.typeName.isEmpty {
                throw site.error(
                    .invalidDeclaration, "a scalar field names the type \"\(proto.typeName)\"")
            }
            return (scalar, -1)
        }
        guard !proto.typeName.isEmpty else {
            throw site.error(.unknownType, "the field has no known type and no type_name")
        }
        let symbol = try symbols.resolve(proto.typeName, in: site.fullName)
        switch symbol.kind {
        case .message where declared != .enumeration: return (.message, symbol.index)
        case .enumeration where declared == .enumeration || declared == nil:
            return (.enumeration, symbol.index)
        default:
            let wanted =
                declared == .enumeration ? "an enum" : declared == nil ? "a type" : "a message"
            throw site.error(.unknownType, "\"\(proto.typeName)\" is not \(wanted)")
        }
    }

    /// Whether the field is a map; throws for an entry type that protoc would not have made.
    private func checkMap(_ site: Site, entry: DeclaredMessage) throws(DescriptorError) -> Bool {
        guard entry.proto.options.mapEntry else { return false }
        let fields = entry.proto.field
        guard let container = site.container, site.proto.label == .repeated,
            entry.parent >= 0, messages[Int(entry.parent)].fullName == container.fullName,
            fields.count == 2,
            let key = fields.first(where: { $0.number == 1 }), key.name == "key",
            let value = fields.first(where: { $0.number == 2 }), value.name == "value",
            key.label != .repeated, value.label != .repeated,
            !key.hasOneofIndex, !value.hasOneofIndex
        else {
            throw site.error(
                .invalidDeclaration,
                "\"\(entry.fullName)\" is not a well-formed map entry of this field")
        }
        guard key.hasType, FieldResolver.mapKeyTypes.contains(key.type) else {
            throw site.error(.invalidDeclaration, "a map key must be an integer, bool or string")
        }
        return true
    }

    private static let mapKeyTypes: Set<Google_Protobuf_FieldDescriptorProto.TypeEnum> = [
        .int32, .int64, .uint32, .uint64, .sint32, .sint64, .fixed32, .fixed64, .sfixed32,
        .sfixed64, .bool, .string,
    ]
}

extension FieldKind {
    /// Whether repeated values may be written in one length-delimited run.
    var isPackable: Bool {
        switch self {
        case .string, .bytes, .message, .group: false
        default: true
        }
    }

    /// The wire type of one value.
    var wireType: WireType {
        switch self {
        case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enumeration: .varint
        case .double, .fixed64, .sfixed64: .fixed64
        case .float, .fixed32, .sfixed32: .fixed32
        case .string, .bytes, .message: .lengthDelimited
        case .group: .startGroup
        }
    }
}
