import ProtoRuntime

// Requests and answers of LibraryService; what each field means stands in library.proto.

extension Demo {
    /// GetShelf, GetBook and DeleteBook: all three carry nothing but a name.
    struct NameRequest: WireMessage {
        var name = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: name = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) { output.appendSet(1, name) }
    }

    struct ListShelvesRequest: WireMessage {
        var pageSize: Int32 = 0
        var pageToken = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: pageSize = try reader.readInt32(tag)
                case 2: pageToken = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, pageSize)
            output.appendSet(2, pageToken)
        }
    }

    struct ListShelvesResponse: WireMessage {
        var shelves: [Shelf] = []
        var nextPageToken = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: shelves.append(try reader.decode(tag, as: Shelf.self))
                case 2: nextPageToken = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            for shelf in shelves { output.appendSet(1, shelf) }
            output.appendSet(2, nextPageToken)
        }
    }

    struct CreateShelfRequest: WireMessage {
        var shelf: Shelf?
        var shelfID = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: try reader.merge(tag, into: &shelf)
                case 2: shelfID = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, shelf)
            output.appendSet(2, shelfID)
        }
    }

    struct ListBooksRequest: WireMessage {
        struct Filter: WireMessage {
            var author = ""
            var format = Format.unspecified
            var minPages: Int32 = 0
            var publishedAfter: Timestamp?
            var titles: [String] = []
        }

        var parent = ""
        var pageSize: Int32 = 0
        var pageToken = ""
        var filter: Filter?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: parent = try reader.readString(tag)
                case 2: pageSize = try reader.readInt32(tag)
                case 3: pageToken = try reader.readString(tag)
                case 4: try reader.merge(tag, into: &filter)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, parent)
            output.appendSet(2, pageSize)
            output.appendSet(3, pageToken)
            output.appendSet(4, filter)
        }
    }

    struct ListBooksResponse: WireMessage {
        var books: [Book] = []
        var nextPageToken = ""
        var totalSize: Int32 = 0

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: books.append(try reader.decode(tag, as: Book.self))
                case 2: nextPageToken = try reader.readString(tag)
                case 3: totalSize = try reader.readInt32(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            for book in books { output.appendSet(1, book) }
            output.appendSet(2, nextPageToken)
            output.appendSet(3, totalSize)
        }
    }

    struct CreateBookRequest: WireMessage {
        var parent = ""
        var book: Book?
        var bookID = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: parent = try reader.readString(tag)
                case 2: try reader.merge(tag, into: &book)
                case 3: bookID = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, parent)
            output.appendSet(2, book)
            output.appendSet(3, bookID)
        }
    }

    struct UpdateBookRequest: WireMessage {
        var book: Book?
        var updateMask: FieldMask?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: try reader.merge(tag, into: &book)
                case 2: try reader.merge(tag, into: &updateMask)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, book)
            output.appendSet(2, updateMask)
        }
    }

    struct MoveBookRequest: WireMessage {
        var name = ""
        var shelf = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: name = try reader.readString(tag)
                case 2: shelf = try reader.readString(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, name)
            output.appendSet(2, shelf)
        }
    }
}

extension Demo.ListBooksRequest.Filter {
    mutating func merge(_ reader: inout WireReader) throws(WireError) {
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1: author = try reader.readString(tag)
            case 2: format = Demo.Format(rawValue: try reader.readInt32(tag))
            case 3: minPages = try reader.readInt32(tag)
            case 4: try reader.merge(tag, into: &publishedAfter)
            case 5: titles.append(try reader.readString(tag))
            default: try reader.skip(tag)
            }
        }
    }

    func encode(into output: inout OutputBlock) {
        output.appendSet(1, author)
        output.appendSet(2, format.rawValue)
        output.appendSet(3, minPages)
        output.appendSet(4, publishedAfter)
        for title in titles { output.appendField(5, string: title) }
    }
}
