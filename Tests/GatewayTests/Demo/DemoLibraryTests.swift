import Testing
import Transcode

@testable import Gateway

@Suite struct DemoLibraryTests {
    private let now = Demo.Timestamp(seconds: 1000)

    // MARK: Shelves

    @Test func `shelves come in the order of their names with the number of their books`() throws {
        let shelves = try DemoLibrary.seeded().listShelves(Demo.ListShelvesRequest()).shelves
        #expect(shelves.map(\.name) == shelves.map(\.name).sorted())
        #expect(
            shelves.map(\.name) == [
                "shelves/classics", "shelves/science", "shelves/science-fiction",
            ])
        #expect(shelves.map(\.bookCount) == [3, 2, 3])
    }

    @Test func `pages of shelves follow one another without gap or repetition`() throws {
        let library = DemoLibrary.seeded()
        var names: [String] = []
        var request = Demo.ListShelvesRequest(pageSize: 2)
        repeat {
            let page = try library.listShelves(request)
            #expect(page.shelves.count <= 2)
            names += page.shelves.map(\.name)
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        #expect(names.count == 3 && names == names.sorted())
    }

    @Test func `a shelf's identifier is taken from its theme unless it is given`() throws {
        var library = DemoLibrary()
        var shelf = Demo.Shelf()
        shelf.theme = "Sea & Sail"
        shelf.bookCount = 77
        #expect(try library.createShelf(.init(shelf: shelf)).name == "shelves/sea-sail")
        #expect(try library.createShelf(.init(shelf: shelf)).name == "shelves/sea-sail-2")
        let given = try library.createShelf(.init(shelf: shelf, shelfID: "sea"))
        #expect(given.name == "shelves/sea" && given.bookCount == 0)
        #expect(
            code { _ = try library.createShelf(.init(shelf: shelf, shelfID: "sea")) }
                == .alreadyExists)
        #expect(code { _ = try library.createShelf(.init()) } == .invalidArgument)
    }

    // MARK: Lists of books

    @Test(arguments: [1, 2, 3, 7, 8, 100] as [Int32])
    func `pages of books follow one another and each tells the size of the whole`(size: Int32)
        throws
    {
        let library = DemoLibrary.seeded()
        var names: [String] = []
        var request = Demo.ListBooksRequest(pageSize: size)
        repeat {
            let page = try library.listBooks(request)
            #expect(page.totalSize == 8)
            #expect(!page.books.isEmpty && page.books.count <= Int(size))
            names += page.books.map(\.name)
            request.pageToken = page.nextPageToken
        } while !request.pageToken.isEmpty
        #expect(names.count == 8 && names == names.sorted())
    }

    @Test func `a page token stays right when its book is deleted`() throws {
        var library = DemoLibrary.seeded()
        let first = try library.listBooks(Demo.ListBooksRequest(pageSize: 2))
        try library.deleteBook(named: first.books[1].name)
        let second = try library.listBooks(
            Demo.ListBooksRequest(pageSize: 100, pageToken: first.nextPageToken))
        #expect(second.books.count == 6 && second.nextPageToken.isEmpty)
    }

    @Test func `a page ends before it has too many bytes, but holds one book`() throws {
        var library = DemoLibrary()
        _ = try library.createShelf(shelf("s"))
        for id in ["a", "b", "c"] {
            var book = Demo.Book()
            book.title = id
            book.cover = [UInt8](repeating: 1, count: 600 << 10)
            let request = Demo.CreateBookRequest(parent: "shelves/s", book: book, bookID: id)
            _ = try library.createBook(request, now: now)
        }
        let page = try library.listBooks(Demo.ListBooksRequest())
        #expect(page.books.map(\.title) == ["a"] && page.totalSize == 3)
        let next = try library.listBooks(Demo.ListBooksRequest(pageToken: page.nextPageToken))
        #expect(next.books.map(\.title) == ["b"] && !next.nextPageToken.isEmpty)
    }

    @Test(
        arguments: [
            (-1, "", StatusCode.invalidArgument), (0, "bogus", .invalidArgument), (101, "", nil),
            (Int32.max, "", nil), (0, "after:shelves/zzz", nil),
        ] as [(Int32, String, StatusCode?)])
    func `page sizes and tokens are checked`(size: Int32, token: String, expected: StatusCode?) {
        let library = DemoLibrary.seeded()
        #expect(
            code { _ = try library.listBooks(.init(pageSize: size, pageToken: token)) } == expected)
        #expect(
            code { _ = try library.listShelves(.init(pageSize: size, pageToken: token)) }
                == expected)
    }

    @Test func `the books of one shelf are not those of a shelf whose name goes on`() throws {
        let books = try DemoLibrary.seeded().listBooks(.init(parent: "shelves/science"))
        #expect(books.totalSize == 2 && books.books.map(\.title).contains("Micrographia"))
        #expect(
            code { _ = try DemoLibrary.seeded().listBooks(.init(parent: "shelves/none")) }
                == .notFound)
    }

    @Test(
        arguments: [
            (.init(author: "VERNE"), ["Twenty Thousand Leagues under the Seas"]),
            (.init(author: "wells"), ["The Time Machine"]),
            (.init(format: .hardcover, minPages: 490), ["Twenty Thousand Leagues under the Seas"]),
            (.init(minPages: 577), ["Moby-Dick"]),
            (.init(publishedAfter: .init(seconds: -2_355_868_801)), ["The Time Machine"]),
            (.init(publishedAfter: .init(seconds: -2_355_868_800)), []),
            (.init(titles: ["Frankenstein", "Moby-Dick"]), ["Moby-Dick", "Frankenstein"]),
            (.init(author: "verne", format: .ebook), []),
        ] as [(Demo.ListBooksRequest.Filter, [String])])
    func `a filter lets pass what is all that it asks for`(
        filter: Demo.ListBooksRequest.Filter, titles: [String]
    ) throws {
        let page = try DemoLibrary.seeded().listBooks(.init(filter: filter))
        #expect(page.books.map(\.title) == titles)
        #expect(page.totalSize == Int32(titles.count))
    }

    // MARK: Books

    @Test func `a book needs a title, a shelf and a name that is free`() throws {
        var library = DemoLibrary.seeded()
        var book = Demo.Book()
        let classics = "shelves/classics"
        #expect(
            code { _ = try library.createBook(.init(parent: classics, book: book), now: now) }
                == .invalidArgument)
        book.title = "Moby-Dick"
        #expect(
            code { _ = try library.createBook(.init(parent: "shelves/x", book: book), now: now) }
                == .notFound)
        let taken = Demo.CreateBookRequest(parent: classics, book: book, bookID: "moby-dick")
        #expect(code { _ = try library.createBook(taken, now: now) } == .alreadyExists)
        let made = try library.createBook(.init(parent: classics, book: book), now: now)
        #expect(made.name == "shelves/classics/books/moby-dick-2" && made.updateTime == now)
        #expect(try library.book(named: made.name) == made)
        try library.deleteBook(named: made.name)
        #expect(code { _ = try library.book(named: made.name) } == .notFound)
        #expect(code { try library.deleteBook(named: made.name) } == .notFound)
    }

    @Test func `a moved book has a new name and no old one`() throws {
        var library = DemoLibrary.seeded()
        let old = "shelves/classics/books/moby-dick"
        let moved = try library.moveBook(.init(name: old, shelf: "shelves/science"), now: now)
        #expect(moved.name == "shelves/science/books/moby-dick" && moved.updateTime == now)
        #expect(code { _ = try library.book(named: old) } == .notFound)
        #expect(try library.shelf(named: "shelves/science").bookCount == 3)
        #expect(
            try library.moveBook(.init(name: moved.name, shelf: "shelves/science"), now: now)
                == moved)
        #expect(
            code { _ = try library.moveBook(.init(name: moved.name, shelf: "shelves/x"), now: now) }
                == .notFound)
    }

    @Test func `what is stored has a limit`() throws {
        var library = DemoLibrary()
        _ = try library.createShelf(shelf("s"))
        var book = Demo.Book()
        book.title = "heavy"
        book.cover = [UInt8](repeating: 1, count: 8 << 20)
        var made: StatusCode?
        var count = 0
        while made == nil, count < 100 {
            count += 1
            made = code {
                _ = try library.createBook(.init(parent: "shelves/s", book: book), now: now)
            }
        }
        #expect(made == .resourceExhausted && count == 8)
        try library.deleteBook(named: "shelves/s/books/heavy")
        #expect(
            code { _ = try library.createBook(.init(parent: "shelves/s", book: book), now: now) }
                == nil)
    }

    private func shelf(_ id: String) -> Demo.CreateShelfRequest {
        var shelf = Demo.Shelf()
        shelf.theme = id
        return Demo.CreateShelfRequest(shelf: shelf, shelfID: id)
    }

    /// The code of what `body` throws; nil when it throws nothing.
    private func code(_ body: () throws -> Void) -> StatusCode? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Status)?.code ?? .unknown
        }
    }
}
