/// Why a document or message was refused, and where. Made only on failure.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Byte offset in the document or message, from the start of the range that was given.
    public var offset: Int
    /// Where in the structure: "shelf.books[3].isbn"; "" at top level.
    public var path: String
    public var reason: JSONFault
    /// What was expected and what was found, without path and offset.
    public var message: String
    /// Wire → JSON failed: the upstream's fault, not the client's.
    public var isInternal: Bool

    public init(
        offset: Int, path: String, reason: JSONFault, message: String, isInternal: Bool = false
    ) {
        self.offset = offset
        self.path = path
        self.reason = reason
        self.message = message
        self.isInternal = isInternal
    }

    /// "shelf.books[3].isbn: expected a string, found a number (byte 17)"
    public var description: String {
        path.isEmpty ? "\(message) (byte \(offset))" : "\(path): \(message) (byte \(offset))"
    }
}
