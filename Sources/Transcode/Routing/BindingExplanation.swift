public import ProtoRuntime

/// One part of a request and the field that it sets. For people.
public struct BoundParameter: Equatable, Sendable {
    public enum Source: String, Sendable { case path, query }

    public var source: Source
    /// As the client wrote it; in a path the variable's name.
    public var name: String
    /// The field's path in proto names, with a map's key in brackets; nil for a parameter that is passed over.
    public var field: String?
    /// Percent-decoded.
    public var value: String
}

/// Cold: for `gateway explain`.
extension RequestBinding {
    /// What a request's path and query are bound to, in their order. The request is one that `bind` has taken.
    public func parameters(
        of match: RouteMatch, path: String, query: String, _ tables: DescriptorTables
    ) -> [BoundParameter] {
        let path = Array(path.utf8)
        var found: [BoundParameter] = []
        for (index, variable) in variables.enumerated() {
            let name = variable.path.name(tables)
            let raw = path[match.capture(index)]
            let unescape = variable.isMultiSegment ? options.unescape : .all
            found.append(
                BoundParameter(
                    source: .path, name: name, field: name,
                    value: RequestBinding.decoded(Array(raw), unescape, plusIsSpace: false)))
        }
        let bytes = Array(query.utf8)
        var walk = QueryString(bytes.span)
        while let parameter = walk.next() {
            let name = RequestBinding.decoded(
                Array(bytes[parameter.name]), .all, plusIsSpace: true)
            let value = RequestBinding.decoded(
                Array(bytes[parameter.value]), .all, plusIsSpace: true)
            found.append(
                BoundParameter(
                    source: .query, name: name, field: queryField(name, tables), value: value))
        }
        return found
    }

    /// What the entity of the request is, in words.
    public func bodyDescription(_ tables: DescriptorTables) -> String {
        switch body {
        case .none: "none"
        case .message: "all fields that are not in the path"
        case .field(let field): "the field \(FieldPath(field).name(tables))"
        case .raw: "as it is, with its content type (google.api.HttpBody)"
        case .rawField(let field):
            "the field \(FieldPath(field).name(tables)), as it is (google.api.HttpBody)"
        }
    }

    private func queryField(_ name: String, _ tables: DescriptorTables) -> String? {
        let bracket = name.firstIndex(of: "[") ?? name.endIndex
        guard !isIgnored(name.utf8Span.span),
            let path = try? FieldPath(String(name[..<bracket]).utf8Span.span, in: input, tables)
        else { return nil }
        return path.name(tables) + name[bracket...]
    }

    private static func decoded(
        _ raw: [UInt8], _ unescape: PercentEncoding.Unescape, plusIsSpace: Bool
    ) -> String {
        var block = OutputBlock()
        do throws(PercentEncoding.Problem) {
            try PercentEncoding.decode(
                raw.span, unescape, plusIsSpace: plusIsSpace, into: &block)
        } catch {
            return String(decoding: raw, as: UTF8.self)
        }
        return String(copying: block.bytes)
    }
}

extension ResponseBinding {
    /// What the entity of the response is, in words.
    public func bodyDescription(_ tables: DescriptorTables) -> String {
        switch form {
        case .message: "the whole message"
        case .field(let field): "the field \(FieldPath(field).name(tables))"
        case .raw: "its data, under its content type (google.api.HttpBody)"
        case .rawField(let field):
            "the data of the field \(FieldPath(field).name(tables)) (google.api.HttpBody)"
        }
    }
}
