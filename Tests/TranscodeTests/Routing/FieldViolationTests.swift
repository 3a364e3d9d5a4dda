import ProtoRuntime
import Testing

@testable import Transcode

/// The google.rpc.BadRequest among the details of what refuses a request: "field: description".
private func violation(
    _ request: String, body: String = "", contentType: String = "application/json"
) throws -> String? {
    let pool = try TestPool.rest.get()
    let table = try MethodTable(pool: pool)
    let words = request.split(separator: " ", maxSplits: 1).map(String.init)
    let target = words[1].split(separator: "?", maxSplits: 1).map(String.init)
    let match = RouteMatch()
    guard
        case .route(let route) = table.routes.match(
            method: words[0].utf8Span.span, path: target[0].utf8Span.span, into: match)
    else { return "no route" }
    var entity = OutputBlock()
    entity.append(text: body)
    entity.seal()
    var output = OutputBlock()
    var scratch = BindingScratch()
    do throws(Status) {
        try table.bindings[Int(route)].request.bind(
            match, path: target[0].utf8Span.span,
            query: (target.count > 1 ? target[1] : "").utf8Span.span,
            contentType: contentType.utf8Span.span, body: entity, in: 0..<entity.count,
            pool.tables, json: JSONOptions(), scratch: &scratch, into: &output)
        return "taken"
    } catch {
        guard let detail = error.decodedDetails.first else { return nil }
        #expect(detail.typeURL == "type.googleapis.com/google.rpc.BadRequest")
        var reader = WireReader(detail.value.span)
        guard let tag = try reader.readTag() else { return nil }
        var violation = try reader.readMessage(tag)
        var texts = ["", ""]
        while let tag = try violation.readTag() {
            texts[Int(tag.number) - 1] = try violation.readString(tag)
        }
        return texts.joined(separator: ": ")
    }
}

@Suite struct FieldViolationTests {
    @Test(arguments: [
        ("GET /v1/query/x/five", "", "long: expected an integer"),
        ("GET /v1/deep/%FF", "", "child.child.text: invalid UTF-8 in string"),
        ("GET /v1/query?long=x", "", "long: expected an integer"),
        ("GET /v1/query?child.long=x", "", "child.long: expected an integer"),
        ("GET /v1/query?nope=1", "", "nope: the request has no such field"),
        ("GET /v1/query?labels%5Ba=x", "", "labels[a: ']' is missing behind the map's key"),
        (
            "POST /v1/all", "{\"child\":{\"longs\":[1,true]}}",
            "child.longs[1]: expected an integer, found a boolean"
        ),
        ("POST /v1/all", "{", ": expected a member name in quotes, found the end of the document"),
        ("POST /v1/all/p", "{\"text\":\"q\"}", "text: the body's value differs from the path's"),
        ("POST /v1/choice/p", "{\"second\":1}", "first: the body sets second of the same oneof"),
        ("DELETE /v1/all/p", "x", ": this route takes no body"),
    ])
    func `what is refused has a violation that names the field`(
        _ request: String, _ body: String, _ expected: String
    ) throws {
        #expect(try violation(request, body: body) == expected)
    }

    @Test func `another content type is no field's fault`() throws {
        #expect(try violation("POST /v1/all", body: "{}", contentType: "text/plain") == nil)
    }
}
