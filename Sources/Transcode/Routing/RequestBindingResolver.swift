import ProtoRuntime

/// Turns the names of one rule into field indices, and finds what is impossible about it. Start-up only.
struct RequestBindingResolver {
    private(set) var problems: [String] = []

    private let pool: DescriptorPool
    private let descriptor: MethodDescriptor
    private let tables: DescriptorTables

    init(pool: DescriptorPool, descriptor: MethodDescriptor) {
        self.pool = pool
        self.descriptor = descriptor
        tables = pool.tables
    }

    /// Both bindings of a route; nil, and `problems`, when there is anything wrong.
    mutating func resolve(
        _ rule: HTTPRule, httpMethod: String, template: PathTemplate, options: RESTOptions
    ) -> (RequestBinding, ResponseBinding)? {
        let variables = template.variables.compactMap { resolve($0) }
        let body = resolveBody(rule.body)
        let form = resolveResponse(rule.responseBody)
        if httpMethod == "GET" || httpMethod == "HEAD", !rule.body.isEmpty {
            problems.append("\(httpMethod) cannot have a body")
        }
        if descriptor.isClientStreaming, rule.body.isEmpty {
            problems.append("a client stream needs a body")
        }
        let preset = checkTogether(variables, body)
        guard problems.isEmpty, let body, let form else { return nil }
        let patchMask =
            httpMethod == "PATCH" && options.fillsPatchMask ? maskField(body, preset) : nil
        return (
            RequestBinding(
                input: descriptor.input, body: body, variables: variables, preset: preset,
                options: options, takesLines: descriptor.isClientStreaming,
                accepted: RequestBindingResolver.accepted(
                    by: httpMethod, takesLines: descriptor.isClientStreaming),
                patchMask: patchMask ?? -1),
            ResponseBinding(
                output: descriptor.output, form: form,
                successStatus: successStatus(form, options),
                statusMetadata: Array(options.statusMetadata.utf8))
        )
    }

    /// The media types of a JSON body, under the field that tells them for this method.
    private static func accepted(by httpMethod: String, takesLines: Bool) -> Status.Accepted {
        let json = takesLines ? "application/json, application/x-ndjson" : "application/json"
        return switch httpMethod {
        case "POST": .post(json)
        case "PATCH": .patch("application/json, application/merge-patch+json")
        default: .other(json)
        }
    }

    /// The one FieldMask of the request beside the body's field; nil when there is none, or more.
    private func maskField(_ body: RequestBinding.Body, _ preset: BoundFields) -> Int32? {
        guard case .field(let bodyField) = body else { return nil }
        let message = tables.message(descriptor.input)
        let masks = (message.firstField..<message.firstField + message.fieldCount).filter { index in
            let field = tables.field(index)
            return field.kind == .message && field.flags.isDisjoint(with: [.repeated, .delimited])
                && tables.message(field.typeIndex).wellKnown == .fieldMask
        }
        guard masks.count == 1, masks[0] != bodyField, !preset.sets(FieldPath(masks[0])) else {
            return nil
        }
        return masks[0]
    }

    private func successStatus(_ form: ResponseBinding.Form, _ options: RESTOptions) -> Int {
        guard options.successStatus == 200 else { return options.successStatus }
        let isEmpty =
            switch form {
            case .message: tables.message(descriptor.output).wellKnown == .empty
            case .field(let index): isEmptyField(tables.field(index))
            case .raw, .rawField: false
            }
        return isEmpty ? options.emptyStatus : 200
    }

    private func isEmptyField(_ field: FieldEntry) -> Bool {
        field.kind == .message && !field.flags.contains(.repeated)
            && tables.message(field.typeIndex).wellKnown == .empty
    }

    // MARK: - Path

