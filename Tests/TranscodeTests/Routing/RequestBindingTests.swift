import ProtoRuntime
import Testing

@testable import Transcode

/// Makes 126 bytes of a message: with two more its length takes two bytes.
private let text124 = String(repeating: "x", count: 124)

/// Routes and binds one request of rest.proto: "GET /v1/query?text=a" → `text="a"`, or "400 …".
func bound(
    _ request: String, body: String = "", contentType: String = "application/json",
    rest: RESTOptions = RESTOptions(), json: JSONOptions = JSONOptions()
) throws -> String {
    let pool = try TestPool.rest.get()
    var options = MethodOptions()
    options.rest = rest
    let table = try MethodTable(pool: pool, options: { _ in options })
    let words = request.split(separator: " ", maxSplits: 1).map(String.init)
    let target = words[1].split(
        separator: "?", maxSplits: 1, omittingEmptySubsequences: false
    ).map(String.init)
    let query = target.count > 1 ? target[1] : ""
    let match = RouteMatch()
    let outcome = table.routes.match(
        method: words[0].utf8Span.span, path: target[0].utf8Span.span, into: match)
    guard case .route(let route) = outcome else { return "\(outcome)" }
    let binding = table.bindings[Int(route)].request
    var entity = OutputBlock()
    entity.append(text: body)
    entity.seal()
    var output = OutputBlock()
    output.append("before")
    var scratch = BindingScratch()
    do throws(Status) {
        try binding.bind(
            match, path: target[0].utf8Span.span, query: query.utf8Span.span,
            contentType: contentType.utf8Span.span, body: entity, in: 0..<entity.count,
            pool.tables, json: json, scratch: &scratch, into: &output)
    } catch {
        #expect(output.count == 6)
        return "\(error.httpStatus) \(error.message)"
    }
    return try described(output.bytes.extracting(6..<output.count), binding.input, pool)
}

@Suite struct PathBindingTests {
    @Test(arguments: [
        ("GET /v1/things/a", "name=\"a\""), ("GET /v1/things/a%2Fb%20c", "name=\"a/b c\""),
        ("GET /v1/shelves/1/things/2", "name=\"shelves/1/things/2\""),
        ("GET /v1/shelves/a%2Fb/things/%41%20", "name=\"shelves/a%2Fb/things/A \""),
        ("GET /v1/find/a/b%2fc%2523", "name=\"a/b%2fc%23\""), ("GET /v1/find", "name=\"\""),
        ("GET /v1/query/x/-5", "text=\"x\" long=-5"),
        ("GET /v1/query/+/9223372036854775807", "text=\"+\" long=9223372036854775807"),
        ("GET /v1/deep/leaf", "child{child{text=\"leaf\"}}"),
        (
            "GET /v1/when/2020-01-02T03:04:05Z/KIND_FILM/_-8/true/18446744073709551615",
            "when{seconds=1577934245} kind=2 raw=[255, 239] flag=1 wide=-1"
        ),
        (
            "GET /v1/when/2020-01-02T03:04:05Z/2/AAE=/0/7",
            "when{seconds=1577934245} kind=2 raw=[0, 1] flag=0 wide=7"
        ),
        ("GET /v1/things/%C3%A9", "name=\"é\""), ("PURGE /v1/purge/x", "name=\"x\""),
        ("BREW /v1/any/x", "name=\"x\""), ("HEAD /v1/things/a", "name=\"a\""),
    ])
    func `captures become fields`(_ request: String, _ expected: String) throws {
        #expect(try bound(request) == expected)
    }

    @Test(arguments: [
        ("GET /v1/query/x/five", "long"), ("GET /v1/query/x/9223372036854775808", "long"),
        ("GET /v1/things/%FF", "name"), ("GET /v1/when/today/1/AA/true/1", "when"),
        ("GET /v1/when/2020-01-02T03:04:05Z/KIND_NONE/AA/true/1", "kind"),
        ("GET /v1/when/2020-01-02T03:04:05Z/1/A/true/1", "raw"),
        ("GET /v1/when/2020-01-02T03:04:05Z/1/AA/yes/1", "flag"),
        ("GET /v1/when/2020-01-02T03:04:05Z/1/AA/true/-1", "wide"),
    ])
    func `a capture that does not fit is 400 and names the field`(
        _ request: String, _ field: String
    ) throws {
        let answer = try bound(request)
        #expect(answer.hasPrefix("400 the path's value for \(field): "), "\(answer)")
    }

