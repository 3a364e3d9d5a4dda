import ProtoRuntime
import Testing

@testable import Transcode

private func rule(
    selector: String, httpMethod: String, path: String, body: String = "", appends: Bool = false
) -> ConfiguredRule {
    ConfiguredRule(
        HTTPRule(selector: selector, httpMethod: httpMethod, path: path, body: body),
        appends: appends)
}

@Suite struct MethodTableTests {
    @Test(
        arguments: [
            ("/gateway.test.rest.Rest/GetThing", "GetThing"),
            ("/gateway.test.rest.Rest/Chat", "Chat"),
            ("/gateway.test.rest.Rest/Plain", "Plain"), ("/gateway.test.rest.Rest/getthing", nil),
            ("/gateway.test.rest.Rest/", nil), ("/", nil), ("", nil),
            ("gateway.test.rest.Rest/GetThing", nil), ("/gateway.test.rest.Rest/GetThing/", nil),
        ] as [(String, String?)])
    func `a method is found by its path`(_ path: String, _ name: String?) throws {
        let table = try MethodTable(pool: try TestPool.rest.get())
        let index = table.index(ofPath: path.utf8Span.span)
        #expect((index < 0 ? nil : table.methods[Int(index)].descriptor.name) == name)
    }

    @Test func `a method knows its kind, routes and options`() throws {
        let table = try MethodTable(pool: try TestPool.rest.get())
        func method(_ name: String) throws -> Method {
            try #require(table.methods.first { $0.descriptor.name == name })
        }
        #expect(try method("GetThing").kind == .unary)
        #expect(try method("Watch").kind == .serverStream)
        #expect(try method("Send").kind == .clientStream)
        #expect(try method("Chat").kind == .bidirectional)
        #expect(try method("GetThing").routes.count == 3)
        #expect(try method("Plain").routes.isEmpty)
        #expect(try method("GetThing").timeoutDefault == 15_000_000_000)
        #expect(try method("Watch").timeoutDefault == nil)
        for (route, binding) in table.bindings.enumerated() {
            let owner = table.methods[Int(binding.method)]
            #expect(owner.routes.contains(Int32(route)))
            #expect(table.routes.patterns[route].owner == owner.descriptor.fullName)
        }
    }

