public import ProtoRuntime

/// How one route makes a message from a REST request: path captures, query and body. Immutable, made once per
/// route by `RequestBindingResolver`.
///
/// On the wire the body comes first, then the path, which wins over it where a reader takes the last value (a body
/// that contradicts the path is refused all the same), then the query, which may set nothing that the path sets. Most
/// messages begin with what their path names, so that their fields are in order then.
public final class RequestBinding: Sendable {
    /// What the entity of the request is.
    public enum Body: Equatable, Sendable {
        /// Nothing: the rule has no `body`.
        case none
        /// `*`: the JSON form of the whole message.
        case message
        /// The JSON form of one field, an index in `DescriptorTables.fields`.
        case field(Int32)
        /// `*` where the message is google.api.HttpBody: the raw entity.
        case raw
        /// A google.api.HttpBody field: the raw entity.
        case rawField(Int32)
    }

    struct PathVariable: Sendable {
        var path: FieldPath
        /// `/` may stand in the capture, and `%2F` is kept.
        var isMultiSegment: Bool
    }

    /// Index of the request message.
    public let input: Int32
    public let body: Body
    let variables: [PathVariable]
    /// What path and body set, for the query to keep away from.
    let preset: BoundFields
    let options: RESTOptions
    /// A client stream's messages may stand in lines.
    let takesLines: Bool
    /// What 415 tells.
    let accepted: Status.Accepted
    /// The field that is filled with what a PATCH body names; -1 where none is.
    let patchMask: Int32
    let ignoredQuery: NameTable
    /// Those of `options.ignoredQuery` that end in `*`, without it.
    let ignoredPrefixes: [[UInt8]]

    init(
        input: Int32, body: Body, variables: [PathVariable], preset: BoundFields,
        options: RESTOptions, takesLines: Bool, accepted: Status.Accepted, patchMask: Int32
    ) {
        self.input = input
        self.preset = preset
        self.body = body
        self.variables = variables
        self.options = options
        self.takesLines = takesLines
        self.accepted = accepted
        self.patchMask = patchMask
        ignoredQuery = NameTable(options.ignoredQuery.filter { !$0.hasSuffix("*") })
        ignoredPrefixes = options.ignoredQuery.filter { $0.hasSuffix("*") }
            .map { Array($0.utf8.dropLast()) }
    }

    /// Appends the request message.
    ///
    /// `path` is what `match` was made from; `query` stands behind `?`, without it; `body` is sealed and ends
    /// where `bodyRange` ends (see `JSONToProto`). Errors are 400 (415 for a wrong content type) and name the
    /// parameter and the field; the output is then what it was.
    public func bind(
        _ match: RouteMatch, path: Span<UInt8>, query: Span<UInt8>,
        contentType: Span<UInt8>, body: borrowing OutputBlock, in bodyRange: Range<Int>,
        _ tables: DescriptorTables, json: JSONOptions, scratch: inout BindingScratch,
        into output: inout OutputBlock
    ) throws(Status) {
        let start = output.count
        scratch.removeAll()
        do throws(Status) {
            try bindBody(
                contentType: contentType, body, in: bodyRange, tables, json: json, into: &output)
            let bodyEnd = output.count
            for index in variables.indices {
                try bindVariable(
                    variables[index], path.extracting(match.capture(index)), body: start..<bodyEnd,
                    tables, &scratch,
                    into: &output)
            }
            if query.count > 0 {
                try bindQuery(query, tables, &scratch, into: &output)
            }
            if patchMask >= 0, case .field(let field) = self.body,
                !PatchMask.isGiven(patchMask, in: output.bytes.extracting(bodyEnd...), tables)
            {
                try PatchMask(tables, field: patchMask).append(
                    body, in: bodyRange, of: field, into: &output)
            }
        } catch {
            output.truncate(to: start)
            throw error
        }
    }

    // MARK: - Body