    private mutating func resolve(
        _ variable: PathTemplate.Variable
    ) -> RequestBinding.PathVariable? {
        let name = variable.fieldPath.joined(separator: ".")
        let place = "column \(variable.column): "
        let path: FieldPath
        do throws(FieldPath.Problem) {
            path = try FieldPath(name.utf8Span.span, in: descriptor.input, tables)
        } catch {
            switch error {
            case .unknown(let element):
                problems.append(place + unknown(variable.fieldPath, element))
            case .notMessage(let element):
                let parent = variable.fieldPath[...element].joined(separator: ".")
                problems.append(place + "\(parent) is no message")
            case .repeated(let element):
                let parent = variable.fieldPath[...element].joined(separator: ".")
                problems.append(place + "\(parent) is repeated")
            case .tooDeep:
                problems.append(place + "\(name) is nested too deep")
            }
            return nil
        }
        let leaf = tables.field(path.leaf)
        if leaf.flags.contains(.map) {
            problems.append(place + "\(name) is a map, which a path cannot give")
        } else if leaf.flags.contains(.repeated) {
            problems.append(place + "\(name) is repeated, which a path cannot give")
        } else if !ScalarText.isScalar(field: path.leaf, tables: tables) {
            problems.append(place + "\(name) is a message, which a path cannot give")
        } else {
            return RequestBinding.PathVariable(
                path: path, isMultiSegment: variable.isMultiSegment)
        }
        return nil
    }

    private func unknown(_ names: [String], _ element: Int) -> String {
        var message = descriptor.input
        for name in names.prefix(element) {
            guard let field = pool.fieldIndex(named: name, in: message) else { break }
            message = tables.field(field).typeIndex
        }
        return "\(pool.messageName(message)) has no field \"\(names[element])\""
    }

    // MARK: - Body

    private mutating func resolveBody(_ name: String) -> RequestBinding.Body? {
        switch name {
        case "": return RequestBinding.Body.none
        case "*": return isHTTPBody(descriptor.input) ? .raw : .message
        default:
            guard let field = topLevelField("body", name, of: descriptor.input) else { return nil }
            return isHTTPBodyField(field) ? .rawField(field) : .field(field)
        }
    }

    private mutating func resolveResponse(_ name: String) -> ResponseBinding.Form? {
        guard !name.isEmpty else { return isHTTPBody(descriptor.output) ? .raw : .message }
        guard let field = topLevelField("response_body", name, of: descriptor.output) else {
            return nil
        }
        return isHTTPBodyField(field) ? .rawField(field) : .field(field)
    }

    private mutating func topLevelField(
        _ option: String, _ name: String, of message: Int32
    ) -> Int32? {
        guard !name.contains(".") else {
            problems.append("\(option) \"\(name)\": only a field of the message itself is allowed")
            return nil
        }
        guard let field = pool.fieldIndex(named: name, in: message) else {
            problems.append(
                "\(option) \"\(name)\": \(pool.messageName(message)) has no such field")
            return nil
        }
        return field
    }

    private func isHTTPBody(_ message: Int32) -> Bool {
        pool.messageName(message) == HTTPBody.fullName
    }

    private func isHTTPBodyField(_ index: Int32) -> Bool {
        let field = tables.field(index)
        return field.kind == .message
            && field.flags.isDisjoint(with: [.repeated, .delimited])
            && isHTTPBody(field.typeIndex)
    }

    /// What path and body may not both set: one field, or two members of one oneof.
    private mutating func checkTogether(
        _ variables: [RequestBinding.PathVariable], _ body: RequestBinding.Body?
    ) -> BoundFields {
        var bound = BoundFields()
        for variable in variables { insert(variable.path, .path, into: &bound) }
        switch body ?? RequestBinding.Body.none {
        case .field(let field), .rawField(let field):
            // A variable inside the body's message is fine: only its leaf is the path's.
            if !variables.contains(where: { $0.path.count > 1 && $0.path.first == field }) {
                insert(FieldPath(field), .body, into: &bound)
            }
        case .none, .message, .raw: break
        }
        return bound
    }

    private mutating func insert(
        _ path: FieldPath, _ origin: BoundFields.Origin, into bound: inout BoundFields
    ) {
        do throws(BoundFields.Problem) {
            try bound.insert(path, origin, tables)
        } catch {
            let name = path.name(tables)
            switch error {
            case .twice where origin == .path: problems.append("\(name) is set twice by the path")
            case .twice: problems.append("\(name) is set twice, by the path and the body")
            case .twoOfOneof(_, let other):
                let otherName = pool.fieldName(other, json: false)
                problems.append("\(name) and \(otherName) are members of one oneof")
            case .tooMany: problems.append("too many variables")
            }
        }
    }
}
