/// Why a descriptor set cannot be used: the first thing found wrong, with the file and the symbol it stands at.
public struct DescriptorError: Error, Equatable, Sendable {
    public enum Reason: Sendable {
        /// Bytes that are no FileDescriptorSet.
        case malformed
        /// An edition that is not known yet.
        case unsupported
        case missingImport, importCycle
        /// Two different files of one name.
        case conflictingFile
        /// A type name that resolves to nothing, to something else, or to a file that is not imported.
        case unknownType
        case duplicateSymbol
        case invalidName
        /// A field or enum number that is out of range or taken.
        case invalidNumber
        /// A declaration that contradicts itself.
        case invalidDeclaration
        /// More than the tables can hold.
        case limit
    }

    public let reason: Reason
    /// Name of the file, as imports spell it; "" when the bytes name none.
    public let file: String
    /// Full name of the message, field, enum, service or method; "" when the file as a whole is meant.
    public let symbol: String
    /// What is wrong, as a clause that stands behind the symbol.
    public let message: String

    init(_ reason: Reason, file: String, symbol: String = "", _ message: String) {
        self.reason = reason
        self.file = file
        self.symbol = symbol
        self.message = message
    }
}

extension DescriptorError: CustomStringConvertible {
    public var description: String {
        [file, symbol, message].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
