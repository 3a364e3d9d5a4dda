import ProtoRuntime
import Testing

@testable import Transcode

extension Fields {
    /// "name=value name=value"
    var text: String {
        (0..<count).map {
            "\(String(copying: name(at: $0)))=\(String(copying: value(at: $0)))"
        }.joined(separator: " ")
    }

    mutating func append(_ pairs: [(String, String)]) {
        for (name, value) in pairs {
            append(name: name.utf8Span.span, value: value.utf8Span.span)
        }
    }
}

@Suite struct FieldsTests {
    @Test func `fields stand in the order received, repeated ones too`() {
        var fields = Fields()
        #expect(fields.text == "")
        fields.append([("x-a", "1"), ("content-type", "a/b"), ("x-a", ""), ("x-a", "2")])
        #expect(fields.text == "x-a=1 content-type=a/b x-a= x-a=2")
        #expect(fields.count == 4)
        let known = (0..<4).map { fields.known(at: $0) }
        #expect(known == [.other, .contentType, .other, .other])
    }

    @Test func `names are lowered when asked for, and only their ASCII letters`() {
        var fields = Fields()
        fields.append(loweringName: "CONTENT-Type".utf8Span.span, value: "A/B".utf8Span.span)
        fields.append(loweringName: "X-@[`{É".utf8Span.span, value: "".utf8Span.span)
        #expect(fields.text == "content-type=A/B x-@[`{É=")
        let first = fields.known(at: 0)
        #expect(first == .contentType)
    }

    @Test func `a name is found where it first stands`() {
        var fields = Fields()
        fields.append([("x", "te"), ("te", "trailers"), ("te", "gzip"), ("te-", "x")])
        let first = fields.firstIndex(of: .te)
        let absent = fields.firstIndex(of: .host)
        #expect(first == 1)
        #expect(absent == nil)
        let counts = [fields.count(of: .te), fields.count(of: .host)]
        #expect(counts == [2, 0])
    }

    @Test func `has compares the first value exactly`() {
        var fields = Fields()
        fields.append([("te", "trailers"), ("te", "gzip")])
        let found = [
            fields.has(.te, value: "trailers"), fields.has(.te, value: "gzip"),
            fields.has(.te, value: "Trailers"), fields.has(.te, value: "trailer"),
            fields.has(.host, value: ""),
        ]
        #expect(found == [true, false, false, false, false])
    }

    @Test func `every way to append gives name and value`() {
        var fields = Fields()
        fields.append(.grpcStatus, "0")
        fields.append(.grpcMessage, "m".utf8Span.span)
        fields.append("x-static", "s")
        fields.append("x-string", text: "dynamic" as String)
        fields.append("host", "h".utf8Span.span)
        fields.append(prefix: "trailer-", name: "te".utf8Span.span, value: "v".utf8Span.span)
        fields.append(prefix: "", name: "date".utf8Span.span, value: "".utf8Span.span)
        fields.append(.grpcTimeout) { $0.append("1S") }
        #expect(
            fields.text
                == "grpc-status=0 grpc-message=m x-static=s x-string=dynamic host=h trailer-te=v date= grpc-timeout=1S"
        )
        let known = (0..<fields.count).map { fields.known(at: $0) }
        #expect(
            known == [
                .grpcStatus, .grpcMessage, .other, .other, .host, .other, .date, .grpcTimeout,
            ])
        var copy = Fields()
        copy.append("x", "y")
        copy.append(contentsOf: fields)
        #expect(copy.text == "x=y \(fields.text)")
        let last = copy.known(at: copy.count - 1)
        #expect(last == .grpcTimeout)
    }

    @Test func `the size is HTTP 2's`() {
        var fields = Fields()
        #expect(fields.size == 0)
        fields.append([("abc", "de"), ("f", "")])
        #expect(fields.size == 5 + 32 + 1 + 32)
        fields.removeAll()
        #expect(fields.size == 0)
        #expect(fields.text == "")
        fields.append([("new", "field")])
        #expect(fields.text == "new=field")
    }

    @Test(arguments: [
        ("a", "a", true), ("A", "a", true), ("a,b", "b", true), (" \tx , B\t,c", "b", true),
        ("ab", "a", false),
        ("a b", "a", false), ("", "a", false), (",,a", "a", true), ("a;q=1", "a", false),
        ("b,", "a", false),
    ])
    func `a list names an item whatever its case and space`(
        list: String, item: String, isNamed: Bool
    ) {
        let found = list.utf8Span.span.listContains(item.utf8Span.span)
        #expect(found == isNamed)
    }

    @Test func `bytes are compared with literals exactly`() {
        let bytes = "grpc-web".utf8Span.span
        let equal = [
            bytes.isEqual(to: "grpc-web"), bytes.isEqual(to: "grpc-wex"),
            bytes.isEqual(to: "grpc-we"), bytes.isEqual(to: "grpc-webx"),
        ]
        #expect(equal == [true, false, false, false])
        let prefixed = [
            bytes.hasPrefix("grpc"), bytes.hasPrefix(""), bytes.hasPrefix("grpc-webx"),
            bytes.hasPrefix("rpc"),
        ]
        #expect(prefixed == [true, true, false, false])
    }
}
