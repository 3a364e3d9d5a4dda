import ProtoRuntime
import Transcode

/// Path templates, a line each; behind an empty line a path to match against all of them.
enum TemplateTarget {
    private static let methods = ["GET", "POST", "*"]

    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let lines = input.split(
            separator: UInt8(ascii: "\n"), maxSplits: 40, omittingEmptySubsequences: false)
        let path = Array(lines.last ?? [])
        var patterns: [RoutePattern] = []
        for (index, line) in lines.dropLast().enumerated() {
            guard let template = try? PathTemplate(text(line)) else { continue }
            try checkAlone(template)
            let method = methods[index % methods.count]
            patterns.append(
                RoutePattern(
                    httpMethod: method, template: template, owner: "\(index)",
                    ignoresTrailingSlash: index % 4 == 3))
        }
        guard let table = try? RouteTable(patterns) else { return }
        let outcome = try match(table, "GET", path)
        let allowed = table.allowedMethods(path: path.span)
        switch outcome {
        case .route(let route):
            let method = patterns[Int(route)].httpMethod
            try check(method == "GET" || method == "*", "matched a route of \(method)")
            try check(allowed.contains("GET"), "GET is not allowed: \(allowed)")
            if path.last != UInt8(ascii: "/") { try checkOrder(table, Int(route), path) }
        case .methodNotAllowed:
            try check(allowed == "POST", "GET is refused, allowed is '\(allowed)'")
        case .malformedPath(let offset):
            try check(path.indices.contains(offset), "malformed at \(offset) of \(path.count)")
        case .notFound: try check(allowed.isEmpty, "not found, allowed is \(allowed)")
        }
        for mismatch in table.mismatches(method: "GET", path: text(path)) {
            try check(!mismatch.reason.isEmpty, "a route without a reason")
        }
    }

    /// No route that comes before the one that matched takes the path by itself.
    private static func checkOrder(
        _ table: RouteTable, _ route: Int, _ path: [UInt8]
    ) throws(BrokenRule) {
        let order = table.matchingOrder
        try check(order.sorted() == Array(table.patterns.indices), "routes are missing: \(order)")
        for earlier in order.prefix(while: { $0 != route }) {
            guard let alone = try? RouteTable([table.patterns[earlier]]) else { continue }
            if case .route = try match(alone, "GET", path) {
                throw BrokenRule("\(table.patterns[earlier].template.text) comes first")
            }
        }
    }

    private static func match(
        _ table: RouteTable, _ method: String, _ path: [UInt8]
    ) throws(BrokenRule) -> RouteOutcome {
        let match = RouteMatch()
        let outcome = table.match(method: method.utf8Span.span, path: path.span, into: match)
        guard case .route(let route) = outcome else { return outcome }
        let variables = table.patterns[Int(route)].template.variables
        try check(match.captureCount == variables.count, "\(match.captureCount) captures")
        for (index, variable) in variables.enumerated() {
            let range = match.capture(index)
            try check(range.upperBound <= path.count, "capture \(range) of \(path.count) bytes")
            try check(
                variable.isMultiSegment || !path[range].contains(UInt8(ascii: "/")),
                "capture \(range) spans segments")
        }
        return outcome
    }

    /// A path made from the template leads to it.
    private static func checkAlone(_ template: PathTemplate) throws(BrokenRule) {
        var path: [UInt8] = []
        for segment in template.segments {
            path.append(UInt8(ascii: "/"))
            switch segment {
            case .literal(let bytes): path += bytes
            case .single: path += Array("x".utf8)
            case .multiple: path += Array("x/y".utf8)
            }
        }
        if let verb = template.verb { path += [UInt8(ascii: ":")] + verb }
        let pattern = RoutePattern(httpMethod: "GET", template: template, owner: "")
        guard let table = try? RouteTable([pattern]) else {
            throw BrokenRule("\(template.text): no table of it alone")
        }
        try check(
            try match(table, "GET", path) == .route(0),
            "\(template.text): does not match \(text(path))")
    }
}

/// A request of rest.proto: method and target in the first line, the JSON body behind it.
enum QueryTarget {
    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let table = try FuzzSchemas.value(FuzzSchemas.rest)
        let lines = input.split(
            separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
        let words = lines[0].split(
            separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2 else { return }
        let target = words[1].split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let path = Array(target[0])
        let query = target.count > 1 ? Array(target[1]) : []
        try walk(query)
        let match = RouteMatch()
        guard
            case .route(let route) = table.routes.match(
                method: Array(words[0]).span, path: path.span, into: match)
        else { return }
        try bind(
            table, route, match, path: path, query: query,
            body: lines.count > 1 ? Array(lines[1]) : [])
    }

    private static func bind(
        _ table: MethodTable, _ route: Int32, _ match: RouteMatch, path: [UInt8], query: [UInt8],
        body: [UInt8]
    ) throws(BrokenRule) {
        let tables = table.tables(of: table.bindings[Int(route)].method)
        let binding = table.bindings[Int(route)].request
        var entity = OutputBlock()
        entity.append(body.span)
        entity.seal()
        var output = OutputBlock()
        output.append("before")
        var scratch = BindingScratch()
        do throws(Status) {
            try binding.bind(
                match, path: path.span, query: query.span,
                contentType: "application/json".utf8Span.span, body: entity, in: 0..<entity.count,
                tables, json: JSONOptions(), scratch: &scratch, into: &output)
        } catch {
            try check(output.count == 6, "the output was not restored")
            try check((400...499).contains(error.httpStatus), "status \(error.httpStatus)")
            try check(
                error.httpStatus != 400 || !error.details.isEmpty, "no field is named: \(error)")
            return
        }
        if let path = String(validating: path, as: UTF8.self) {
            let parameters = binding.parameters(
                of: match, path: path, query: text(query), tables)
            try check(parameters.count >= match.captureCount, "\(parameters.count) parameters")
        }
        var printed = OutputBlock()
        do throws(JSONError) {
            try ProtoToJSON(tables, options: JSONOptions()).format(
                output, in: 6..<output.count, as: binding.input, into: &printed)
        } catch {
            throw BrokenRule("the bound message is refused: \(error)")
        }
    }

    /// Parameters stand in order, within the query, and have no separator within.
    private static func walk(_ query: [UInt8]) throws(BrokenRule) {
        var parameters = QueryString(query.span)
        var end = 0
        while let parameter = parameters.next() {
            let (name, value) = (parameter.name, parameter.value)
            try check(end <= name.lowerBound && value.upperBound <= query.count, "out of order")
            try check(name.upperBound <= value.lowerBound, "a value before its name")
            try check(
                !query[name].contains { $0 == UInt8(ascii: "&") || $0 == UInt8(ascii: "=") },
                "a separator within a name")
            try check(!query[value].contains(UInt8(ascii: "&")), "a separator within a value")
            end = value.upperBound
        }
    }
}
