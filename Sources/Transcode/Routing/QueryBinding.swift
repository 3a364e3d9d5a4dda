import ProtoRuntime

/// The query's part of a request: every parameter names a field by its path, in proto or JSON names.
extension RequestBinding {
    /// Appends the fields that the query names.
    func bindQuery(
        _ query: Span<UInt8>, _ tables: DescriptorTables, _ scratch: inout BindingScratch,
        into output: inout OutputBlock
    ) throws(Status) {
        var walk = QueryString(query)
        while let parameter = walk.next() {
            scratch.name.removeAll()
            let rawName = query.extracting(parameter.name)
            if parameter.isNameCoded {
                try decode(rawName, rawName, into: &scratch.name)
            } else {
                scratch.name.append(rawName)
            }
            if isIgnored(scratch.name.bytes) { continue }
            guard let target = try target(of: scratch.name.bytes, tables) else { continue }
            try bindParameter(
                target, query, parameter, rawName, tables, &scratch, into: &output)
        }
    }

    /// The field a parameter names, and the key where that is a map's entry.
    private struct Target {
        var path: FieldPath
        /// In the decoded name; nil when it is no entry of a map.
        var mapKey: Range<Int>?
    }

    /// Resolves a decoded name; nil when it is to be passed over.
    private func target(
        of name: Span<UInt8>, _ tables: DescriptorTables
    ) throws(Status) -> Target? {
        if case .message = body { return try unknown(name, "the body holds all other fields") }
        if case .raw = body { return try unknown(name, "the body is the whole message") }
        var end = 0
        while end < name.count, name[end] != UInt8(ascii: "[") { end += 1 }
        let path: FieldPath
        do throws(FieldPath.Problem) {
            path = try FieldPath(name.extracting(0..<end), in: input, tables)
        } catch {
            switch error {
            case .unknown, .notMessage:
                return try unknown(name, "the request has no such field")
            case .repeated:
                throw refused(name, "a repeated message cannot be given in a query")
            case .tooDeep:
                throw refused(name, "more than \(FieldPath.depthMax) names")
            }
        }
        if let bodyField, path.first == bodyField {
            throw refused(name, "the body holds this field")
        }
        let leaf = tables.field(path.leaf)
        if end == name.count {
            if leaf.flags.contains(.map) {
                throw refused(name, "write a map's entry as name[key]=value")
            }
            return Target(path: path, mapKey: nil)
        }
        guard leaf.flags.contains(.map) else { throw refused(name, "only maps take a [key]") }
        guard name[name.count - 1] == UInt8(ascii: "]") else {
            throw refused(name, "']' is missing behind the map's key")
        }
        return Target(path: path, mapKey: end + 1..<name.count - 1)
    }

    private func bindParameter(
        _ target: Target, _ query: Span<UInt8>, _ parameter: QueryString.Parameter,
        _ rawName: Span<UInt8>, _ tables: DescriptorTables, _ scratch: inout BindingScratch,
        into output: inout OutputBlock
    ) throws(Status) {
        let leaf = target.mapKey == nil ? target.path.leaf : mapFields(target.path, tables).value
        let isJSON = RequestBinding.takesJSON(leaf, tables)
        guard isJSON || ScalarText.isScalar(field: leaf, tables: tables) else {
            throw refused(scratch.name.bytes, "a message has no text form; name its fields")
        }
        try note(target, scratch.name, tables, &scratch.bound)
        let value = query.extracting(parameter.value)
        if parameter.hasValue, !parameter.isValueCoded, !isJSON, target.mapKey == nil,
            target.path.count == 1
        {
            // The usual case needs no scratch.
            do throws(ScalarTextError) {
                return try ScalarText.append(value, field: leaf, tables: tables, into: &output)
            } catch {
                throw refused(scratch.name.bytes, error.message)
            }
        }
        scratch.text.removeAll()
        if parameter.hasValue {
            try decode(value, rawName, into: &scratch.text)
        } else if tables.field(leaf).kind == .bool {
            scratch.text.append("true")
        }
        scratch.value.removeAll()
        do throws(ScalarTextError) {
            if let key = target.mapKey {
                let field = mapFields(target.path, tables).key
                try RequestBinding.append(scratch.name, key, field, tables, &scratch.value)
            }
            let whole = 0..<scratch.text.count
            if !isJSON {
                try RequestBinding.append(scratch.text, whole, leaf, tables, &scratch.value)
            }
        } catch {
            throw refused(scratch.name.bytes, error.message)
        }
        if isJSON { try appendJSON(leaf, tables, &scratch) }
        // A map's entry is one more message around key and value.
        let count = target.mapKey == nil ? target.path.count - 1 : target.path.count
        output.appendNested(scratch.value.bytes, in: target.path, upTo: count, tables)
    }