    @Test(arguments: [
        (PercentEncoding.Unescape.all, "a/%23/ "), (.exceptSlash, "a%2f%23/ "),
        (.exceptReserved, "a%2f%23/ "),
    ])
    func `multi-segment captures follow the unescape option`(
        _ unescape: PercentEncoding.Unescape, _ expected: String
    ) throws {
        let rest = RESTOptions(unescape: unescape)
        #expect(try bound("GET /v1/find/a%2f%2523/%20", rest: rest) == "name=\"\(expected)\"")
    }
}

@Suite struct QueryBindingTests {
    @Test(arguments: [
        ("text=a", "text=\"a\""), ("text=", "text=\"\""), ("text", "text=\"\""), ("", ""),
        ("text=a%20b+c%2B", "text=\"a b c+\""), ("raw=", "raw=[]"), ("raw=-_8", "raw=[251, 255]"),
        ("raw=%2B/8=", "raw=[251, 255]"), ("long=-1", "long=-1"), ("small=0", "small=0"),
        ("wide=18446744073709551615", "wide=-1"), ("flag=true", "flag=1"), ("flag=0", "flag=0"),
        ("flag", "flag=1"), ("ratio=1.5", "ratio=1.5"), ("ratio=NaN", "ratio=nan"),
        ("ratio=-Infinity", "ratio=-inf"), ("single=1e3", "single=1000.0"),
        ("zigzag=-7", "zigzag=-7"),
        ("fixed=7", "fixed=7"), ("kind=KIND_BOOK", "kind=1"), ("kind=2", "kind=2"),
        ("texts=a&texts=b,c", "texts=\"a\" texts=\"b,c\""), ("longs=1", "longs=1"),
        ("longs=1&text=x&longs=2", "longs=1 text=\"x\" longs=2"),
        ("kinds=KIND_BOOK&kinds=2", "kinds=1 kinds=2"),
        (
            "labels[a]=1&labels[b.c]=",
            "labels{key=\"a\" value=\"1\"} labels{key=\"b.c\" value=\"\"}"
        ),
        ("labels%5Ba%5D=x", "labels{key=\"a\" value=\"x\"}"),
        ("labels[]=x", "labels{key=\"\" value=\"x\"}"),
        ("labels[a]]=x", "labels{key=\"a]\" value=\"x\"}"),
        ("flags[7]", "flags{key=7 value=1}"), ("flags[-1]=false", "flags{key=-1 value=0}"),
        ("child.text=a&child.child.long=2", "child{text=\"a\"} child{child{long=2}}"),
        ("child.labels[k]=v", "child{labels{key=\"k\" value=\"v\"}}"),
        // Members of one message that follow each other make one message, unless its length has grown.
        ("child.text=a&child.long=2", "child{text=\"a\" long=2}"),
        ("child.text=a&long=3&child.long=2", "child{text=\"a\"} long=3 child{long=2}"),
        (
            "child.text=\(text124)&child.long=2&child.second=3",
            "child{text=\"\(text124)\" long=2} child{second=3}"
        ),
        (
            "child.text=\(text124)xx&child.long=2&child.second=3",
            "child{text=\"\(text124)xx\"} child{long=2 second=3}"
        ),
        ("when=2020-01-02T03:04:05.5Z", "when{seconds=1577934245 nanos=500000000}"),
        ("pause=1.5s", "pause{seconds=1 nanos=500000000}"),
        ("mask=text,renamedField", "mask{paths=\"text\" paths=\"renamed_field\"}"),
        ("boxed_long=5", "boxed_long{value=5}"), ("boxedText=x", "boxed_text{value=\"x\"}"),
        ("boxed_flag=true", "boxed_flag{value=1}"), ("maybe=0", "maybe=0"),
        ("renamed_field=a", "renamed_field=\"a\""), ("otherName=a", "renamed_field=\"a\""),
        ("first=a", "first=\"a\""),
        (
            "third.text=a&third.long=1",
            "third{text=\"a\" long=1}"
        ),
        ("child.first=a&second=1", "child{first=\"a\"} second=1"), ("&&text=a&", "text=\"a\""),
        ("te%78t=a", "text=\"a\""), ("when.seconds=5", "when{seconds=5}"),
        ("when.seconds=5&when.nanos=6", "when{seconds=5 nanos=6}"),
        ("value=1", "value{number_value=1.0}"), ("value=null", "value{null_value=0}"),
        ("value=%22a%20b%22", "value{string_value=\"a b\"}"),
        ("value=%5Btrue%5D", "value{list_value{values{bool_value=1}}}"),
        ("object=%7B%22a%22:%22b%22%7D", "object{fields{key=\"a\" value{string_value=\"b\"}}}"),
        ("object={}", "object{}"), ("list=[1]", "list{values{number_value=1.0}}"),
        ("object=null", ""), ("child.value=true", "child{value{bool_value=1}}"),
        ("values[a]=1", "values{key=\"a\" value{number_value=1.0}}"),
        ("boxed_long.value=5", "boxed_long{value=5}"),
    ])
    func `parameters become fields`(_ query: String, _ expected: String) throws {
        #expect(try bound("GET /v1/query?\(query)") == expected)
    }

