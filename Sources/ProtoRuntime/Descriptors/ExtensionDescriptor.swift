/// One extension field. Extensions are recorded, not yet looked up by the codecs.
public struct ExtensionDescriptor: Sendable {
    /// "pkg.name" or "pkg.Message.name"
    public let fullName: String
    /// Name of the file that declares it.
    public let file: String
    /// Index of the extended message.
    public let extendee: Int32
    /// Index in `tables.fields`, behind the messages' own fields; its JSON name is "[pkg.name]".
    public let field: Int32
}
