// From a request's path and query to its route and its message, on a table of 200 routes: nanoseconds a request, best
// of many runs, and allocations a request. With COUNT one request runs that often and nothing is measured, for callgrind:
//
//     route-benchmark REST.binpb                  the descriptor set of Protos/test/rest.proto
//     route-benchmark REST.binpb NUMBER COUNT

import CMallocCount
import Glibc
import ProtoRuntime
import Transcode

func fail(_ message: String) -> Never {
    print("route-benchmark: \(message)")
    exit(1)
}

func load(_ path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { fail("cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe fread(&piece, 1, piece.count, file)
        if count == 0 { return bytes }
        bytes += piece[..<count]
    }
}

func cpuSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Forty resources with five routes each, as an annotated API has them.
func rules() -> [ConfiguredRule] {
    let selector = "gateway.test.rest.Rest.Query"
    let rules = (0..<40).flatMap { index in
        let path = "/v1/resource\(index)s"
        return [
            HTTPRule(selector: selector, httpMethod: "GET", path: path),
            HTTPRule(selector: selector, httpMethod: "POST", path: path),
            HTTPRule(selector: selector, httpMethod: "GET", path: "\(path)/{text}/parts/{long}"),
            HTTPRule(
                selector: selector, httpMethod: "GET",
                path: "/v1/{text=projects/*/resource\(index)s/*}"),
            HTTPRule(selector: selector, httpMethod: "POST", path: "\(path)/{text}:run"),
        ]
    }
    // The first takes the place of the annotation.
    return rules.enumerated().map { ConfiguredRule($1, appends: $0 > 0) }
}

let requests = [
    ("GET", "/v1/resource23s", ""), ("GET", "/v1/resource23s/seven/parts/7", ""),
    ("GET", "/v1/projects/one/resource23s/two", ""),
    ("GET", "/v1/projects/one/resource23s/two", "flag=true&small=50&texts=alpha&texts=beta"),
    ("GET", "/v1/resource23s/a%20b%2Fc/parts/7", "child.text=a+b&kind=KIND_BOOK"),
    ("POST", "/v1/resource23s/seven:run", ""), ("GET", "/v1/resource23s/nothing/here", ""),
]

/// One request, and what it needs again and again.
struct Request: ~Copyable {
    let method: [UInt8]
    let path: [UInt8]
    let query: [UInt8]
    private let methods: MethodTable
    private let match = RouteMatch()
    private var scratch = BindingScratch()
    private var body = OutputBlock()
    private var output = OutputBlock()

    init(_ request: (String, String, String), _ methods: MethodTable) {
        method = Array(request.0.utf8)
        path = Array(request.1.utf8)
        query = Array(request.2.utf8)
        self.methods = methods
        body.seal()
    }

    /// Makes the message of the route that takes the request, `count` times; false where none does.
    @discardableResult
    mutating func run(_ count: Int) -> Bool {
        let (method, path, query) = (method, path, query)
        for _ in 0..<count {
            output.removeAll()
            guard
                case .route(let route) = methods.routes.match(
                    method: method.span, path: path.span, into: match)
            else { continue }
            do throws(Status) {
                let binding = methods.bindings[Int(route)]
                try binding.request.bind(
                    match, path: path.span, query: query.span, contentType: Span(), body: body,
                    in: 0..<0, methods.tables(of: binding.method), json: JSONOptions(),
                    scratch: &scratch,
                    into: &output)
            } catch {
                fail("\(error.message)")
            }
        }
        return match.route >= 0
    }

    mutating func measure(_ name: String) {
        let isServed = run(1)
        let bytes = output.count
        run(100)
        let before = malloc_count()
        run(1000)
        let allocations = Double(malloc_count() - before) / 1000
        var best = Double.infinity
        for _ in 0..<60 {
            let start = cpuSeconds()
            run(20_000)
            best = min(best, (cpuSeconds() - start) / 20_000)
        }
        let result = isServed ? "\(bytes) bytes" : "no route"
        print("| \(name) | \(result) | \(Int(best * 1e9)) ns | \(allocations) |")
    }
}

let arguments = CommandLine.arguments
guard arguments.count == 2 || arguments.count == 4 else {
    fail("usage: route-benchmark REST.binpb [NUMBER COUNT]")
}
do {
    let pool = try DescriptorPool(fileDescriptorSets: [load(arguments[1])])
    let methods = try MethodTable(
        pool: pool, rules: rules(), includes: { $0.name == "Query" })
    if arguments.count == 4, let number = Int(arguments[2]), requests.indices.contains(number) {
        var request = Request(requests[number], methods)
        request.run(Int(arguments[3]) ?? 1)
    } else {
        print("\(methods.routes.patterns.count) routes\n")
        print("| request | message | a request | allocations a request |")
        print("|---|---|---|---|")
        for request in requests {
            let query = request.2.isEmpty ? "" : "?\(request.2)"
            var measured = Request(request, methods)
            measured.measure("\(request.0) \(request.1)\(query)")
        }
    }
} catch {
    fail("\(error)")
}
