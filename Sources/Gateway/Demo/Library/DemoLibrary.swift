import ProtoRuntime
import Transcode

/// The library's shelves and books, in memory, in the order of their names. Pure: the caller brings the time.
struct DemoLibrary {
    static let shelvesMax = 1000
    static let booksMax = 10_000
    /// Encoded bytes of all books together.
    static let storedBytesMax = 64 << 20

    private struct Entry {
        var book: Demo.Book
        /// Bytes of the encoded book.
        let size: Int
    }

    private var shelves: [Demo.Shelf] = []
    private var books: [Entry] = []
    private var storedBytes = 0

    // MARK: Shelves

    func shelf(named name: String) throws(Status) -> Demo.Shelf {
        let position = shelfPosition(name)
        guard position < shelves.count, shelves[position].name == name else {
            throw .notFound("shelf", name)
        }
        return counted(shelves[position])
    }

    func listShelves(_ request: Demo.ListShelvesRequest) throws(Status) -> Demo.ListShelvesResponse
    {
        let size = try DemoPage.size(request.pageSize)
        var response = Demo.ListShelvesResponse()
        let first = try DemoPage.decode(request.pageToken).map(shelfPosition(after:)) ?? 0
        let last = min(first + size, shelves.count)
        response.shelves = shelves[first..<last].map(counted)
        if last < shelves.count {
            response.nextPageToken = DemoPage.encode(shelves[last - 1].name)
        }
        return response
    }

    mutating func createShelf(_ request: Demo.CreateShelfRequest) throws(Status) -> Demo.Shelf {
        var shelf = request.shelf ?? Demo.Shelf()
        guard !shelf.theme.isEmpty else { throw .invalid("shelf.theme", "must not be empty") }
        let id = try DemoName.chosen(request.shelfID, field: "shelf_id", from: shelf.theme) { id in
            hasShelf("shelves/\(id)")
        }
        shelf.name = "shelves/\(id)"
        shelf.bookCount = 0
        guard !hasShelf(shelf.name) else { throw .alreadyExists("shelf", shelf.name) }
        guard shelves.count < DemoLibrary.shelvesMax else {
            throw Status(.resourceExhausted, "there are \(DemoLibrary.shelvesMax) shelves already")
        }
        shelves.insert(shelf, at: shelfPosition(shelf.name))
        return shelf
    }

    // MARK: Books

    func book(named name: String) throws(Status) -> Demo.Book {
        books[try position(ofBook: name)].book
    }

    func listBooks(_ request: Demo.ListBooksRequest) throws(Status) -> Demo.ListBooksResponse {
        let size = try DemoPage.size(request.pageSize)
        if !request.parent.isEmpty { _ = try shelf(named: request.parent) }
        let start = try DemoPage.decode(request.pageToken)
        var response = Demo.ListBooksResponse()
        var bytes = 0
        for entry in books {
            guard request.parent.isEmpty || entry.book.name.hasPrefix("\(request.parent)/books/"),
                request.filter?.matches(entry.book) ?? true
            else { continue }
            response.totalSize += 1
            if let start, entry.book.name <= start { continue }
            guard response.nextPageToken.isEmpty else { continue }
            let isFull = response.books.count == size || bytes + entry.size > DemoPage.bytesMax
            if isFull, let last = response.books.last {
                response.nextPageToken = DemoPage.encode(last.name)
                continue
            }
            response.books.append(entry.book)
            bytes += entry.size
        }
        return response
    }

    mutating func createBook(
        _ request: Demo.CreateBookRequest, now: Demo.Timestamp
    ) throws(Status) -> Demo.Book {
        _ = try shelf(named: request.parent)
        var book = request.book ?? Demo.Book()
        guard !book.title.isEmpty else { throw .invalid("book.title", "must not be empty") }
        let id = try DemoName.chosen(request.bookID, field: "book_id", from: book.title) { id in
            hasBook("\(request.parent)/books/\(id)")
        }
        book.name = "\(request.parent)/books/\(id)"
        book.updateTime = now
        try insert(book)
        return book
    }