    @Test(arguments: [
        ("nothing=1", "\"nothing\": the request has no such field"),
        ("child.nothing=1", "\"child.nothing\": the request has no such field"),
        ("text.x=1", "\"text.x\": the request has no such field"), ("=1", "\"\": "),
        ("child.=1", "\"child.\": "), ("long=x", "\"long\": expected an integer"),
        ("long=", "\"long\": "), ("long", "\"long\": "), ("small=2147483648", "\"small\": "),
        ("flag=", "\"flag\": "), ("flag=yes", "\"flag\": "), ("kind=", "\"kind\": "),
        ("kind=kind_book", "\"kind\": "), ("raw=!", "\"raw\": "), ("when=now", "\"when\": "),
        ("child=x", "\"child\": a message has no text form"),
        ("any=x", "\"any\": a message has no text form"),
        ("empty=x", "\"empty\": a message has no text form"),
        ("value=", "\"value\": expected a value"), ("value", "\"value\": expected a value"),
        ("value=x", "\"value\": expected a value"), ("value=1+2", "\"value\": expected nothing"),
        ("object=1", "\"object\": expected an object"), ("object={", "\"object\": expected"),
        ("object={\"a\":1,\"a\":2}", "\"object\": a: map key given twice"),
        ("list={}", "\"list\": expected an array"), ("value=1&value=2", "\"value\": given twice"),
        ("value=1&value.number_value=2", "\"value.number_value\": given twice"),
        ("when=2020-01-02T03:04:05Z&when.nanos=5", "\"when.nanos\": given twice"),
        ("when.nanos=5&when=2020-01-02T03:04:05Z", "\"when\": given twice"),
        ("boxedLong=1&boxed_long.value=1", "\"boxed_long.value\": given twice"),
        ("children=x", "\"children\": a message has no text form"),
        ("children.text=x", "\"children.text\": a repeated message"),
        ("labels=x", "\"labels\": write a map's entry"),
        ("labels[a=x", "\"labels[a\": ']' is missing"),
        ("text[a]=x", "\"text[a]\": only maps take"), ("parts[a]=x", "\"parts[a]\": a message"),
        ("flags[x]=1", "\"flags[x]\": expected"), ("text=a&text=b", "\"text\": given twice"),
        ("text=a&te%78t=b", "\"text\": given twice"),
        ("renamed_field=a&otherName=b", "\"otherName\": given twice"),
        ("child.text=a&child.text=b", "\"child.text\": given twice"),
        ("labels[a]=1&labels[a]=2", "\"labels[a]\": given twice"),
        ("first=a&second=1", "\"second\": first of the same oneof is set by the query"),
        ("third.text=a&first=b", "\"first\": third of the same oneof"),
        ("text=%", "\"text\": malformed %-escape"), ("te%zzt=1", "malformed %-escape"),
        ("text=%FF", "\"text\": "), ("text=%C3", "\"text\": "),
    ])
    func `a parameter that does not fit is 400 and named`(
        _ query: String, _ message: String
    ) throws {
        let answer = try bound("GET /v1/query?\(query)")
        #expect(answer.hasPrefix("400 query parameter "), "\(answer)")
        #expect(answer.contains(message), "\(answer)")
    }

