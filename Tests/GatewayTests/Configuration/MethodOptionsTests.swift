import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct MethodOptionsTests {
    private static let library = "gateway.demo.v1.LibraryService"

    /// The method table of the demo's services with `more` in their entry.
    private func methods(_ more: String, upstream: String = "") throws -> MethodTable {
        try ConfigurationFixture.load(
            """
            listeners: [{address: 127.0.0.1:0}]
            upstreams: {a: {target: 127.0.0.1:1\(upstream)}}
            services:
              - upstream: a
                descriptors: {file: demo.binpb}
            \(more)
            """
        ).methods
    }

    private func method(_ name: String, in table: MethodTable) throws -> Method {
        try #require(
            table.methods.first { $0.descriptor.fullName == "\(Self.library).\(name)" })
    }

    @Test func `entries of methods apply in their order, each where it says something`() throws {
        let table = try methods(
            """
                json: {names: proto, indent: 2}
                rest: {empty_status: 204, ignore_query: key}
                methods:
                  - {selector: "*", json: {enums: number}, rest: {challenge: Bearer}}
                  - {selector: \(Self.library), json: {enums: stripped, int64: number}}
                  - {selector: \(Self.library).GetBook, json: {indent: 0}, rest: {ignore_query: [a, b]}}
            """)
        let get = try method("GetBook", in: table)
        #expect(get.json == JSONOptions(enums: .stripped, int64: .number, names: .proto))
        #expect(get.options.rest.ignoredQuery == ["a", "b"])
        #expect(get.options.rest.emptyStatus == 204)
        let list = try method("ListBooks", in: table)
        #expect(
            list.json == JSONOptions(enums: .stripped, int64: .number, names: .proto, indent: 2))
        #expect(list.options.rest.ignoredQuery == ["key"])
        let chat = try #require(table.methods.first { $0.descriptor.name == "Join" })
        #expect(chat.json == JSONOptions(enums: .number, names: .proto, indent: 2))
        #expect(chat.options.rest.challenge == "Bearer")
    }

    @Test(
        arguments: [
            ("", "", 15, nil), ("", "{default: 2s}", 2, nil), ("", "{max: 5s}", 5, 5),
            (", timeout: {default: 3s, max: 20s}", "{max: 5s}", 3, 5),
            (", timeout: {max: 10s}", "{default: 1m}", 60, 10),
            (", timeout: {default: 8s, max: 10s}", "{default: 1s, max: 4s}", 1, 4),
        ] as [(String, String, Int64, Int64?)])
    func `methods may have times of their own`(
        _ upstream: String, _ timeout: String, _ usual: Int64, _ maximum: Int64?
    ) throws {
        let entry = timeout.isEmpty ? "" : ", timeout: \(timeout)"
        let table = try methods(
            "    methods: [{selector: \(Self.library).GetBook\(entry)}]", upstream: upstream)
        let options = try method("GetBook", in: table).options
        #expect(options.timeoutDefault == usual * Configuration.second)
        #expect(options.timeoutMax == maximum.map { $0 * Configuration.second })
        let other = try method("ListBooks", in: table).options
        let same = try method("ListBooks", in: try methods("", upstream: upstream)).options
        #expect(other == same)
    }

    @Test func `a rule has its own options and the rest of its method's`() throws {
        let table = try methods(
            """
                json: {names: proto}
                methods: [{selector: \(Self.library).GetBook, rest: {success_status: 203, error_format: aip193}}]
                rules:
                  - {selector: \(Self.library).GetBook, get: /book, rest: {success_status: 201}, json: {indent: 1}}
                  - {selector: \(Self.library).GetBook, get: /livre, append: true}
            """)
        func binding(_ path: String) throws -> RouteBinding {
            let route = table.routes.patterns.firstIndex { $0.template.text == path }
            return table.bindings[try #require(route)]
        }
        let (book, livre) = (try binding("/book"), try binding("/livre"))
        #expect(book.response.successStatus == 201)
        #expect(book.json == JSONOptions(names: .proto, indent: 1))
        #expect(book.errorFormat == .aip193)
        #expect(livre.response.successStatus == 203)
        #expect(livre.json == JSONOptions(names: .proto))
        #expect(try method("GetBook", in: table).routes.count == 2)
        #expect(try method("GetBook", in: table).json == JSONOptions(names: .proto))
        #expect(table.errorFormat == .status)
    }

    @Test func `errors of no route have the envelope where every entry has it`() throws {
        #expect(try methods("    rest: {error_format: aip193}").errorFormat == .aip193)
        #expect(try methods("").errorFormat == .status)
    }
}