    mutating func updateBook(
        _ request: Demo.UpdateBookRequest, now: Demo.Timestamp
    ) throws(Status) -> Demo.Book {
        let patch = request.book ?? Demo.Book()
        let position = try position(ofBook: patch.name)
        let present = books[position]
        var book = present.book
        try book.replaceFields(request.updateMask?.paths ?? [], by: patch)
        guard !book.title.isEmpty else { throw .invalid("book.title", "must not be empty") }
        book.updateTime = now
        let entry = Entry(book: book, size: DemoLibrary.size(of: book))
        try checkRoom(entry.size - present.size)
        storedBytes += entry.size - present.size
        books[position] = entry
        return book
    }

    mutating func deleteBook(named name: String) throws(Status) {
        let position = try position(ofBook: name)
        storedBytes -= books[position].size
        books.remove(at: position)
    }

    mutating func moveBook(
        _ request: Demo.MoveBookRequest, now: Demo.Timestamp
    ) throws(Status) -> Demo.Book {
        var book = try book(named: request.name)
        _ = try shelf(named: request.shelf)
        let id = request.name.split(separator: "/").last ?? ""
        let name = "\(request.shelf)/books/\(id)"
        guard name != request.name else { return book }
        guard !hasBook(name) else { throw .alreadyExists("book", name) }
        try deleteBook(named: request.name)
        book.name = name
        book.updateTime = now
        try insert(book)
        return book
    }

    // MARK: Private

    private mutating func insert(_ book: Demo.Book) throws(Status) {
        let position = bookPosition(book.name)
        guard !hasBook(book.name) else { throw .alreadyExists("book", book.name) }
        guard books.count < DemoLibrary.booksMax else {
            throw Status(.resourceExhausted, "there are \(DemoLibrary.booksMax) books already")
        }
        let size = DemoLibrary.size(of: book)
        try checkRoom(size)
        storedBytes += size
        books.insert(Entry(book: book, size: size), at: position)
    }

    private func checkRoom(_ growth: Int) throws(Status) {
        guard growth <= DemoLibrary.storedBytesMax - storedBytes else {
            throw Status(.resourceExhausted, "the library is full")
        }
    }

    private static func size(of book: Demo.Book) -> Int {
        var output = OutputBlock()
        book.encode(into: &output)
        return output.count
    }

    /// The shelf with the number of its books.
    private func counted(_ shelf: Demo.Shelf) -> Demo.Shelf {
        var shelf = shelf
        // "0" follows "/": the range holds every name that begins with the shelf's and a slash.
        let count = bookPosition("\(shelf.name)0") - bookPosition("\(shelf.name)/")
        shelf.bookCount = Int32(clamping: count)
        return shelf
    }

    private func hasShelf(_ name: String) -> Bool {
        let position = shelfPosition(name)
        return position < shelves.count && shelves[position].name == name
    }

    private func hasBook(_ name: String) -> Bool {
        let position = bookPosition(name)
        return position < books.count && books[position].book.name == name
    }

    private func position(ofBook name: String) throws(Status) -> Int {
        let position = bookPosition(name)
        guard position < books.count, books[position].book.name == name else {
            throw .notFound("book", name)
        }
        return position
    }

    /// Where the shelf stands, or would.
    private func shelfPosition(_ name: String) -> Int {
        DemoLibrary.position(in: shelves) { $0.name < name }
    }

    private func shelfPosition(after name: String) -> Int {
        DemoLibrary.position(in: shelves) { $0.name <= name }
    }

    private func bookPosition(_ name: String) -> Int {
        DemoLibrary.position(in: books) { $0.book.name < name }
    }

    /// How many elements at the start `isBefore` holds for, by bisection.
    private static func position<Element>(
        in elements: [Element], where isBefore: (Element) -> Bool
    ) -> Int {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = low + (high - low) / 2
            if isBefore(elements[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