    @Test(arguments: [
        ("GET /v1/query/a/1?text=b", "\"text\": the path sets this field"),
        ("GET /v1/deep/a?child.child.text=b", "\"child.child.text\": the path sets this field"),
        ("GET /v1/choice/a?second=1", "\"second\": first of the same oneof is set by the path"),
        ("POST /v1/s/things?thing.title=x", "notFound"),
        ("POST /v1/shelves/1/things?thing.title=x", "\"thing.title\": the body holds this field"),
        ("POST /v1/second?first=a", "\"first\": second of the same oneof is set by the body"),
        ("POST /v1/all?text=a", "\"text\": the body holds all other fields"),
        ("POST /v1/raw?content_type=a", "\"content_type\": the body is the whole message"),
        ("PUT /v1/raw/x?file.data=a", "\"file.data\": the body holds this field"),
    ])
    func `the path's and the body's fields are not the query's`(
        _ request: String, _ message: String
    ) throws {
        let answer = try bound(request)
        #expect(answer.contains(message), "\(answer)")
    }

    @Test func `unknown parameters can be ignored`() throws {
        let ignore = RESTOptions(unknownQuery: .ignore)
        #expect(try bound("GET /v1/query?nope=1&text=a&x.y=2", rest: ignore) == "text=\"a\"")
        #expect(try bound("POST /v1/all?nope=1&text=a", rest: ignore) == "")
        let answer = try bound("GET /v1/query/a/1?text=b", rest: ignore)
        #expect(answer.hasPrefix("400"))
    }

    @Test func `listed parameters can be ignored`() throws {
        let ignore = RESTOptions(ignoredQuery: ["key", "$.xgafv", "utm_*"])
        let query = "key=1&$.xgafv=2&utm_source=3&utm_=4&text=a"
        #expect(try bound("GET /v1/query?\(query)", rest: ignore) == "text=\"a\"")
        #expect(try bound("GET /v1/query?keys=1", rest: ignore).hasPrefix("400"))
        #expect(try bound("POST /v1/all?key=1", rest: ignore) == "")
    }

    @Test func `a query cannot set too many fields`() throws {
        let query = (0..<1100).map { "labels[\($0)]=x" }.joined(separator: "&")
        #expect(try bound("GET /v1/query?\(query)").contains("more than 1024 fields"))
        let repeated = Array(repeating: "texts=x", count: 1100).joined(separator: "&")
        #expect(!(try bound("GET /v1/query?\(repeated)").hasPrefix("400")))
        let deep = Array(repeating: "child", count: 40).joined(separator: ".")
        #expect(try bound("GET /v1/query?\(deep).text=x").contains("more than 16 names"))
    }
}

