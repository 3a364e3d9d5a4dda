import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

@Suite struct DemoBookRulesTests {
    private static let seed = DemoLibrary.seeded()

    private static func book(_ name: String) throws -> Demo.Book { try seed.book(named: name) }

    /// Every field of a book but its name and its time of update, and how to tell that it was replaced.
    private static let fields: [(String, @Sendable (Demo.Book) -> String)] = [
        ("title", { $0.title }), ("authors", { "\($0.authors)" }), ("isbn", { "\($0.isbn)" }),
        ("format", { "\($0.format)" }), ("page_count", { "\($0.pageCount)" }),
        ("publish_time", { "\(String(describing: $0.publishTime))" }),
        ("reading_time", { "\(String(describing: $0.readingTime))" }), ("price", { "\($0.price)" }),
        ("rating", { "\(String(describing: $0.rating))" }),
        ("subtitle", { "\(String(describing: $0.subtitle))" }),
        ("labels", { "\($0.labels.sorted { $0.key < $1.key })" }), ("cover", { "\($0.cover)" }),
        ("chapters", { "\($0.chapters)" }),
        ("recommended", { "\(String(describing: $0.recommended))" }),
    ]

    @Test(arguments: fields.map(\.0))
    func `a mask replaces the field it names and no other`(path: String) throws {
        let present = try DemoBookRulesTests.book("shelves/classics/books/moby-dick")
        var book = present
        try book.replaceFields([path], by: Demo.Book())
        for (name, text) in DemoBookRulesTests.fields {
            #expect((text(book) != text(present)) == (name == path), "\(name)")
        }
        #expect(book.name == present.name && book.availability == present.availability)
        try book.replaceFields([path], by: present)
        #expect(book == present)
    }

    @Test(arguments: [[], ["*"]])
    func `without a mask everything but name and update time is replaced`(paths: [String]) throws {
        let present = try DemoBookRulesTests.book("shelves/classics/books/moby-dick")
        var patch = try DemoBookRulesTests.book("shelves/science/books/micrographia")
        patch.updateTime = nil
        var book = present
        try book.replaceFields(paths, by: patch)
        patch.name = present.name
        patch.updateTime = present.updateTime
        #expect(book == patch)
    }

    @Test(arguments: ["", "bogus", "title.x", "pageCount", "loan.x", "books"])
    func `a mask that names no field is an invalid argument with details`(path: String) throws {
        var book = Demo.Book()
        do {
            try book.replaceFields(["title", path], by: Demo.Book())
            Issue.record("not refused")
        } catch {
            #expect(error.code == .invalidArgument && !error.details.isEmpty)
        }
    }

    @Test(
        arguments: [
            ("copies", .copies(3), .copies(5), .copies(5)), ("copies", .url("u"), nil, .url("u")),
            ("copies", .copies(3), .url("u"), nil), ("url", nil, .url("u"), .url("u")),
            ("url", .copies(3), .url("u"), .url("u")), ("url", .url("u"), nil, nil),
        ] as [(String, Demo.Book.Availability?, Demo.Book.Availability?, Demo.Book.Availability?)])
    func `a mask sets and clears the members of the oneof`(
        path: String, present: Demo.Book.Availability?, given: Demo.Book.Availability?,
        expected: Demo.Book.Availability?
    ) throws {
        var book = Demo.Book()
        book.availability = present
        var patch = Demo.Book()
        patch.availability = given
        try book.replaceFields([path], by: patch)
        #expect(book.availability == expected)
    }

    @Test func `a mask reaches into the loan`() throws {
        var book = try DemoBookRulesTests.book("shelves/classics/books/pride-and-prejudice")
        guard case .loan(let present) = book.availability else {
            Issue.record("the seed has changed")
            return
        }
        var patch = Demo.Book()
        patch.availability = .loan(Demo.Loan(reader: "Mary Bennet"))
        try book.replaceFields(["loan.reader"], by: patch)
        #expect(
            book.availability == .loan(Demo.Loan(reader: "Mary Bennet", dueTime: present.dueTime)))
        try book.replaceFields(["loan.due_time"], by: patch)
        #expect(book.availability == .loan(Demo.Loan(reader: "Mary Bennet")))
    }

    @Test func `every seeded book survives the wire`() throws {
        for book in try DemoBookRulesTests.seed.listBooks(.init(pageSize: 100)).books {
            var output = OutputBlock()
            book.encode(into: &output)
            #expect(try Demo.Book(decoding: output.bytes) == book)
        }
    }

    @Test func `unknown fields are skipped and messages that come twice merge`() throws {
        var output = OutputBlock()
        output.appendField(999, string: "later")
        output.appendField(17) { (output: inout OutputBlock) in output.appendField(1, string: "A") }
        output.appendField(17) { (output: inout OutputBlock) in
            output.appendField(2) { (output: inout OutputBlock) in output.appendField(1, int64: 5) }
        }
        output.appendField(2, string: "T")
        let book = try Demo.Book(decoding: output.bytes)
        #expect(book.title == "T")
        #expect(book.availability == .loan(Demo.Loan(reader: "A", dueTime: .init(seconds: 5))))
    }
}
