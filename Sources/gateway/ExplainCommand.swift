import ArgumentParser
import Gateway
import ProtoRuntime
import Transcode

/// `gateway explain METHOD TARGET`: what a REST request means here, without sending it.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which route takes a REST request and what it sets, or why none does.",
        discussion: """
            gateway explain GET '/v1/shelves/1/books?pageSize=5' -c gateway.yaml
            gateway explain POST /v1/shelves --descriptors api.binpb --body '{"theme":"jazz"}'

            Exits with 1 where the gateway would refuse the request.
            """)

    /// How many routes are named where none fits.
    static let nearestMax = 5

    @Argument(help: "The HTTP method.")
    var method: String
    @Argument(help: "The request's target: path and query, percent-encoded as on the wire.")
    var target: String
    @OptionGroup var source: RouteSource
    @Option(help: "The request's body; - reads it from standard input.")
    var body: String?
    @Option(help: "The body's content type.")
    var contentType = "application/json"

    func validate() throws {
        guard target.hasPrefix("/") else { throw ValidationError("the target begins with '/'") }
    }

    func run() throws {
        let routes = try source.load()
        var entity = OutputBlock()
        if body == "-" {
            while try Terminal.read(0, into: &entity) {}
        } else if let body {
            entity.append(text: body)
        }
        entity.seal()
        let question = target.firstIndex(of: "?")
        let path = String(target[..<(question ?? target.endIndex)])
        let query = question.map { String(target[target.index(after: $0)...]) } ?? ""
        let explanation = RequestExplanation(
            routes: routes, method: method, path: path, query: query,
            contentType: entity.isEmpty ? "" : contentType)
        let isServed = explanation.explain(entity)
        if !isServed { throw ExitCode(ExitStatus.badInput) }
    }
}

/// One request against the loaded routes, in lines on standard output.
private struct RequestExplanation {
    let routes: LoadedRoutes
    let method: String
    let path: String
    let query: String
    let contentType: String

    /// False where the gateway would refuse the request.
    func explain(_ body: borrowing OutputBlock) -> Bool {
        let table = routes.methods.routes
        let match = RouteMatch()
        switch table.match(method: method.utf8Span.span, path: path.utf8Span.span, into: match) {
        case .route(let route):
            describe(Int(route))
            return bind(Int(route), match, body)
        case .notFound:
            line("404", "no route has this path")
            nearest()
        case .methodNotAllowed:
            let allowed = table.allowedMethods(path: path.utf8Span.span)
            line("405", "this path does not take \(method); it takes \(allowed)")
            nearest()
        case .malformedPath(let offset):
            line("400", "the path has a malformed percent-encoding at offset \(offset)")
        }
        return false
    }

    private func describe(_ route: Int) {
        let pattern = routes.methods.routes.patterns[route]
        let method = routes.method(ofRoute: route)
        line("route", "\(pattern.httpMethod) \(pattern.template.text)")
        line("from", routes.origin(ofRoute: route))
        line("rpc", "\(method.descriptor.fullName) (\(ServiceReport.kind(of: method)))")
        if let upstream = routes.upstream(ofRoute: route) { line("upstream", upstream) }
    }

    private func bind(_ route: Int, _ match: RouteMatch, _ body: borrowing OutputBlock) -> Bool {
        let binding = routes.methods.bindings[route]
        let tables = routes.methods.tables(of: binding.method)
        var wire = OutputBlock()
        var scratch = BindingScratch()
        do throws(Status) {
            try binding.request.bind(
                match, path: path.utf8Span.span, query: query.utf8Span.span,
                contentType: contentType.utf8Span.span, body: body, in: 0..<body.count, tables,
                json: binding.json, scratch: &scratch, into: &wire)
        } catch {
            line("body", binding.request.bodyDescription(tables))
            line("\(error.httpStatus)", error.message)
            return false
        }
        for parameter in binding.request.parameters(
            of: match, path: path, query: query, tables)
        {
            let name = parameter.field == parameter.name ? "" : "\(parameter.name) → "
            let field = parameter.field.map { "\($0) = \(parameter.value)" } ?? "ignored"
            line(parameter.source.rawValue, name + field)
        }
        line("body", binding.request.bodyDescription(tables))
        wire.seal()
        printMessage(wire, binding)
        line(
            "answer",
            "\(binding.response.successStatus), \(binding.response.bodyDescription(tables))")
        return true
    }

    private func printMessage(_ wire: borrowing OutputBlock, _ binding: RouteBinding) {
        var json = OutputBlock()
        var options = binding.json
        options.indent = 0
        do throws(JSONError) {
            try ProtoToJSON(routes.methods.tables(of: binding.method), options: options).format(
                wire, in: 0..<wire.count, as: binding.request.input, into: &json)
        } catch {
            line("message", "cannot be printed: \(error)")
            return
        }
        line("message", String(copying: json.bytes))
    }

    /// The routes that come nearest, and why they do not take the request.
    private func nearest() {
        let table = routes.methods.routes
        let nearest = table.mismatches(method: method, path: path)
            .prefix(ExplainCommand.nearestMax)
        if nearest.isEmpty { return }
        Terminal.print("nearest routes")
        let rows = nearest.map { mismatch in
            let pattern = table.patterns[mismatch.route]
            return [
                " ", pattern.httpMethod, pattern.template.text, pattern.owner, mismatch.reason,
            ]
        }
        for line in RoutesCommand.table(rows) { Terminal.print(line) }
    }

    private func line(_ label: String, _ text: String) {
        Terminal.print(RoutesCommand.table([[label.padded(to: 8), text]])[0])
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