@Suite struct BodyBindingTests {
    @Test(arguments: [
        ("POST /v1/all", "{\"text\":\"a\",\"long\":\"5\"}", "text=\"a\" long=5"),
        ("POST /v1/all", "", ""), ("POST /v1/all", "{}", ""),
        // The path comes last, so that it wins.
        ("POST /v1/all/p", "{\"long\":5}", "long=5 text=\"p\""),
        ("POST /v1/all/p", "{\"text\":\"p\"}", "text=\"p\" text=\"p\""),
        ("POST /v1/all/p", "{\"text\":\"\"}", "text=\"p\""),
        ("POST /v1/all/p", "{\"text\":null}", "text=\"p\""),
        ("POST /v1/all/p", "{\"child\":{\"text\":\"q\"}}", "child{text=\"q\"} text=\"p\""),
        (
            "POST /v1/child/p", "{\"child\":{\"child\":{\"long\":1}},\"text\":\"q\"}",
            "child{child{long=1}} text=\"q\" child{child{text=\"p\"}}"
        ),
        (
            "POST /v1/child/p", "{\"child\":{\"child\":{\"text\":\"p\"}}}",
            "child{child{text=\"p\"}} child{child{text=\"p\"}}"
        ),
        ("POST /v1/choice/p", "{\"first\":\"p\"}", "first=\"p\" first=\"p\""),
        (
            "POST /v1/shelves/1/things", "{\"title\":\"t\"}",
            "thing{title=\"t\"} parent=\"shelves/1\""
        ),
        (
            "POST /v1/shelves/1/things?thing_id=x", "{\"title\":\"t\"}",
            "thing{title=\"t\"} parent=\"shelves/1\" thing_id=\"x\""
        ),
        ("POST /v1/shelves/1/things", "", "thing{} parent=\"shelves/1\""),
        (
            "PATCH /v1/shelves/1/things/2?updateMask=title", "{\"title\":\"t\"}",
            "thing{title=\"t\"} thing{name=\"shelves/1/things/2\"} update_mask{paths=\"title\"}"
        ),
        (
            "PATCH /v1/shelves/1/things/2", "{\"name\":\"shelves/1/things/2\"}",
            "thing{name=\"shelves/1/things/2\"} thing{name=\"shelves/1/things/2\"}"
        ),
        (
            "PUT /v1/shelves/1/things/2", "{\"thing\":{\"title\":\"t\"}}",
            "thing{title=\"t\"} thing{name=\"shelves/1/things/2\"}"
        ),
        ("POST /v1/texts", "[\"a\",\"b\"]", "texts=\"a\" texts=\"b\""),
        ("POST /v1/labels", "{\"a\":\"b\"}", "labels{key=\"a\" value=\"b\"}"),
        ("POST /v1/flag", "true", "flag=1"), ("POST /v1/flag", "", ""),
        ("POST /v1/flag?text=x", "true", "flag=1 text=\"x\""),
        (
            "POST /v1/shelves/1/things/2:archive", "{\"readMask\":\"a\"}",
            "read_mask{paths=\"a\"} name=\"shelves/1/things/2\""
        ),
        ("POST /v1/nobody/p", "", "text=\"p\""), ("POST /v1/nobody/p", " {\r\n } ", "text=\"p\""),
        ("DELETE /v1/all/p", "{}", "text=\"p\""), ("GET /v1/things/p", "{}", "name=\"p\""),
    ])
    func `body, query and path make one message`(
        _ request: String, _ body: String, _ expected: String
    ) throws {
        #expect(try bound(request, body: body) == expected)
    }

    @Test(arguments: [
        ("POST /v1/all/p", "{\"text\":\"q\"}", "400 text: the body's value differs"),
        ("POST /v1/all/p/5/1/true/2020-01-02T03:04:05Z", "{\"long\":\"6\"}", "400 long: "),
        // Equal in the low 32 bits only: the collision that Envoy's library misjudges.
        ("POST /v1/all/p/4294967297/1/true/2020-01-02T03:04:05Z", "{\"long\":\"1\"}", "400 long: "),
        ("POST /v1/all/p/5/1/false/2020-01-02T03:04:05Z", "{\"flag\":true}", "400 flag: "),
        ("POST /v1/all/p/5/1/true/2020-01-02T03:04:05Z", "{\"kind\":\"KIND_FILM\"}", "400 kind: "),
        (
            "POST /v1/all/p/5/1/true/2020-01-02T03:04:05Z", "{\"when\":\"2020-01-02T03:04:06Z\"}",
            "400 when: "
        ),
        ("POST /v1/child/p", "{\"child\":{\"child\":{\"text\":\"q\"}}}", "400 child.child.text: "),
        (
            "POST /v1/choice/p", "{\"second\":1}",
            "400 first is set by the path; the body sets second of the same oneof"
        ),
        ("PATCH /v1/shelves/1/things/2", "{\"name\":\"shelves/1/things/3\"}", "400 thing.name: "),
        ("PUT /v1/shelves/1/things/2", "{\"thing\":{\"name\":\"x\"}}", "400 thing.name: "),
        ("POST /v1/nobody/p", "{\"text\":\"p\"}", "400 this route takes no body"),
        ("POST /v1/nobody/p", "{", "400 this route takes no body"),
        ("DELETE /v1/all/p", "x", "400 this route takes no body"),
        ("POST /v1/all", "[]", "400 "), ("POST /v1/all", "{\"long\":\"x\"}", "400 long: "),
        ("POST /v1/shelves/1/things", "{\"pages\":true}", "400 "), ("POST /v1/flag", "1", "400 "),
    ])
    func `a body that contradicts or does not fit is 400`(
        _ request: String, _ body: String, _ message: String
    ) throws {
        let answer = try bound(request, body: body)
        #expect(answer.hasPrefix(message), "\(answer)")
    }

