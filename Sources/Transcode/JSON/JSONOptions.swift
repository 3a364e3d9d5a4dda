/// How JSON is read and printed where ProtoJSON leaves a choice.
public struct JSONOptions: Sendable, Equatable {
    /// What a member that the message does not have means; the same for unknown enum names.
    public enum UnknownFields: Sendable { case ignore, reject }
    /// Whether fields without presence are printed when they hold their default.
    public enum Defaults: Sendable { case omit, emit }
    /// `stripped` drops the enum type's name in upper snake case and accepts names without it.
    public enum Enums: Sendable { case name, number, stripped }
    public enum Int64: Sendable { case string, number }
    public enum Names: Sendable { case json, proto }

    public var unknownFields: UnknownFields
    public var defaults: Defaults
    public var enums: Enums
    public var int64: Int64
    public var names: Names
    /// Spaces a level; 0 prints everything on one line.
    public var indent: Int

    @inlinable
    public init(
        unknownFields: UnknownFields = .ignore, defaults: Defaults = .omit, enums: Enums = .name,
        int64: Int64 = .string, names: Names = .json, indent: Int = 0
    ) {
        self.unknownFields = unknownFields
        self.defaults = defaults
        self.enums = enums
        self.int64 = int64
        self.names = names
        self.indent = indent
    }
}
