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
