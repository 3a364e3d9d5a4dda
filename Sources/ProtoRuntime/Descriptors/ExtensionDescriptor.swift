/// One extension field.
public struct ExtensionDescriptor: Sendable {
    /// "pkg.name" or "pkg.Message.name"
    public let fullName: String
    /// Name of the file that declares it.
    public let file: String
    /// Index of the extended message.
    public let extendee: Int32
    /// Index in `tables.fields`; its name is "[pkg.name]". It stands among the fields of the extended message, unless
    /// that is a MessageSet, or an options message that has another extension of this number.
    public let field: Int32
}
