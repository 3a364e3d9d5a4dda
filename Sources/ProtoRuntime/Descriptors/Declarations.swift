import SwiftProtobuf

/// A message that was declared and waits to be linked.
struct DeclaredMessage {
    let proto: Google_Protobuf_DescriptorProto
    let fullName: String
    let file: Int
    /// Index of the message it is nested in; -1 at the top of a file.
    let parent: Int32
    let features: Features
}

/// An enum that was declared and waits to be linked.
struct DeclaredEnum {
    let proto: Google_Protobuf_EnumDescriptorProto
    let fullName: String
    let file: Int
    let features: Features
}

/// An extension that was declared and waits to be linked.
struct DeclaredExtension {
    let proto: Google_Protobuf_FieldDescriptorProto
    let fullName: String
    let file: Int
    /// Of the file or message it stands in.
    let features: Features
}

/// The first pass: every name of every file is recorded, and messages and enums get their indices (files in order,
/// a message before what is nested in it). Types are looked up only when all names are known.
struct Declarations {
    private(set) var messages: [DeclaredMessage] = []
    private(set) var enums: [DeclaredEnum] = []
    private(set) var extensions: [DeclaredExtension] = []
    var symbols: SymbolTable
    private let files: [SourceFile]

    init(_ files: [SourceFile]) throws(DescriptorError) {
        self.files = files
        symbols = SymbolTable(files)
        for index in files.indices { try declareFile(index) }
    }

    private mutating func declareFile(_ index: Int) throws(DescriptorError) {
        let file = files[index]
        let proto = file.proto
        try symbols.declarePackage(file.package, file: index)
        let place = Place(
            file: index, scope: file.package, message: -1, features: file.features,
            mayOverride: file.edition.hasFeatures)
        for message in proto.messageType { try declare(message, in: place) }
        for enumeration in proto.enumType { try declare(enumeration, in: place) }
        for field in proto.extension { try declare(extension: field, in: place) }
        for service in proto.service { try declare(service, in: place) }
    }

    /// Where a declaration stands.
    private struct Place {
        let file: Int
        /// Full name of the package or message around it; "" for none.
        let scope: String
        /// Index of the message around it, or -1.
        let message: Int32
        let features: Features
        /// Features may be set by options (editions only).
        let mayOverride: Bool

        func fullName(_ name: String) -> String { scope.isEmpty ? name : "\(scope).\(name)" }

        func features(_ overrides: Google_Protobuf_FeatureSet?) -> Features {
            guard mayOverride, let overrides else { return features }
            return features.merging(overrides)
        }
    }

    private mutating func declare(_ proto: Google_Protobuf_DescriptorProto, in place: Place)
        throws(DescriptorError)
    {
        let fullName = place.fullName(proto.name)
        let index = Int32(truncatingIfNeeded: messages.count)
        try symbols.declare(
            fullName, name: proto.name,
            Symbol(kind: .message, file: place.file, index: index))
        let features = place.features(proto.options.hasFeatures ? proto.options.features : nil)
        messages.append(
            DeclaredMessage(
                proto: proto, fullName: fullName, file: place.file, parent: place.message,
                features: features))
        let inner = Place(
            file: place.file, scope: fullName, message: index, features: features,
            mayOverride: place.mayOverride)
        for field in proto.field { try declare(field.name, .field, in: inner) }
        for oneof in proto.oneofDecl { try declare(oneof.name, .oneof, in: inner) }
        for message in proto.nestedType { try declare(message, in: inner) }
        for enumeration in proto.enumType { try declare(enumeration, in: inner) }
        for field in proto.extension { try declare(extension: field, in: inner) }
    }

    private mutating func declare(_ proto: Google_Protobuf_EnumDescriptorProto, in place: Place)
        throws(DescriptorError)
    {
        let fullName = place.fullName(proto.name)
        let index = Int32(truncatingIfNeeded: enums.count)
        try symbols.declare(
            fullName, name: proto.name,
            Symbol(kind: .enumeration, file: place.file, index: index))
        let features = place.features(proto.options.hasFeatures ? proto.options.features : nil)
        enums.append(
            DeclaredEnum(proto: proto, fullName: fullName, file: place.file, features: features))
        // Values are siblings of their enum, as in C++.
        for value in proto.value { try declare(value.name, .enumValue, in: place) }
    }

    private mutating func declare(
        extension proto: Google_Protobuf_FieldDescriptorProto, in place: Place
    ) throws(DescriptorError) {
        try declare(proto.name, .extension, in: place)
        extensions.append(
            DeclaredExtension(
                proto: proto, fullName: place.fullName(proto.name), file: place.file,
                features: place.features))
    }

    private mutating func declare(_ proto: Google_Protobuf_ServiceDescriptorProto, in place: Place)
        throws(DescriptorError)
    {
        let fullName = place.fullName(proto.name)
        try symbols.declare(
            fullName, name: proto.name, Symbol(kind: .service, file: place.file))
        for method in proto.method {
            try symbols.declare(
                "\(fullName).\(method.name)", name: method.name,
                Symbol(kind: .method, file: place.file))
        }
    }

    private mutating func declare(_ name: String, _ kind: Symbol.Kind, in place: Place)
        throws(DescriptorError)
    {
        try symbols.declare(place.fullName(name), name: name, Symbol(kind: kind, file: place.file))
    }
}
