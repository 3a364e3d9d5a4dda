import Testing

@testable import Transcode

/// "GET /v1/{x}" → a pattern owned by "m<index>".
func routePatterns(_ lines: [String]) throws -> [RoutePattern] {
    try lines.enumerated().map { index, line in
        let parts = line.split(separator: " ")
        return RoutePattern(
            httpMethod: String(parts[0]), template: try PathTemplate(String(parts[1])),
            owner: "m\(index)")
    }
}

/// "GET /v1/x" → "GET /v1/{x} x=…" as the table says, or "404", "405", "400 at n".
func routed(_ table: RouteTable, _ request: String) -> String {
    let parts = request.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    let match = RouteMatch()
    let outcome = table.match(
        method: parts[0].utf8Span.span, path: parts[1].utf8Span.span, into: match)
    switch outcome {
    case .notFound: return "404"
    case .methodNotAllowed: return "405"
    case .malformedPath(let offset): return "400 at \(offset)"
    case .route(let route):
        let pattern = table.patterns[Int(route)]
        let path = Array(parts[1].utf8)
        let captures = pattern.template.variables.enumerated().map { index, variable in
            " \(variable.fieldPath.joined(separator: "."))="
                + String(decoding: path[match.capture(index)], as: UTF8.self)
        }
        return "\(pattern.httpMethod) \(pattern.template.text)\(captures.joined())"
    }
}

@Suite struct RouteTableTests {
    static let lines = [
        "GET /", "GET /v1/books", "POST /v1/books", "GET /v1/books/{id}", "GET /v1/books/new",
        "DELETE /v1/books/{id}", "GET /v1/{name=shelves/*/books/*}", "POST /v1/books/{id}:archive",
        "POST /v1/books:batch", "GET /v1/files/{path=**}", "GET /v1/files/readme",
        "GET /v1/{kind}/{id}/tail", "* /v1/any", "PURGE /v1/cache/{key=**}",
        "POST /v1/cache/{key=**}:drop:all", "POST /v1/cache/{key=**}:all",
        "GET /a/{p=b/**}", "GET /a/**/z", "GET /lit/%61b%2fc", "GET /urn:x:y", "PUT /v1/any",
    ]

    @Test(arguments: [
        ("GET /", "GET /"), ("GET /v1/books", "GET /v1/books"),
        ("POST /v1/books", "POST /v1/books"), ("GET /v1/books/7", "GET /v1/books/{id} id=7"),
        // A literal beats a wildcard, also where a longer template would have matched.
        ("GET /v1/books/new", "GET /v1/books/new"),
        ("DELETE /v1/books/new", "DELETE /v1/books/{id} id=new"),
        // Backtracking: `books` leads nowhere, `{kind}` does.
        ("GET /v1/books/7/tail", "GET /v1/{kind}/{id}/tail kind=books id=7"),
        ("GET /v1/shelves/3/books/4", "GET /v1/{name=shelves/*/books/*} name=shelves/3/books/4"),
        ("GET /v1/shelves/3/tail", "GET /v1/{kind}/{id}/tail kind=shelves id=3"),
        ("GET /v1/shelves/3/books", "404"), ("GET /v1/nothing", "404"), ("GET /v2", "404"),
        // Verbs.
        ("POST /v1/books/7:archive", "POST /v1/books/{id}:archive id=7"),
        ("GET /v1/books/7:archive", "GET /v1/books/{id} id=7:archive"),
        ("GET /v1/books/urn:isbn:1", "GET /v1/books/{id} id=urn:isbn:1"),
        ("GET /v1/books/x:", "GET /v1/books/{id} id=x:"),
        ("POST /v1/books:batch", "POST /v1/books:batch"), ("GET /v1/books:batch", "405"),
        ("POST /v1/books/:archive", "404"), ("GET /v1/books/:archive", "404"),
        ("POST /v1/books/7%3Aarchive", "405"),
        (
            "POST /v1/books/7:%61rchive",
            "POST /v1/books/{id}:archive id=7"
        ),
        ("POST /v1/cache/a/b:drop:all", "POST /v1/cache/{key=**}:drop:all key=a/b"),
        ("POST /v1/cache/a/b:all", "POST /v1/cache/{key=**}:all key=a/b"),
        ("POST /v1/cache/a/b:drop", "405"),
        ("POST /v1/cache:all", "POST /v1/cache/{key=**}:all key="),
        // `**` takes zero or more segments.
        ("GET /v1/files/a/b/c", "GET /v1/files/{path=**} path=a/b/c"),
        ("GET /v1/files", "GET /v1/files/{path=**} path="),
        ("GET /v1/files/", "GET /v1/files/{path=**} path="),
        ("GET /v1/files/a/", "GET /v1/files/{path=**} path=a/"),
        ("GET /v1/files/readme", "GET /v1/files/readme"),
        ("GET /v1/files/readme/x", "GET /v1/files/{path=**} path=readme/x"),
        ("GET /a/b", "GET /a/{p=b/**} p=b"), ("GET /a/b/c", "GET /a/{p=b/**} p=b/c"),
        ("GET /a/z", "GET /a/**/z"), ("GET /a/q/r/z", "GET /a/**/z"), ("GET /a/q", "404"),
        ("GET /a/b/z", "GET /a/{p=b/**} p=b/z"),
        // Methods.
        ("PUT /v1/books", "405"), ("BREW /v1/any", "* /v1/any"), ("GET /v1/any", "* /v1/any"),
        ("PUT /v1/any", "PUT /v1/any"), ("HEAD /v1/books", "GET /v1/books"),
        ("HEAD /v1/cache/x", "405"), ("OPTIONS /v1/books", "405"),
        ("PURGE /v1/cache/x", "PURGE /v1/cache/{key=**} key=x"), ("get /v1/books", "405"),
        // Segments are never empty, slashes are strict.
        ("GET /v1/books/", "404"), ("GET //v1/books", "404"), ("GET /v1//tail", "404"),
        ("GET /v1//7/tail", "404"), ("GET v1", "404"), ("GET *", "404"), ("GET ", "404"),
        // Percent-encoding.
        ("GET /v1/%62ooks", "GET /v1/books"),
        (
            "GET /v1/book%73/a%2Fb",
            "GET /v1/books/{id} id=a%2Fb"
        ),
        ("GET /lit/ab%2Fc", "GET /lit/%61b%2fc"), ("GET /lit/%61%62%2fc", "GET /lit/%61b%2fc"),
        ("GET /lit/ab/c", "404"), ("GET /v1%2Fbooks", "404"), ("GET /v1/books/%", "400 at 10"),
        ("GET /v1/books/%zz", "400 at 10"), ("GET /nowhere/%00", "400 at 9"),
        ("GET /v1/books/a%00", "400 at 11"), ("GET /V1/books", "404"),
        ("GET /urn:x:y", "GET /urn:x:y"),
    ])
    func `a request finds its route`(_ request: String, _ expected: String) throws {
        let table = try RouteTable(try routePatterns(Self.lines))
        #expect(routed(table, request) == expected)
    }

