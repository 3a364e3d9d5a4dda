import Transcode

/// LibraryService: one library for all connections of the demo, confined to its loop.
final class DemoLibraryService {
    private var library = DemoLibrary.seeded()

    /// The methods by name. They keep the service alive.
    var methods: [String: LocalMethod] {
        [
            "GetShelf": .unary { (request: Demo.NameRequest) throws(Status) in
                try self.library.shelf(named: request.name)
            },
            "ListShelves": .unary { (request: Demo.ListShelvesRequest) throws(Status) in
                try self.library.listShelves(request)
            },
            "CreateShelf": .unary { (request: Demo.CreateShelfRequest) throws(Status) in
                try self.library.createShelf(request)
            },
            "GetBook": .unary { (request: Demo.NameRequest) throws(Status) in
                try self.library.book(named: request.name)
            },
            "ListBooks": .unary { (request: Demo.ListBooksRequest) throws(Status) in
                try self.library.listBooks(request)
            },
            "CreateBook": .unary { (request: Demo.CreateBookRequest) throws(Status) in
                try self.library.createBook(request, now: .now)
            },
            "UpdateBook": .unary { (request: Demo.UpdateBookRequest) throws(Status) in
                try self.library.updateBook(request, now: .now)
            },
            "DeleteBook": .unary { (request: Demo.NameRequest) throws(Status) in
                try self.library.deleteBook(named: request.name)
                return Demo.Empty()
            },
            "MoveBook": .unary { (request: Demo.MoveBookRequest) throws(Status) in
                try self.library.moveBook(request, now: .now)
            },
        ]
    }
}
