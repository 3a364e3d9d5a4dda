import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct RequestHeadTests {
    @Test(arguments: [
        ("/", "/", ""), ("/a?b", "/a", "b"), ("/a?", "/a", ""), ("/a?b?c", "/a", "b?c"),
        ("/a%3Fb?c", "/a%3Fb", "c"),
        ("*", "*", ""), ("", "", ""), ("?", "", ""), ("?q", "", "q"), ("/é?ü", "/é", "ü"),
    ])
    func `a target is a path and, behind the first question mark, a query`(
        target: String, path: String, query: String
    ) {
        var head = RequestHead()
        head.setMethod("GET".utf8Span.span)
        head.setTarget(target.utf8Span.span)
        head.setAuthority("a:80".utf8Span.span)
        #expect(String(copying: head.target) == target)
        #expect(String(copying: head.path) == path)
        #expect(String(copying: head.query) == query)
        #expect(String(copying: head.method) == "GET")
        #expect(String(copying: head.authority) == "a:80")
    }

    @Test func `the order of setting does not matter`() {
        var head = RequestHead()
        head.setAuthority("host".utf8Span.span)
        head.setTarget("/p?q".utf8Span.span)
        head.setMethod("PATCH".utf8Span.span)
        #expect(String(copying: head.path) == "/p")
        #expect(String(copying: head.query) == "q")
        #expect(String(copying: head.method) == "PATCH")
        #expect(String(copying: head.authority) == "host")
    }

    @Test func `a method is compared whole and by its case`() {
        var head = RequestHead()
        head.setMethod("GET".utf8Span.span)
        let answers = [
            head.isMethod("GET"), head.isMethod("get"), head.isMethod("GE"), head.isMethod("GETS"),
        ]
        #expect(answers == [true, false, false, false])
    }

    @Test func `the authority may stand in a field`() {
        var head = RequestHead()
        head.fields.append([("x", "y"), ("host", "there")])
        #expect(String(copying: head.authority) == "")
        head.setAuthority(fromFieldAt: 1)
        #expect(String(copying: head.authority) == "there")
    }

    @Test func `an emptied head is as new`() {
        var head = RequestHead()
        head.version = .http10
        head.setMethod("GET".utf8Span.span)
        head.setTarget("/a?b".utf8Span.span)
        head.fields.append([("host", "there")])
        head.setAuthority(fromFieldAt: 0)
        head.removeAll()
        #expect(head.version == .http11)
        #expect(String(copying: head.method) == "")
        #expect(String(copying: head.target) == "")
        #expect(String(copying: head.path) == "")
        #expect(String(copying: head.query) == "")
        #expect(String(copying: head.authority) == "")
        #expect(head.fields.text == "")
    }

    @Test func `an emptied response head is 200 without fields`() {
        var head = ResponseHead()
        head.status = 404
        head.fields.append([("a", "b")])
        head.removeAll()
        #expect(head.status == 200)
        #expect(head.fields.text == "")
    }
}