    @Test(arguments: [
        ("/v1/books", "GET, HEAD, POST"), ("/v1/books/7", "GET, HEAD, DELETE"),
        ("/v1/books/7:archive", "GET, HEAD, POST, DELETE"), ("/v1/books:batch", "POST"),
        ("/nowhere", ""),
    ])
    func `Allow names every method of the path`(_ path: String, _ expected: String) throws {
        let table = try RouteTable(try routePatterns(Self.lines))
        let allowed = table.allowedMethods(path: path.utf8Span.span)
        #expect(allowed == expected)
    }

    @Test(arguments: [
        ("GET /v1/books/", "GET /v1/books"), ("GET /v1/books//", "GET /v1/books"),
        ("GET /", "GET /"), ("POST /v1/books/7:archive/", "POST /v1/books/{id}:archive id=7"),
    ])
    func `trailing slashes can be ignored`(_ request: String, _ expected: String) throws {
        var patterns = try routePatterns(Self.lines)
        for index in patterns.indices { patterns[index].ignoresTrailingSlash = true }
        let table = try RouteTable(patterns)
        #expect(routed(table, request) == expected)
    }

    @Test(arguments: [
        ("GET /lax", "GET /lax"), ("GET /lax/", "GET /lax"), ("GET /lax//", "GET /lax"),
        ("GET /strict", "GET /strict"), ("GET /strict/", "404"), ("POST /lax/", "405"),
        ("POST /strict/", "404"), ("GET /lax/x:run/", "GET /lax/{id}:run id=x"),
        ("GET /rest/a/", "GET /rest/{p=**} p=a/"), ("GET /laxrest/a//", "GET /laxrest/{p=**} p=a"),
    ])
    func `each route says itself whether a trailing slash counts`(
        _ request: String, _ expected: String
    ) throws {
        var patterns = try routePatterns([
            "GET /strict", "GET /rest/{p=**}", "GET /lax", "GET /lax/{id}:run",
            "GET /laxrest/{p=**}",
        ])
        for index in 2..<5 { patterns[index].ignoresTrailingSlash = true }
        #expect(routed(try RouteTable(patterns), request) == expected)
    }