    /// Appends the field whose decoded text is JSON.
    private func appendJSON(
        _ field: Int32, _ tables: DescriptorTables, _ scratch: inout BindingScratch
    ) throws(Status) {
        scratch.text.seal()
        do throws(JSONError) {
            try JSONToProto(tables, options: JSONOptions()).encodeField(
                scratch.text, in: 0..<scratch.text.count, field: field, into: &scratch.value)
        } catch {
            throw refused(scratch.name.bytes, error.description)
        }
    }

    /// Whether a field's text is JSON: Struct, Value and ListValue, which have no other.
    static func takesJSON(_ field: Int32, _ tables: DescriptorTables) -> Bool {
        let entry = tables.field(field)
        guard entry.kind == .message, !entry.flags.contains(.repeated) else { return false }
        switch tables.message(entry.typeIndex).wellKnown {
        case .struct, .value, .listValue: return true
        default: return false
        }
    }

    /// Refuses a scalar given twice, two members of one oneof, and what the path has set.
    private func note(
        _ target: Target, _ block: borrowing OutputBlock, _ tables: DescriptorTables,
        _ bound: inout BoundFields
    ) throws(Status) {
        let name = block.bytes
        var mapKey: UInt64 = 0
        if let key = target.mapKey {
            mapKey = 1
            for index in key {
                mapKey = FieldPath.key(mapKey, Int32(name[index]))
            }
        }
        do throws(BoundFields.Problem) {
            try bound.insert(target.path, .query, mapKey: mapKey, besides: preset, tables)
        } catch {
            switch error {
            case .twice(.path): throw refused(name, "the path sets this field")
            case .twice(.body): throw refused(name, "the body holds this field")
            case .twice(.query): throw refused(name, "given twice")
            case .twoOfOneof(let origin, let other):
                let text = FieldPath(other).name(tables)
                throw refused(name, "\(text) of the same oneof is set by the \(origin)")
            case .tooMany:
                throw refused(name, "more than \(BoundFields.entriesMax) fields in one query")
            }
        }
    }

    // MARK: - Names

    /// The top-level field that the body is.
    private var bodyField: Int32? {
        switch body {
        case .field(let field), .rawField(let field): field
        case .none, .message, .raw: nil
        }
    }

    /// A map entry's fields, key and value, in number order.
    private func mapFields(
        _ path: FieldPath, _ tables: DescriptorTables
    ) -> (key: Int32, value: Int32) {
        let first = tables.message(tables.field(path.leaf).typeIndex).firstField
        return (first, first + 1)
    }

    func isIgnored(_ name: Span<UInt8>) -> Bool {
        if ignoredQuery.count > 0, ignoredQuery.contains(name) { return true }
        for prefix in ignoredPrefixes where hasPrefix(name, prefix) { return true }
        return false
    }

    private func hasPrefix(_ name: Span<UInt8>, _ prefix: [UInt8]) -> Bool {
        guard name.count >= prefix.count else { return false }
        for index in prefix.indices where name[index] != prefix[index] { return false }
        return true
    }

    private func unknown(_ name: Span<UInt8>, _ why: String) throws(Status) -> Target? {
        guard options.unknownQuery == .reject else { return nil }
        throw refused(name, why)
    }

    private func decode(
        _ raw: Span<UInt8>, _ name: Span<UInt8>, into output: inout OutputBlock
    ) throws(Status) {
        do throws(PercentEncoding.Problem) {
            try PercentEncoding.decode(raw, plusIsSpace: true, into: &output)
        } catch {
            throw refused(name, "malformed %-escape")
        }
    }

    /// A name from the peer is shown up to 100 bytes.
    private func refused(_ name: Span<UInt8>, _ why: String) -> Status {
        let shown = String(copying: name.extracting(0..<min(name.count, 100)))
        return .violation(
            of: shown, why, message: "query parameter \"\(shown)\": \(why)",
            reason: "invalid_query_parameter")
    }
}
