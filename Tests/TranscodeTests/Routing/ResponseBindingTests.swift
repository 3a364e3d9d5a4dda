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
        json.append(message)
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
