import Testing

@testable import Transcode

@Suite struct PathTemplateTests {
    @Test(arguments: [
        ("/", "/", ""), ("/v1/books", "/v1/books", ""), ("/v1/*", "/v1/*", ""),
        ("/v1/**", "/v1/**", ""), ("/v1/{id}", "/v1/*", "id[1..<2]"),
        ("/v1/{name=shelves/*/books/*}", "/v1/shelves/*/books/*", "name[1..<5]m"),
        ("/v1/{name=**}", "/v1/**", "name[1..<2]m"), ("/{a.b_c.D1=x}", "/x", "a.b_c.D1[0..<1]"),
        ("/v1/{name=shelves/*}:archive", "/v1/shelves/*:archive", "name[1..<3]m"),
        ("/v1/{a}/{b=*}:x", "/v1/*/*:x", "a[1..<2] b[2..<3]"), ("/v1/books:x", "/v1/books:x", ""),
        ("/v1/{id}:a:b", "/v1/*:a:b", "id[1..<2]"), ("/v1/*:a:b", "/v1/*:a:b", ""),
        ("/v1/urn:a:b", "/v1/urn:a:b", ""), ("/a:b/c", "/a:b/c", ""),
        ("/a/**/b/c", "/a/**/b/c", ""),
        ("/{p=**}/end", "/**/end", "p[0..<1]m"), ("/a/{p=b/**/c}", "/a/b/**/c", "p[1..<4]m"),
        ("/v1/a%41%2fb", "/v1/aA%2Fb", ""), ("/a;b=c,d@e!$&'()+~", "/a;b=c,d@e!$&'()+~", ""),
        ("/v1/%7Euser:%6Fk", "/v1/~user:ok", ""),
    ])
    func `a good template has its shape and variables`(
        _ text: String, _ shape: String, _ variables: String
    ) throws {
        let template = try PathTemplate(text)
        #expect(template.shape == shape)
        let described = template.variables.map {
            "\($0.fieldPath.joined(separator: "."))[\($0.segments)]\($0.isMultiSegment ? "m" : "")"
        }
        #expect(described.joined(separator: " ") == variables)
    }

    @Test func `the verb is the last colon of a literal and the first after a wildcard`() throws {
        #expect(try PathTemplate("/v1/urn:a:b").verb == Array("b".utf8))
        #expect(try PathTemplate("/v1/{x}:a:b").verb == Array("a:b".utf8))
        #expect(try PathTemplate("/v1/**:a:b").verb == Array("a:b".utf8))
        #expect(try PathTemplate("/v1/a:b/c").verb == nil)
    }

    @Test(arguments: [
        ("", 1, "begins with '/'"), ("v1", 1, "begins with '/'"), ("//", 2, "empty segment"),
        ("/a//b", 4, "empty segment"), ("/a/", 4, "a segment is missing"),
        ("/a/:b", 4, "empty segment"), ("/a:", 3, "verb is missing"),
        ("/{x}:", 5, "verb is missing"), ("/a:b/c:", 7, "verb is missing"),
        ("/{x}:a/b", 7, "not allowed in a verb"), ("/{", 3, "field name"), ("/{}", 3, "field name"),
        ("/{1a}", 3, "field name"), ("/{a.}", 5, "field name is expected after '.'"),
        ("/{a..b}", 5, "field name"), ("/{a", 2, "never closed"), ("/{a=b", 2, "never closed"),
        ("/{a=}", 5, "empty segment"), ("/{a=b/}", 7, "empty segment"),
        ("/{a={b}}", 5, "variable within a variable"), ("/x{a}", 3, "whole segment"),
        ("/{a}x", 5, "not expected after a segment"), ("/{a}{b}", 5, "whole segment"),
        ("/{a=b{c}}", 6, "whole segment"), ("/a}", 3, "closes nothing"),
        ("/{a}}", 5, "closes nothing"), ("/a*", 3, "whole segment"), ("/*a", 2, "whole segment"),
        ("/***", 2, "whole segment"), ("/**/**", 5, "'**' twice"),
        ("/**/*", 5, "only literals may follow"), ("/**/{a}", 5, "only literals may follow"),
        ("/{a=**/*}", 8, "only literals may follow"), ("/{a}/{a}", 7, "two variables bind a"),
        ("/a b", 3, "' ' is not allowed"), ("/a?b", 3, "'?' is not allowed"),
        ("/é", 2, "printable ASCII"), ("/a%4", 3, "hexadecimal"), ("/a%zz", 3, "hexadecimal"),
        ("/%00", 2, "%00"), ("/{a-b}", 4, "not expected after a variable's pattern"),
    ])
    func `a bad template says what and where`(_ text: String, _ column: Int, _ message: String) {
        #expect {
            try PathTemplate(text)
        } throws: { error in
            guard let error = error as? PathTemplateError else { return false }
            if error.column != column || !error.message.contains(message) {
                Issue.record("\(text): \(error)")
            }
            return true
        }
    }

    @Test func `segments and variables are limited`() {
        #expect(throws: PathTemplateError.self) {
            try PathTemplate(String(repeating: "/a", count: 33))
        }
        #expect(throws: Never.self) { try PathTemplate(String(repeating: "/a", count: 32)) }
        let variables = (0..<17).map { "/{a\($0)}" }.joined()
        #expect(throws: PathTemplateError.self) { try PathTemplate(variables) }
    }
}