    @Test func `routes are told in the order in which they are tried`() throws {
        let lines = [
            "GET /**", "GET /{a}", "* /b", "GET /b", "GET /**/z", "GET /{a}:v", "POST /a/{x}:long",
            "GET /a/{x}", "GET /a/b", "HEAD /b",
        ]
        let table = try RouteTable(try routePatterns(lines))
        #expect(
            table.matchingOrder.map { lines[$0] } == [
                "POST /a/{x}:long", "GET /{a}:v", "GET /a/b", "GET /a/{x}", "GET /b", "HEAD /b",
                "* /b", "GET /{a}", "GET /**/z", "GET /**",
            ])
    }

    @Test(arguments: [
        ("GET /v1/boks", "GET /v1/books", "segment 2 is 'boks', not 'books'"),
        ("PUT /v1/books", "GET /v1/books", "it takes GET"),
        ("GET /v1/books/", "GET /v1/books/{id}", "segment 3 is empty"),
        ("POST /v1/books/7", "POST /v1/books/{id}:archive", "the path does not end in ':archive'"),
        (
            "GET /v1/shelves/3/books", "GET /v1/{name=shelves/*/books/*}",
            "the path lacks 1 segment at its end"
        ),
        ("GET /v1/a/b/tail/more", "GET /v1/{kind}/{id}/tail", "the path has 1 segment more"),
        ("PUT /v1/any/", "* /v1/any", "the path ends in a slash"),
        ("GET /a/b", "GET /a/**/z", "segment 2 is 'b', not 'z'"),
        ("GET /a", "GET /a/**/z", "the path is too short"),
    ])
    func `a route says why it does not take a request`(
        _ request: String, _ route: String, _ reason: String
    ) throws {
        let patterns = try routePatterns(Self.lines)
        let words = request.split(separator: " ").map(String.init)
        let found = try RouteTable(patterns).mismatches(method: words[0], path: words[1])
        let mismatch = found.first {
            "\(patterns[$0.route].httpMethod) \(patterns[$0.route].template.text)" == route
        }
        #expect(mismatch?.reason == reason)
    }

    @Test(arguments: [
        ("PUT /v1/books", "GET /v1/books"), ("GET /v1/boks", "GET /v1/books"),
        ("GET /v2/books/new", "GET /v1/books/new"),
        (
            "POST /v1/books/7:archiv",
            "POST /v1/books/{id}:archive"
        ),
    ])
    func `the nearest route comes first`(_ request: String, _ route: String) throws {
        let patterns = try routePatterns(Self.lines)
        let words = request.split(separator: " ").map(String.init)
        let first = try RouteTable(patterns).mismatches(method: words[0], path: words[1])[0].route
        #expect("\(patterns[first].httpMethod) \(patterns[first].template.text)" == route)
    }

    @Test(arguments: [
        (["GET /a/{x}", "GET /a/*"], ["m0 and m1 both have the route GET /a/*, which /a/{x}"]),
        (["GET /a:b", "POST /a:b", "GET /a:b"], ["m0 and m2 both have the route GET /a:b"]),
        (["* /a", "* /a", "GET /**/x", "GET /{p=**}/x"], ["m0 and m1", "m2 and m3"]),
        (["GET /%61", "GET /a"], ["m0 and m1"]), (["GET /a", "* /a", "HEAD /a"], []),
        (["GET /{x}:v", "GET /{x}", "GET /**", "GET /**:v", "GET /**/x"], []),
    ])
    func `duplicates are refused all at once with both owners`(
        _ lines: [String], _ expected: [String]
    ) throws {
        do {
            _ = try RouteTable(try routePatterns(lines))
            #expect(expected.isEmpty)
        } catch let error as RouteConflicts {
            #expect(error.problems.count == expected.count)
            for (problem, part) in zip(error.problems, expected) {
                #expect(problem.message.contains(part))
            }
        }
    }

    @Test func `an explicit HEAD beats the one from GET`() throws {
        let table = try RouteTable(try routePatterns(["GET /a", "HEAD /a", "* /a"]))
        #expect(routed(table, "HEAD /a") == "HEAD /a")
        #expect(routed(table, "GET /a") == "GET /a")
        #expect(routed(table, "PUT /a") == "* /a")
    }

    @Test func `a table without routes finds nothing`() throws {
        let table = try RouteTable([])
        #expect(routed(table, "GET /") == "404")
        #expect(routed(table, "GET /a:b") == "404")
    }

    @Test func `two hundred routes are all found`() throws {
        let lines = (0..<50).flatMap { index in
            [
                "GET /v1/service\(index)/items", "POST /v1/service\(index)/items",
                "GET /v1/service\(index)/items/{id}", "POST /v1/service\(index)/items/{id}:run",
            ]
        }
        let table = try RouteTable(try routePatterns(lines))
        for index in 0..<50 {
            let base = "/v1/service\(index)/items"
            #expect(routed(table, "GET \(base)") == "GET \(base)")
            #expect(routed(table, "POST \(base)") == "POST \(base)")
            #expect(routed(table, "GET \(base)/9") == "GET \(base)/{id} id=9")
            #expect(routed(table, "POST \(base)/9:run") == "POST \(base)/{id}:run id=9")
            #expect(routed(table, "PUT \(base)") == "405")
        }
    }
}
