public import ProtoRuntime

/// How one route makes the entity of a REST response from a message.
public struct ResponseBinding: Equatable, Sendable {
    public enum Form: Equatable, Sendable {
        /// The JSON form of the message.
        case message
        /// `response_body`: the JSON form of one field, an index in `DescriptorTables.fields`.
        case field(Int32)
        /// The message is google.api.HttpBody: its data, under its content type.
        case raw
        /// `response_body` names a google.api.HttpBody field.
        case rawField(Int32)
    }

    /// Index of the response message.
    public let output: Int32
    public let form: Form
    /// The HTTP status of a call that succeeded.
    public let successStatus: Int
    /// The leading metadata by which the upstream may choose another, in lower case; empty for none.
    public let statusMetadata: [UInt8]

    /// The HTTP status of a call that succeeded with these leading metadata: what they say where they may and name a
    /// status of success, of no change or of another place (200…399), else the route's own.
    public func status(for leading: borrowing Fields) -> Int {
        guard !statusMetadata.isEmpty else { return successStatus }
        for index in 0..<leading.count
        where isStatusMetadata(leading.name(at: index)) {
            let text = leading.value(at: index)
            guard text.count == 3, text[0] == UInt8(ascii: "2") || text[0] == UInt8(ascii: "3"),
                text[1] &- UInt8(ascii: "0") <= 9, text[2] &- UInt8(ascii: "0") <= 9
            else { continue }
            return text.indices.reduce(0) { $0 * 10 + Int(text[$1] - UInt8(ascii: "0")) }
        }
        return successStatus
    }

    /// Whether the upstream chooses the status by metadata of this name, which is then not the client's.
    func isStatusMetadata(_ name: Span<UInt8>) -> Bool {
        guard name.count == statusMetadata.count, !statusMetadata.isEmpty else { return false }
        for index in name.indices where name[index] != statusMetadata[index] { return false }
        return true
    }

    /// Whether a response with this status has a body (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
    public static func mayHaveBody(_ status: Int) -> Bool {
        status != 204 && status != 205 && status != 304
    }

    /// Whether the entity is an HttpBody's data, not JSON.
    public var isRaw: Bool {
        switch form {
        case .message, .field: false
        case .raw, .rawField: true
        }
    }

    /// Appends the entity that the message `wire[range]` becomes, and tells where in `wire` its content type
    /// stands: nil for JSON, empty when the HttpBody names none (then application/octet-stream is meant).
    ///
    /// Throws 502 when the message cannot be printed.
    public func format(
        _ wire: borrowing OutputBlock, in range: Range<Int>, _ tables: DescriptorTables,
        json: JSONOptions, into entity: inout OutputBlock
    ) throws(Status) -> Range<Int>? {
        switch form {
        case .raw, .rawField:
            let parts = try locateRaw(wire, in: range, tables)
            entity.append(wire.bytes.extracting(parts.data))
            return parts.contentType
        case .message, .field:
            do throws(JSONError) {
                let formatter = ProtoToJSON(tables, options: json)
                if case .field(let field) = form {
                    try formatter.formatField(
                        wire, in: range, as: output, field: field, into: &entity)
                } else {
                    try formatter.format(wire, in: range, as: output, into: &entity)
                }
            } catch {
                throw Status(error)
            }
            return nil
        }
    }

    /// Where data and content type stand in the message, for raw forms; both empty otherwise.
    public func locateRaw(
        _ wire: borrowing OutputBlock, in range: Range<Int>, _ tables: DescriptorTables
    ) throws(Status) -> HTTPBody.Parts {
        switch form {
        case .raw: return try HTTPBody.locate(in: wire, range: range)
        case .rawField(let field):
            return try HTTPBody.locate(in: wire, range: range, field: tables.field(field).number)
        case .message, .field:
            let empty = range.lowerBound..<range.lowerBound
            return HTTPBody.Parts(contentType: empty, data: empty)
        }
    }
}