    @Test func `every impossible rule is reported at once`() throws {
        let expected = [
            "BadTemplate: GET /v1//x: column 5: empty segment",
            "NoField: GET /a/{nothing}: column 5: gateway.test.bad.Request has no field \"nothing\"",
            "NoNested: GET /b/{child.no}: column 5: gateway.test.bad.Request has no field \"no\"",
            "NotMessage: GET /c/{text.x}: column 5: text is no message",
            "Repeated: GET /d/{texts}: column 5: texts is repeated, which a path cannot give",
            "Map: GET /e/{labels}: column 5: labels is a map, which a path cannot give",
            "Message: GET /f/{child}: column 5: child is a message, which a path cannot give",
            "ThroughRepeated: GET /g/{children.text}: column 5: children is repeated",
            "NoBody: POST /h: body \"nothing\": gateway.test.bad.Request has no such field",
            "DottedBody: POST /i: body \"child.text\": only a field of the message itself is allowed",
            "BoundBody: POST /j/{text}: text is set twice, by the path and the body",
            "GetBody: GET /k: GET cannot have a body",
            "NoResponse: GET /l: response_body \"nothing\": gateway.test.bad.Request has no such field",
            "DottedResponse: GET /m: response_body \"child.text\": only a field of the message itself "
                + "is allowed",
            "NoPattern: the rule has no path (get, put, post, delete, patch or custom)",
            "NestedBindings: GET /o: additional_bindings cannot have additional_bindings",
            "StreamWithoutBody: POST /q: a client stream needs a body",
            "OneofTwice: GET /r/{first}/{second}: second and first are members of one oneof",
            "OneofBody: POST /s/{first}: second and first are members of one oneof",
            "BadKind: \"A B\" is no HTTP method",
        ]
        let error = #expect(throws: MethodTableError.self) {
            try MethodTable(pool: try TestPool.bad.get())
        }
        var lines = error?.problems.map(\.description) ?? []
        #expect(
            lines.popLast()
                == "gateway.test.bad.Bad.Original and gateway.test.bad.Bad.Copy both have the route "
                + "GET /u/{number}, which /u/{text} already covers")
        #expect(lines.count == expected.count)
        for (line, text) in zip(lines, expected) {
            #expect(line.hasPrefix("gateway.test.bad.Bad."))
            #expect(
                line.dropFirst("gateway.test.bad.Bad.".count).description.contains(
                    text.split(separator: ": ", maxSplits: 1)[1]), "\(line) ≠ \(text)")
            #expect(line.contains(text.prefix { $0 != ":" }))
        }
    }

    @Test func `a configured rule replaces the annotation`() throws {
        let rules = [
            rule(selector: "gateway.test.rest.Rest.Plain", httpMethod: "GET", path: "/old"),
            rule(selector: "gateway.test.rest.Rest.Plain", httpMethod: "GET", path: "/plain"),
            rule(
                selector: "gateway.test.rest.Rest.Query", httpMethod: "POST", path: "/q", body: "*"),
        ]
        let table = try MethodTable(pool: try TestPool.rest.get(), rules: rules)
        #expect(routed(table.routes, "GET /plain") == "GET /plain")
        #expect(routed(table.routes, "GET /old") == "404")
        #expect(routed(table.routes, "POST /q") == "POST /q")
        #expect(routed(table.routes, "GET /v1/query") == "404")
    }

    @Test func `a rule that appends adds routes to those that are there`() throws {
        let name = "gateway.test.rest.Rest.Query"
        func routes(_ rules: [ConfiguredRule]) throws -> [String] {
            let table = try MethodTable(pool: try TestPool.rest.get(), rules: rules)
            return ["GET /v1/query", "GET /a", "GET /b", "GET /c"].filter {
                routed(table.routes, $0) == $0
            }
        }
        let a = rule(selector: name, httpMethod: "GET", path: "/a", appends: true)
        let b = rule(selector: name, httpMethod: "GET", path: "/b")
        let c = rule(selector: "*", httpMethod: "GET", path: "/c", appends: true)
        #expect(try routes([a]) == ["GET /v1/query", "GET /a"])
        #expect(try routes([a, b]) == ["GET /b"])
        #expect(try routes([b, a]) == ["GET /a", "GET /b"])
        #expect(throws: MethodTableError.self) { try routes([c]) }
    }

    @Test func `a rule's options are its routes' alone`() throws {
        var strict = rule(
            selector: "gateway.test.rest.Rest.Query", httpMethod: "GET", path: "/strict",
            appends: true)
        strict.json.names = .proto
        strict.rest.successStatus = 201
        strict.rest.errorFormat = .aip193
        let table = try MethodTable(
            pool: try TestPool.rest.get(), rules: [strict],
            options: { _ in
                var options = MethodOptions()
                options.json.indent = 2
                options.rest.errorFormat = .status
                return options
            })
        func binding(_ path: String) throws -> RouteBinding {
            let route = table.routes.patterns.firstIndex { $0.template.text == path }
            return table.bindings[try #require(route)]
        }
        let (own, other) = (try binding("/strict"), try binding("/v1/query"))
        #expect(own.rule == 0)
        #expect(own.json == JSONOptions(names: .proto, indent: 2))
        #expect(own.response.successStatus == 201)
        #expect(own.errorFormat == .aip193)
        #expect(other.rule == nil)
        #expect(other.json == JSONOptions(indent: 2))
        #expect(other.response.successStatus == 200)
        #expect(other.errorFormat == .status)
    }

    @Test(arguments: [
        ("Purge", 200, 200, 200), ("Purge", 204, 200, 204), ("Purge", 204, 201, 201),
        ("GetThing", 204, 200, 200), ("GetThing", 200, 202, 202), ("Upload", 204, 200, 200),
    ])
    func `an answer's status is the option's, and Empty has its own`(
        _ name: String, _ empty: Int, _ success: Int, _ expected: Int
    ) throws {
        let table = try MethodTable(
            pool: try TestPool.rest.get(), includes: { $0.name == name },
            options: { _ in
                var options = MethodOptions()
                options.rest.emptyStatus = empty
                options.rest.successStatus = success
                return options
            })
        for binding in table.bindings { #expect(binding.response.successStatus == expected) }
    }

    @Test func `a selector that fits nothing is an error`() throws {
        let rules = [
            rule(selector: "gateway.test.rest.Rest.Plane", httpMethod: "GET", path: "/plain"),
            rule(selector: "gateway.test.*", httpMethod: "GET", path: "/x"),
        ]
        let error = #expect(throws: MethodTableError.self) {
            try MethodTable(
                pool: try TestPool.rest.get(), rules: rules, includes: { $0.name == "Chat" })
        }
        #expect(error?.description.contains("rule for \"gateway.test.rest.Rest.Plane\"") == true)
    }

    @Test(arguments: [
        ("*", true), ("a.b.C.D", true), ("a.b.C.*", true), ("a.*", true), ("a.b.C.E", false),
        ("a.b.C.D.*", false), ("a.b.C", false), ("a.b.*C", false), ("", false),
    ])
    func `a selector is a name or ends in a star`(_ selector: String, _ selects: Bool) {
        let rule = HTTPRule(selector: selector, httpMethod: "GET", path: "/")
        #expect(rule.selects("a.b.C.D") == selects)
    }

    @Test func `methods that are not included are not there`() throws {
        let table = try MethodTable(
            pool: try TestPool.rest.get(), includes: { $0.name == "Plain" })
        #expect(table.methods.count == 1)
        #expect(table.bindings.isEmpty)
    }
}
