import SwiftProtobuf

/// Turns serialized FileDescriptorSets into linked tables. Passes: read the files and bind their imports (`FileSet`),
/// record every name (`Declarations`), then resolve and write one type after the other (here).
struct DescriptorLinker {
    private let files: [SourceFile]
    private let declared: Declarations
    private var resolver: FieldResolver
    private var builder = TableBuilder()
    private(set) var services: [ServiceDescriptor] = []
    private(set) var extensions: [ExtensionDescriptor] = []

    /// `common` is a set whose files are taken where they fit to those of `sets`.
    init(_ sets: [[UInt8]], common: [UInt8]) throws(DescriptorError) {
        files = try FileSet(sets, common: common).files
        declared = try Declarations(files)
        resolver = FieldResolver(files, declared)
        let extended = try ExtensionSet(declared, files, &resolver)
        for enumeration in declared.enums { try link(enumeration) }
        for (index, message) in declared.messages.enumerated() {
            try link(message, extended.fields(of: Int32(truncatingIfNeeded: index)))
        }
        for one in extended.all { try link(one) }
        for index in files.indices { try linkServices(of: index) }
        try checkWellKnownTypes()
        try checkTotals()
    }

    var contents: TableContents { builder.contents }

    var fileDescriptors: [FileDescriptor] {
        files.map { file in
            FileDescriptor(
                name: file.name, package: file.package, edition: file.edition.rawValue,
                dependencies: file.proto.dependency, serialized: file.bytes)
        }
    }

    /// Full names by index.
    var messageNames: [String] { declared.messages.map(\.fullName) }
    var enumNames: [String] { declared.enums.map(\.fullName) }

    // MARK: - Messages

    /// Links a message with its own fields and those that it gets from extensions.
    private mutating func link(_ message: DeclaredMessage, _ extensions: [ResolvedField])
        throws(DescriptorError)
    {
        let file = files[message.file]
        func error(_ reason: DescriptorError.Reason, _ text: String) -> DescriptorError {
            DescriptorError(reason, file: file.name, symbol: message.fullName, text)
        }
        let count = message.proto.field.count + extensions.count
        guard count <= TableBuilder.fieldsMax else {
            throw error(
                .limit, "declares \(count) fields; the limit is \(TableBuilder.fieldsMax)")
        }
        let (declaredFields, oneofCount) = try resolver.fields(of: message)
        let allFields = declaredFields + extensions
        try checkNames(allFields, of: message, error)
        let fields = allFields.sorted { $0.number < $1.number }
        for (left, right) in zip(fields, fields.dropFirst()) where left.number == right.number {
            throw error(
                .invalidNumber,
                "fields \"\(left.name)\" and \"\(right.name)\" both have number \(left.number)")
        }
        builder.append(
            message: message.fullName, fields: fields,
            oneofCount: oneofCount,
            wellKnown: WellKnownType(fullName: message.fullName),
            isMapEntry: message.proto.options.mapEntry,
            isMessageSet: message.proto.options.messageSetWireFormat)
    }

    /// Refuses names too long for the tables, and JSON names that clash where the json_format does not allow it.
    private func checkNames(
        _ fields: [ResolvedField], of message: DeclaredMessage,
        _ error: (DescriptorError.Reason, String) -> DescriptorError
    ) throws(DescriptorError) {
        let mayClash =
            message.features.legacyJSON || message.proto.options.deprecatedLegacyJsonFieldConflicts
        var owners: [String: String] = [:]
        for field in fields {
            try checkLength(field, error)
            if let owner = owners[field.jsonName], !mayClash {
                throw error(
                    .duplicateSymbol,
                    "fields \"\(owner)\" and \"\(field.name)\" both have the JSON name "
                        + "\"\(field.jsonName)\"")
            }
            owners[field.jsonName] = field.name
        }
    }

    private func checkLength(
        _ field: ResolvedField, _ error: (DescriptorError.Reason, String) -> DescriptorError
    ) throws(DescriptorError) {
        let length = max(
            JSONName.escaped(field.jsonName).utf8.count, field.name.utf8.count)
        guard length <= TableBuilder.nameBytesMax else {
            throw error(
                .limit,
                "field number \(field.number) has a name of \(length) bytes; the limit is "
                    + "\(TableBuilder.nameBytesMax)")
        }
    }

    // MARK: - Enums

    private mutating func link(_ enumeration: DeclaredEnum) throws(DescriptorError) {
        let file = files[enumeration.file].name
        let values = enumeration.proto.value
        func error(_ reason: DescriptorError.Reason, _ text: String) -> DescriptorError {
            DescriptorError(reason, file: file, symbol: enumeration.fullName, text)
        }
        guard let first = values.first else {
            throw error(.invalidDeclaration, "the enum has no values")
        }
        guard values.count <= TableBuilder.enumValuesMax else {
            throw error(
                .limit,
                "declares \(values.count) values; the limit is \(TableBuilder.enumValuesMax)")
        }
        guard first.number == 0 || enumeration.features.closedEnums else {
            throw error(
                .invalidNumber,
                "the first value of an open enum must be zero, \"\(first.name)\" is \(first.number)"
            )
        }
        var owners: [Int32: String] = [:]
        for value in values {
            guard value.name.utf8.count <= TableBuilder.nameBytesMax else {
                throw error(
                    .limit,
                    "value \(value.number) has a name of \(value.name.utf8.count) bytes; the "
                        + "limit is \(TableBuilder.nameBytesMax)")
            }
            if let owner = owners[value.number], !enumeration.proto.options.allowAlias {
                throw error(
                    .invalidNumber,
                    "values \"\(owner)\" and \"\(value.name)\" both have number \(value.number), "
                        + "which needs the option allow_alias")
            }
            owners[value.number] = value.name
        }
        builder.append(
            enumeration: enumeration.fullName, values: values.map { ($0.name, $0.number) },
            isClosed: enumeration.features.closedEnums)
    }

