import Foundation
import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct PatchMaskTests {
    private let options: RESTOptions = {
        var options = RESTOptions()
        options.fillsPatchMask = true
        return options
    }()

    @Test(arguments: [
        ("{\"title\":\"t\"}", "title"), ("{}", ""), ("", ""),
        ("{\"title\":\"t\",\"pages\":\"7\"}", "title pages"), ("{\"title\":null}", "title"),
        ("{ \"pa\\u0067es\" : 7 , \"nobody\":{\"x\":[1]} }", "pages"),
        ("{\"name\":\"shelves/1/things/2\"}", "name"),
    ])
    func `a PATCH without a mask gets one from its body`(_ body: String, _ paths: String) throws {
        let answer = try bound("PATCH /v1/shelves/1/things/2", body: body, rest: options)
        let expected = paths.split(separator: " ").map { "paths=\"\($0)\"" }
        let mask = expected.isEmpty ? "" : " update_mask{\(expected.joined(separator: " "))}"
        #expect(answer.hasSuffix("thing{name=\"shelves/1/things/2\"}\(mask)"), "\(answer)")
        #expect(answer.contains("update_mask") != expected.isEmpty, "\(answer)")
    }

    @Test func `a mask that the client gives stays as it is`() throws {
        let answer = try bound(
            "PATCH /v1/shelves/1/things/2?updateMask=pages", body: "{\"title\":\"t\"}",
            rest: options)
        #expect(answer.contains("update_mask{paths=\"pages\"}"), "\(answer)")
        let empty = try bound(
            "PATCH /v1/shelves/1/things/2?updateMask=", body: "{\"title\":\"t\"}", rest: options)
        #expect(empty.contains("update_mask{paths=\"title\"}"), "\(empty)")
    }

    @Test func `neither PUT nor a body that is the whole message gets a mask`() throws {
        for body in ["{}", "{\"thing\":{\"title\":\"t\"}}"] {
            let answer = try bound("PUT /v1/shelves/1/things/2", body: body, rest: options)
            #expect(!answer.contains("mask"))
        }
        let off = try bound("PATCH /v1/shelves/1/things/2", body: "{\"title\":\"t\"}")
        #expect(!off.contains("mask"))
    }

    /// `child` of All as the body, its mask in `mask`.
    private func mask(_ body: String) throws -> String {
        let pool = try TestPool.rest.get()
        let rule = HTTPRule(
            selector: "gateway.test.rest.Rest.Post", httpMethod: "PATCH", path: "/all",
            body: "child")
        let table = try MethodTable(
            pool: pool, rules: [ConfiguredRule(rule)], includes: { $0.name == "Post" },
            options: { _ in
                var options = MethodOptions()
                options.rest.fillsPatchMask = true
                return options
            })
        var entity = OutputBlock()
        entity.append(text: body)
        entity.seal()
        var output = OutputBlock()
        var scratch = BindingScratch()
        let match = RouteMatch()
        _ = table.routes.match(
            method: "PATCH".utf8Span.span, path: "/all".utf8Span.span, into: match)
        try table.bindings[0].request.bind(
            match, path: "/all".utf8Span.span, query: Span(),
            contentType: "application/json".utf8Span.span, body: entity, in: 0..<entity.count,
            pool.tables, json: JSONOptions(), scratch: &scratch, into: &output)
        let text = try described(output.bytes, table.bindings[0].request.input, pool)
        guard let start = text.range(of: " mask{", options: .backwards) else { return "" }
        return String(text[start.upperBound...].dropLast())
            .replacing("paths=", with: "").replacing("\"", with: "")
    }

    @Test(arguments: [
        ("{\"child\":{\"text\":\"a\",\"child\":{\"long\":1}}}", "child.text child.child.long"),
        ("{\"child\":{}}", "child"), ("{\"child\":null}", "child"),
        (
            "{\"texts\":[\"a\"],\"labels\":{\"a\":\"b\"},\"children\":[{\"text\":\"x\"}]}",
            "texts labels children"
        ),
        ("{\"when\":\"2020-01-02T03:04:05Z\",\"boxedLong\":1}", "when boxed_long"),
        ("{\"object\":{\"a\":{\"b\":1}},\"value\":{\"a\":1},\"list\":[{}]}", "object value list"),
        (
            "{\"any\":{\"@type\":\"type.googleapis.com/google.protobuf.Empty\"},\"empty\":{}}",
            "any empty"
        ),
        (
            "{\"otherName\":\"x\",\"third\":{\"renamed_field\":\"y\"}}",
            "renamed_field third.renamed_field"
        ),
        ("{\"parts\":{\"a\":{\"text\":\"b\"}},\"mask\":\"text\"}", "parts mask"),
    ])
    func `paths end where no field mask leads further`(
        _ body: String, _ expected: String
    ) throws {
        #expect(try mask(body) == expected)
    }

    @Test func `a mask has a limit, since a short body may name many deep fields`() throws {
        /// Fields at the leaves of a tree that is `width` levels deep, below a chain of `depth`.
        func body(_ depth: Int, _ width: Int) -> String {
            if depth > 0 { return "{\"child\":\(body(depth - 1, width))}" }
            if width == 0 { return "{\"text\":\"\",\"long\":1}" }
            let below = body(0, width - 1)
            return "{\"child\":\(below),\"third\":\(below)}"
        }
        #expect(try mask(body(40, 5)).split(separator: " ").count == 64)
        let error = #expect(throws: Status.self) { try mask(body(80, 8)) }
        #expect(error?.reason == "patch_mask_too_large")
        #expect(error?.httpStatus == 400)
    }
}
