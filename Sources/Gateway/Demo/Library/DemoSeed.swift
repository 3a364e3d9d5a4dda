import Transcode

/// What stands in the library when the demo starts. Between them the books have every field that a book may have.
extension DemoLibrary {
    static func seeded() -> DemoLibrary {
        var library = DemoLibrary()
        do throws(Status) {
            for (id, theme) in DemoSeed.shelves {
                var shelf = Demo.Shelf()
                shelf.theme = theme
                _ = try library.createShelf(Demo.CreateShelfRequest(shelf: shelf, shelfID: id))
            }
            let time = Demo.Timestamp(seconds: 1_767_225_600)
            for (shelf, id, book) in DemoSeed.books {
                _ = try library.createBook(
                    Demo.CreateBookRequest(parent: "shelves/\(shelf)", book: book, bookID: id),
                    now: time)
            }
        } catch {
            preconditionFailure("the seed breaks the library's own rules: \(error.message)")
        }
        return library
    }
}

private enum DemoSeed {
    static let shelves = [
        ("classics", "Novels that everyone means to read"),
        ("science", "Books that changed what we know"),
        ("science-fiction", "Journeys that were impossible then"),
    ]

    static var books: [(shelf: String, id: String, book: Demo.Book)] {
        [
            ("classics", "moby-dick", mobyDick), ("classics", "pride-and-prejudice", pride),
            ("classics", "a-christmas-carol", carol),
            ("science", "on-the-origin-of-species", origin),
            ("science", "micrographia", micrographia),
            ("science-fiction", "frankenstein", frankenstein),
            ("science-fiction", "the-time-machine", timeMachine),
            ("science-fiction", "twenty-thousand-leagues", leagues),
        ]
    }

    /// A PNG of one pixel.
    private static let pixel: [UInt8] = [
        137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2,
        0, 0, 0, 144, 119, 83, 222, 0, 0, 0, 12, 73, 68, 65, 84, 120, 218, 99, 144, 247, 171, 4, 0,
        1, 118, 0, 231, 136, 114, 128, 250, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
    ]

    private static var mobyDick: Demo.Book {
        var book = Demo.Book()
        book.title = "Moby-Dick"
        book.authors = ["Herman Melville"]
        book.isbn = 9_780_142_437_247
        book.format = .paperback
        book.pageCount = 720
        book.publishTime = Demo.Timestamp(seconds: -3_730_233_600)
        book.readingTime = Demo.Duration(seconds: 24 * 3600 + 1800)
        book.price = 18
        book.rating = Demo.DoubleValue(value: 4.25)
        book.subtitle = Demo.StringValue(value: "or, The Whale")
        book.labels = ["genre": "adventure", "language": "en"]
        book.cover = pixel
        book.chapters = [
            Demo.Chapter("Loomings", firstPage: 3), Demo.Chapter("The Carpet-Bag", firstPage: 8),
            Demo.Chapter("The Spouter-Inn", firstPage: 13),
        ]
        book.availability = .copies(3)
        book.recommended = true
        return book
    }

    private static var pride: Demo.Book {
        var book = Demo.Book()
        book.title = "Pride and Prejudice"
        book.authors = ["Jane Austen"]
        book.isbn = 9_780_141_439_518
        book.format = .hardcover
        book.pageCount = 480
        book.publishTime = Demo.Timestamp(seconds: -4_952_102_400)
        book.readingTime = Demo.Duration(seconds: 11 * 3600 + 2100)
        book.price = 24.5
        book.rating = Demo.DoubleValue(value: 4.75)
        book.labels = ["genre": "romance", "language": "en"]
        book.chapters = [Demo.Chapter("Volume the First", firstPage: 1)]
        var loan = Demo.Loan()
        loan.reader = "Charlotte Lucas"
        loan.dueTime = Demo.Timestamp(seconds: 1_799_971_200)
        book.availability = .loan(loan)
        book.recommended = true
        return book
    }

    private static var carol: Demo.Book {
        var book = Demo.Book()
        book.title = "A Christmas Carol"
        book.authors = ["Charles Dickens", "John Leech"]
        book.isbn = 9_780_141_389_479
        book.format = .audio
        book.publishTime = Demo.Timestamp(seconds: -3_977_337_600)
        book.readingTime = Demo.Duration(seconds: 2 * 3600 + 2743, nanos: 500_000_000)
        book.price = 9.99
        book.labels = ["genre": "ghost story", "season": "winter"]
        book.availability = .url("https://www.gutenberg.org/ebooks/46")
        book.recommended = false
        return book
    }

    private static var origin: Demo.Book {
        var book = Demo.Book()
        book.title = "On the Origin of Species"
        book.authors = ["Charles Darwin"]
        book.isbn = 9_780_451_529_060
        book.format = .paperback
        book.pageCount = 576
        book.publishTime = Demo.Timestamp(seconds: -3_474_576_000)
        book.price = 7.95
        book.rating = Demo.DoubleValue(value: 4)
        book.subtitle = Demo.StringValue(value: "by Means of Natural Selection")
        book.labels = ["field": "biology"]
        book.chapters = [
            Demo.Chapter("Variation under Domestication", firstPage: 7),
            Demo.Chapter("Struggle for Existence", firstPage: 60),
        ]
        book.availability = .copies(0)
        return book
    }

    private static var micrographia: Demo.Book {
        var book = Demo.Book()
        book.title = "Micrographia"
        book.authors = ["Robert Hooke"]
        book.format = .ebook
        book.pageCount = 270
        book.publishTime = Demo.Timestamp(seconds: -9_623_577_600)
        book.subtitle = Demo.StringValue()
        book.labels = ["field": "microscopy", "society": "Royal Society"]
        book.cover = pixel
        book.availability = .url("https://www.gutenberg.org/ebooks/15491")
        return book
    }

    private static var frankenstein: Demo.Book {
        var book = Demo.Book()
        book.title = "Frankenstein"
        book.authors = ["Mary Shelley"]
        book.isbn = 9_780_141_439_471
        book.format = .paperback
        book.pageCount = 352
        book.publishTime = Demo.Timestamp(seconds: -4_796_668_800)
        book.readingTime = Demo.Duration(seconds: 8 * 3600 + 35 * 60)
        book.price = 11
        book.rating = Demo.DoubleValue(value: 4.5)
        book.subtitle = Demo.StringValue(value: "or, The Modern Prometheus")
        book.labels = ["genre": "gothic"]
        book.availability = .copies(2)
        book.recommended = true
        return book
    }

    private static var timeMachine: Demo.Book {
        var book = Demo.Book()
        book.title = "The Time Machine"
        book.authors = ["H. G. Wells"]
        book.isbn = 9_780_141_439_976
        book.format = .ebook
        book.pageCount = 128
        book.publishTime = Demo.Timestamp(seconds: -2_355_868_800)
        book.readingTime = Demo.Duration(seconds: 3 * 3600 + 600)
        book.price = 4.49
        book.availability = .url("https://www.gutenberg.org/ebooks/35")
        return book
    }

    private static var leagues: Demo.Book {
        var book = Demo.Book()
        book.title = "Twenty Thousand Leagues under the Seas"
        book.authors = ["Jules Verne"]
        book.isbn = 9_780_199_539_277
        book.format = .hardcover
        book.pageCount = 496
        book.publishTime = Demo.Timestamp(seconds: -3_140_985_600)
        book.price = 13.5
        book.labels = ["genre": "adventure", "language": "fr"]
        book.availability = .copies(1)
        return book
    }
}