    /// Appends only what the entity says: for the messages of a client stream after the first, which carry no
    /// path and query. Pass an empty `contentType` then, since only the first HttpBody has one.
    public func bindBody(
        contentType: Span<UInt8>, _ body: borrowing OutputBlock, in range: Range<Int>,
        _ tables: DescriptorTables, json: JSONOptions, into output: inout OutputBlock
    ) throws(Status) {
        switch self.body {
        case .none:
            guard RequestBinding.isNothing(body, range) else {
                let message = "this route takes no body"
                throw .violation(of: "", message, message: message, reason: "unexpected_body")
            }
        case .raw:
            HTTPBody.encode(
                contentType: contentType, data: body.bytes.extracting(range), into: &output)
        case .rawField(let field):
            output.appendTag(tables.field(field))
            output.appendVarint(
                UInt64(HTTPBody.encodedBytes(contentType: contentType.count, data: range.count)))
            HTTPBody.encode(
                contentType: contentType, data: body.bytes.extracting(range), into: &output)
        case .message:
            guard !range.isEmpty else { return }
            try checkContentType(contentType)
            do throws(JSONError) {
                try JSONToProto(tables, options: json).encode(
                    body, in: range, as: input, into: &output)
            } catch {
                throw Status(error)
            }
        case .field(let field):
            guard !range.isEmpty else { return appendEmpty(tables.field(field), into: &output) }
            try checkContentType(contentType)
            do throws(JSONError) {
                try JSONToProto(tables, options: json).encodeField(
                    body, in: range, field: field, into: &output)
            } catch {
                throw Status(error)
            }
        }
    }

    /// No entity at all counts as `{}`: an empty message is present, anything else is absent.
    private func appendEmpty(_ field: FieldEntry, into output: inout OutputBlock) {
        guard field.kind == .message, !field.flags.contains(.repeated),
            !field.flags.contains(.delimited)
        else { return }
        output.appendTag(field)
        output.appendVarint(0)
    }

    func checkContentType(_ contentType: Span<UInt8>) throws(Status) {
        guard options.checksContentType, contentType.count > 0,
            !MediaType.isJSON(contentType), !(takesLines && MediaType.isLines(contentType))
        else { return }
        throw .rest(
            415,
            "the content type \(String(copying: contentType)) is not supported; "
                + "send application/json" + (takesLines ? " or application/x-ndjson" : ""),
            reason: "unsupported_content_type", accepted: accepted)
    }

    /// Empty but for white space, or `{}`.
    private static func isNothing(_ body: borrowing OutputBlock, _ range: Range<Int>) -> Bool {
        var seen = 0
        for index in range {
            switch body[index] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                continue
            case UInt8(ascii: "{") where seen == 0: seen = 1
            case UInt8(ascii: "}") where seen == 1: seen = 2
            default: return false
            }
        }
        return seen != 1
    }

    // MARK: - Path

    private func bindVariable(
        _ variable: PathVariable, _ raw: Span<UInt8>, body: Range<Int>,
        _ tables: DescriptorTables, _ scratch: inout BindingScratch,
        into output: inout OutputBlock
    ) throws(Status) {
        let leaf = variable.path.leaf
        let mayContradict = !body.isEmpty && mayContradict(variable.path)
        if !mayContradict, variable.path.count == 1, !PercentEncoding.isCoded(raw) {
            // The usual case needs no scratch.
            do throws(ScalarTextError) {
                return try ScalarText.append(raw, field: leaf, tables: tables, into: &output)
            } catch {
                throw refused(variable, error.message, tables)
            }
        }
        scratch.text.removeAll()
        let unescape = variable.isMultiSegment ? options.unescape : .all
        do throws(PercentEncoding.Problem) {
            try PercentEncoding.decode(raw, unescape, into: &scratch.text)
        } catch {
            throw refused(variable, "malformed %-escape", tables)
        }
        let outer = variable.path.count - 1
        let start = output.count
        output.open(variable.path, upTo: outer, tables)
        let field = output.count
        do throws(ScalarTextError) {
            try ScalarText.append(scratch.text.bytes, field: leaf, tables: tables, into: &output)
        } catch {
            throw refused(variable, error.message, tables)
        }
        if mayContradict {
            let value = field + Int(tables.field(leaf).tagLength)..<output.count
            let scan = BodyScan(
                path: variable.path, tables: tables, expected: output.bytes.extracting(value))
            try scan.check(output.bytes.extracting(body), message: input)
        }
        output.close(variable.path, upTo: outer, from: start, tables)
    }

    private func refused(
        _ variable: PathVariable, _ why: String, _ tables: DescriptorTables
    ) -> Status {
        let name = variable.path.name(tables)
        return .violation(
            of: name, why, message: "the path's value for \(name): \(why)",
            reason: "invalid_path_parameter")
    }

    /// Whether the body could hold the path's field, or another member of a oneof on the way to it.
    private func mayContradict(_ path: FieldPath) -> Bool {
        switch body {
        case .message: true
        case .field(let field): field == path.first
        case .none, .raw, .rawField: false
        }
    }
}