    // MARK: - Extensions and services

    private mutating func link(_ one: ExtensionSet.Resolved) throws(DescriptorError) {
        let file = files[one.declared.file].name
        try checkLength(one.field) { reason, text in
            DescriptorError(reason, file: file, symbol: one.declared.fullName, text)
        }
        let field =
            one.isMember
            ? builder.fieldIndex(ofNumber: one.field.number, in: one.extendee)
            : builder.append(extension: one.field)
        extensions.append(
            ExtensionDescriptor(
                fullName: one.declared.fullName, file: file, extendee: one.extendee, field: field))
    }

    private mutating func linkServices(of index: Int) throws(DescriptorError) {
        let file = files[index]
        guard !file.proto.service.isEmpty else { return }
        resolver.enter(index)
        for service in file.proto.service {
            let fullName =
                file.package.isEmpty ? service.name : "\(file.package).\(service.name)"
            var methods: [MethodDescriptor] = []
            for method in service.method {
                methods.append(try link(method, of: fullName, in: file.name))
            }
            services.append(
                ServiceDescriptor(fullName: fullName, file: file.name, methods: methods))
        }
    }

    private func link(
        _ method: Google_Protobuf_MethodDescriptorProto, of service: String, in file: String
    ) throws(DescriptorError) -> MethodDescriptor {
        let fullName = "\(service).\(method.name)"
        let rule: [UInt8]?
        do throws(WireError) {
            rule = try DescriptorLinker.httpRule(in: [UInt8](method.options.unknownFields.data))
        } catch {
            throw DescriptorError(
                .malformed, file: file, symbol: fullName,
                "the option google.api.http cannot be read: \(error)")
        }
        return MethodDescriptor(
            name: method.name, fullName: fullName, path: "/\(service)/\(method.name)",
            input: try resolver.messageType(method.inputType, in: fullName),
            output: try resolver.messageType(method.outputType, in: fullName),
            isClientStreaming: method.clientStreaming, isServerStreaming: method.serverStreaming,
            hasNoSideEffects: method.options.idempotencyLevel == .noSideEffects, httpRule: rule)
    }

    /// Field 72295728 of the MethodOptions that have no declared field; in pieces, it is the pieces one after the other
    /// (protobuf merges messages so).
    private static func httpRule(in options: [UInt8]) throws(WireError) -> [UInt8]? {
        var rule: [UInt8]?
        var reader = WireReader(options.span)
        while let tag = try reader.readTag() {
            guard tag.number == 72_295_728 else {
                try reader.skip(tag)
                continue
            }
            let piece = try reader.readBytes(tag)
            rule = (rule ?? []) + options[reader.offset - piece.count..<reader.offset]
        }
        return rule
    }

    // MARK: - What only the whole can tell

    /// Refuses messages that bear the name of a well-known type but lack its fields: the codecs would misread them.
    private func checkWellKnownTypes() throws(DescriptorError) {
        for (message, entry) in zip(declared.messages, builder.contents.messages) {
            let fields = fields(of: entry)
            let fits = entry.wellKnown.shape.allSatisfy { shape in
                fields.contains { field in
                    field.number == shape.number && field.kind == shape.kind
                        && field.flags.intersection([.repeated, .map]) == shape.flags
                        && (shape.type.isEmpty || shape.type == typeName(of: field))
                }
            }
            guard fits else {
                throw DescriptorError(
                    .invalidDeclaration, file: files[message.file].name, symbol: message.fullName,
                    "does not have the fields of the well-known type of this name")
            }
        }
    }

    private func fields(of message: MessageEntry) -> ArraySlice<FieldEntry> {
        let first = Int(message.firstField)
        return builder.contents.fields[first..<first + Int(message.fieldCount)]
    }

    /// Full name of the field's message or enum; of a map, its value's.
    private func typeName(of field: FieldEntry) -> String {
        guard field.typeIndex >= 0 else { return "" }
        let index = Int(field.typeIndex)
        if field.kind == .enumeration { return declared.enums[index].fullName }
        guard field.flags.contains(.map) else { return declared.messages[index].fullName }
        return fields(of: builder.contents.messages[index]).last.map(typeName) ?? ""
    }

    /// Indices are 32 bits, text offsets too.
    private func checkTotals() throws(DescriptorError) {
        let contents = builder.contents
        let counts = [
            contents.messages.count, contents.fields.count, contents.enums.count,
            contents.enumValues.count, contents.slots.count, contents.text.count,
        ]
        guard counts.allSatisfy({ $0 <= Int(Int32.max) }) else {
            throw DescriptorError(
                .limit, file: "", "the descriptor sets hold more types than can be linked")
        }
    }
}
