import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct ResponseBindingTests {
    /// The entity (and the content type of a raw one) that a message in JSON becomes on a route.
    private func entity(_ route: String, _ message: String) throws -> (String, String?) {
        let pool = try TestPool.rest.get()
        let table = try MethodTable(pool: pool)
        let index = try #require(
            table.routes.patterns.firstIndex { "\($0.httpMethod) \($0.template.text)" == route })
        let response = table.bindings[index].response
        var json = OutputBlock()
        json.append(text: message)
        json.seal()
        var wire = OutputBlock()
        wire.append("xyz")
        try JSONToProto(pool.tables, options: JSONOptions()).encode(
            json, in: 0..<json.count, as: response.output, into: &wire)
        let range = 3..<wire.count
        wire.seal()
        var entity = OutputBlock()
        let contentType = try response.format(
            wire, in: range, pool.tables, json: JSONOptions(), into: &entity)
        return (
            String(decoding: entity.array, as: UTF8.self),
            contentType.map { String(decoding: wire.array[$0], as: UTF8.self) }
        )
    }

    @Test(arguments: [
        ("POST /v1/all", "{\"text\":\"a\"}", "{\"text\":\"a\"}"), ("POST /v1/all", "{}", "{}"),
        (
            "GET /v1/{parent=shelves/*}/things", "{\"things\":[{\"name\":\"a\"},{}]}",
            "[{\"name\":\"a\"},{}]"
        ),
        ("GET /v1/{parent=shelves/*}/things", "{\"nextPageToken\":\"x\"}", "[]"),
        ("POST /v1/texts", "{\"texts\":[\"a\"],\"text\":\"b\"}", "[\"a\"]"),
        ("POST /v1/longs", "{\"longs\":[\"1\"]}", "[\"1\"]"),
        ("POST /v1/labels", "{\"labels\":{\"a\":\"b\"}}", "{\"a\":\"b\"}"),
        ("POST /v1/labels", "{}", "{}"), ("POST /v1/flag", "{}", "false"),
        ("POST /v1/flag", "{\"flag\":true}", "true"),
    ])
    func `the entity is the message or one field in JSON`(
        _ route: String, _ message: String, _ expected: String
    ) throws {
        let (entity, contentType) = try entity(route, message)
        #expect(entity == expected)
        #expect(contentType == nil)
    }

    /// The JSON of one field as body and answer: what the body binds to, and what an answer with it is.
    private func field(_ name: String, _ json: String) throws -> (bound: String, entity: String) {
        let pool = try TestPool.rest.get()
        let rule = HTTPRule(
            selector: "gateway.test.rest.Rest.Post", httpMethod: "POST", path: "/f", body: name,
            responseBody: name)
        let table = try MethodTable(
            pool: pool, rules: [ConfiguredRule(rule)], includes: { $0.name == "Post" })
        let binding = table.bindings[0]
        let match = RouteMatch()
        _ = table.routes.match(
            method: "POST".utf8Span.span, path: "/f".utf8Span.span, into: match)
        var body = OutputBlock()
        body.append(text: json)
        body.seal()
        var wire = OutputBlock()
        var scratch = BindingScratch()
        try binding.request.bind(
            match, path: "/f".utf8Span.span, query: Span(), contentType: Span(), body: body,
            in: 0..<body.count, pool.tables, json: JSONOptions(), scratch: &scratch, into: &wire)
        let bound = try described(wire.bytes, binding.request.input, pool)
        wire.seal()
        var entity = OutputBlock()
        _ = try binding.response.format(
            wire, in: 0..<wire.count, pool.tables, json: JSONOptions(), into: &entity)
        return (bound, String(decoding: entity.array, as: UTF8.self))
    }

    @Test(arguments: [
        ("text", "\"a\"", "text=\"a\""), ("long", "\"5\"", "long=5"), ("small", "-1", "small=-1"),
        ("flag", "true", "flag=1"), ("ratio", "1.5", "ratio=1.5"),
        ("raw", "\"+/8=\"", "raw=[251, 255]"),
        ("kind", "\"KIND_BOOK\"", "kind=1"), ("texts", "[\"a\",\"\"]", "texts=\"a\" texts=\"\""),
        ("longs", "[\"1\",\"2\"]", "longs=[1, 2]"), ("kinds", "[\"KIND_FILM\"]", "kinds=[2]"),
        ("labels", "{\"a\":\"b\"}", "labels{key=\"a\" value=\"b\"}"),
        ("flags", "{\"7\":true}", "flags{key=7 value=1}"),
        ("child", "{\"text\":\"a\"}", "child{text=\"a\"}"), ("child", "{}", "child{}"),
        ("children", "[{},{\"long\":\"1\"}]", "children{} children{long=1}"),
        ("parts", "{\"a\":{}}", "parts{key=\"a\" value{}}"),
        ("when", "\"1970-01-01T00:00:01Z\"", "when{seconds=1}"),
        ("pause", "\"1s\"", "pause{seconds=1}"),
        ("mask", "\"text,child.long\"", "mask{paths=\"text\" paths=\"child.long\"}"),
        ("boxed_long", "\"5\"", "boxed_long{value=5}"),
        ("boxed_text", "\"\"", "boxed_text{}"),
        ("boxed_flag", "true", "boxed_flag{value=1}"), ("value", "null", "value{null_value=0}"),
        ("value", "[1]", "value{list_value{values{number_value=1.0}}}"),
        ("object", "{}", "object{}"),
        ("list", "[]", "list{}"), ("empty", "{}", "empty{}"), ("maybe", "0", "maybe=0"),
        ("first", "\"\"", "first=\"\""), ("second", "0", "second=0"),
        ("otherName", "\"x\"", "renamed_field=\"x\""),
        (
            "any", "{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"1s\"}",
            "any{type_url=\"type.googleapis.com/google.protobuf.Duration\" value=[8, 1]}"
        ),
    ])
    func `a body and an answer may be one field of any kind`(
        _ name: String, _ json: String, _ bound: String
    ) throws {
        let field = try field(name, json)
        #expect(field.bound == bound)
        #expect(field.entity == json)
    }

    @Test(arguments: [
        ("text", "\"\""), ("long", "\"0\""), ("small", "0"), ("flag", "false"), ("ratio", "0"),
        ("raw", "\"\""), ("kind", "\"KIND_UNSPECIFIED\""), ("texts", "[]"), ("labels", "{}"),
        ("children", "[]"), ("parts", "{}"), ("child", "null"), ("when", "null"), ("value", "null"),
        ("boxed_long", "null"), ("maybe", "null"), ("first", "null"), ("any", "null"),
    ])
    func `a field that is not there is printed as its default`(
        _ name: String, _ expected: String
    ) throws {
        #expect(try field(name, name == "value" ? "" : "null").entity == expected)
    }

    @Test(arguments: [
        ("x-http-code", "201", 201), ("x-http-code", "204", 204), ("x-http-code", "303", 303),
        ("x-http-code", "400", 200), ("x-http-code", "99", 200), ("x-http-code", "2010", 200),
        ("x-http-code", "2x1", 200), ("x-http-code", "", 200), ("x-other", "201", 200),
    ])
    func `the upstream may choose the status by metadata`(
        _ name: String, _ value: String, _ expected: Int
    ) {
        var fields = Fields()
        fields.append([(name, value)])
        func binding(_ statusMetadata: String) -> ResponseBinding {
            ResponseBinding(
                output: 0, form: .message, successStatus: 200,
                statusMetadata: Array(statusMetadata.utf8))
        }
        #expect(binding("x-http-code").status(for: fields) == expected)
        #expect(binding("").status(for: fields) == 200)
    }

    @Test(arguments: [
        ("POST /v1/raw", "{\"contentType\":\"image/png\",\"data\":\"YWI=\"}", "ab", "image/png"),
        ("POST /v1/raw", "{\"data\":\"YWI=\"}", "ab", ""), ("POST /v1/raw", "{}", "", ""),
        (
            "PUT /v1/raw/{name=**}",
            "{\"size\":\"1\",\"file\":{\"contentType\":\"a/b\",\"data\":\"YWI=\"}}", "ab", "a/b"
        ),
        ("PUT /v1/raw/{name=**}", "{\"size\":\"1\"}", "", ""),
    ])
    func `an HttpBody is its data under its content type`(
        _ route: String, _ message: String, _ expected: String, _ contentType: String
    ) throws {
        let answer = try entity(route, message)
        #expect(answer.0 == expected)
        #expect(answer.1 == contentType)
    }

    @Test func `a message that is no HttpBody is the upstream's fault`() {
        for bytes in [[0x0a, 5, 1], [0x12], [0x08, 1], [0x07]] as [[UInt8]] {
            var wire = OutputBlock()
            wire.append(bytes.span)
            wire.seal()
            do throws(Status) {
                _ = try HTTPBody.locate(in: wire, range: 0..<wire.count)
                Issue.record("\(bytes) was taken")
            } catch {
                #expect(error.httpStatus == 502)
                #expect(error.reason == "bad_upstream_message")
            }
        }
    }

    @Test func `an HttpBody field in pieces is merged`() throws {
        var wire = OutputBlock()
        wire.append([0x0a, 3, 0x0a, 1, 0x61, 0x10, 9, 0x0a, 3, 0x12, 1, 0x62].span)
        wire.seal()
        let parts = try HTTPBody.locate(in: wire, range: 0..<wire.count, field: 1)
        #expect(parts == HTTPBody.Parts(contentType: 4..<5, data: 11..<12))
    }
}