    @Test func `equal values of every kind do not contradict`() throws {
        let body = """
            {"text":"p","long":"5","kind":"KIND_BOOK","flag":true,"when":"2020-01-02T03:04:05Z"}
            """
        let answer = try bound(
            "POST /v1/all/p/5/1/1/2020-01-02T03:04:05.000Z", body: body)
        #expect(!answer.hasPrefix("400"), "\(answer)")
    }

    @Test(arguments: [
        ("application/json", true), ("application/json; charset=utf-8", true), ("", true),
        ("APPLICATION/JSON ;x", true), ("application/merge-patch+json", true),
        ("text/json", true), ("text/plain", false), ("application/x-www-form-urlencoded", false),
        ("application/jsonp", false), ("+json", false),
    ])
    func `a JSON body has a JSON content type`(_ contentType: String, _ accepted: Bool) throws {
        let answer = try bound("POST /v1/all", body: "{}", contentType: contentType)
        #expect(accepted ? answer == "" : answer.hasPrefix("415 "), "\(answer)")
        let unchecked = RESTOptions(checksContentType: false)
        #expect(
            try bound("POST /v1/all", body: "{}", contentType: contentType, rest: unchecked) == "")
    }

    @Test(arguments: [
        ("POST /v1/raw", "image/png", "x", "content_type=\"image/png\" data=[120]"),
        ("POST /v1/raw", "", "{", "data=[123]"), ("POST /v1/raw", "", "", ""),
        (
            "PUT /v1/raw/a/b?overwrite", "text/plain", "hi",
            "file{content_type=\"text/plain\" data=[104, 105]} name=\"a/b\" overwrite=1"
        ),
        ("PUT /v1/raw/a", "", "", "file{} name=\"a\""),
    ])
    func `an HttpBody takes the raw entity`(
        _ request: String, _ contentType: String, _ body: String, _ expected: String
    ) throws {
        #expect(try bound(request, body: body, contentType: contentType) == expected)
    }

    @Test(arguments: [0, 1, 127, 128, 300, 16_383, 16_384, 100_000])
    func `a raw entity of any size has its length`(_ count: Int) throws {
        let body = String(repeating: "x", count: count)
        let data = count == 0 ? "" : " data=\(Array(body.utf8))"
        #expect(
            try bound("PUT /v1/raw/a", body: body, contentType: "a/b")
                == "file{content_type=\"a/b\"\(data)} name=\"a\"")
    }

    @Test(arguments: [1, 100, 120, 124, 126, 127, 128, 200, 16_400])
    func `a nested value of any size has its length`(_ count: Int) throws {
        let text = String(repeating: "x", count: count)
        #expect(try bound("GET /v1/deep/\(text)") == "child{child{text=\"\(text)\"}}")
        #expect(
            try bound("GET /v1/query?child.labels[k]=\(text)")
                == "child{labels{key=\"k\" value=\"\(text)\"}}")
    }

    @Test(arguments: [1, 120, 125, 126, 127, 128, 200, 300, 16_384])
    func `a nested message in the body has its length`(_ count: Int) throws {
        let text = String(repeating: "x", count: count)
        #expect(
            try bound("POST /v1/shelves/1/things", body: "{\"title\":\"\(text)\"}")
                == "thing{title=\"\(text)\"} parent=\"shelves/1\"")
    }
}
