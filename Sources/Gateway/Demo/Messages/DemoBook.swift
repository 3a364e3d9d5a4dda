import ProtoRuntime

extension Demo {
    struct Shelf: WireMessage {
        /// "shelves/classics"
        var name = ""
        var theme = ""
        var bookCount: Int32 = 0

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: name = try reader.readString(tag)
                case 2: theme = try reader.readString(tag)
                case 3: bookCount = try reader.readInt32(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, name)
            output.appendSet(2, theme)
            output.appendSet(3, bookCount)
        }
    }

    /// An open enum: numbers that are not named here are kept.
    struct Format: Equatable {
        var rawValue: Int32 = 0

        static let unspecified = Format()
        static let hardcover = Format(rawValue: 1)
        static let paperback = Format(rawValue: 2)
        static let ebook = Format(rawValue: 3)
        static let audio = Format(rawValue: 4)
    }

    struct Chapter: WireMessage {
        var title = ""
        var firstPage: Int32 = 0

        init(_ title: String, firstPage: Int32) {
            self.title = title
            self.firstPage = firstPage
        }

        init() {}

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: title = try reader.readString(tag)
                case 2: firstPage = try reader.readInt32(tag)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, title)
            output.appendSet(2, firstPage)
        }
    }

    struct Loan: WireMessage {
        var reader = ""
        var dueTime: Timestamp?

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                switch tag.number {
                case 1: self.reader = try reader.readString(tag)
                case 2: try reader.merge(tag, into: &dueTime)
                default: try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) {
            output.appendSet(1, reader)
            output.appendSet(2, dueTime)
        }
    }

    /// google.protobuf.DoubleValue and StringValue: presence for a scalar.
    struct DoubleValue: WireMessage {
        var value: Double = 0

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                if tag.number == 1 {
                    value = try reader.readDouble(tag)
                } else {
                    try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) { output.appendSet(1, value) }
    }

    struct StringValue: WireMessage {
        var value = ""

        mutating func merge(_ reader: inout WireReader) throws(WireError) {
            while let tag = try reader.readTag() {
                if tag.number == 1 {
                    value = try reader.readString(tag)
                } else {
                    try reader.skip(tag)
                }
            }
        }

        func encode(into output: inout OutputBlock) { output.appendSet(1, value) }
    }

    struct Book: WireMessage {
        enum Availability: Equatable {
            /// Copies that stand on the shelf.
            case copies(Int32)
            /// Where an electronic book is read.
            case url(String)
            case loan(Loan)
        }

        /// "shelves/classics/books/moby-dick"
        var name = ""
        var title = ""
        var authors: [String] = []
        var isbn: Int64 = 0
        var format = Format.unspecified
        var pageCount: Int32 = 0
        var publishTime: Timestamp?
        var readingTime: Duration?
        var price: Double = 0
        var rating: DoubleValue?
        var subtitle: StringValue?
        var labels: [String: String] = [:]
        var cover: [UInt8] = []
        var chapters: [Chapter] = []
        var availability: Availability?
        var recommended: Bool?
        var updateTime: Timestamp?
    }
}

extension Demo.Book {
    mutating func merge(_ reader: inout WireReader) throws(WireError) {
        while let tag = try reader.readTag() {
            switch tag.number {
            case 1: name = try reader.readString(tag)
            case 2: title = try reader.readString(tag)
            case 3: authors.append(try reader.readString(tag))
            case 4: isbn = try reader.readInt64(tag)
            case 5: format = Demo.Format(rawValue: try reader.readInt32(tag))
            case 6: pageCount = try reader.readInt32(tag)
            case 7: try reader.merge(tag, into: &publishTime)
            case 8: try reader.merge(tag, into: &readingTime)
            case 9: price = try reader.readDouble(tag)
            case 10: try reader.merge(tag, into: &rating)
            case 11: try reader.merge(tag, into: &subtitle)
            case 12: try mergeLabel(&reader, tag)
            case 13: cover = try reader.readByteArray(tag)
            case 14: chapters.append(try reader.decode(tag, as: Demo.Chapter.self))
            case 15: availability = .copies(try reader.readInt32(tag))
            case 16: availability = .url(try reader.readString(tag))
            case 17: try mergeLoan(&reader, tag)
            case 18: recommended = try reader.readBool(tag)
            case 19: try reader.merge(tag, into: &updateTime)
            default: try reader.skip(tag)
            }
        }
    }

    /// One map entry {key = 1, value = 2}; either may be absent.
    private mutating func mergeLabel(_ reader: inout WireReader, _ tag: WireTag) throws(WireError) {
        var entry = try reader.readMessage(tag)
        var key = ""
        var value = ""
        while let tag = try entry.readTag() {
            switch tag.number {
            case 1: key = try entry.readString(tag)
            case 2: value = try entry.readString(tag)
            default: try entry.skip(tag)
            }
        }
        labels[key] = value
    }

    private mutating func mergeLoan(_ reader: inout WireReader, _ tag: WireTag) throws(WireError) {
        var loan: Demo.Loan?
        if case .loan(let present) = availability { loan = present }
        try reader.merge(tag, into: &loan)
        availability = .loan(loan ?? Demo.Loan())
    }

    func encode(into output: inout OutputBlock) {
        output.appendSet(1, name)
        output.appendSet(2, title)
        for author in authors { output.appendField(3, string: author) }
        output.appendSet(4, isbn)
        output.appendSet(5, format.rawValue)
        output.appendSet(6, pageCount)
        output.appendSet(7, publishTime)
        output.appendSet(8, readingTime)
        output.appendSet(9, price)
        output.appendSet(10, rating)
        output.appendSet(11, subtitle)
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            output.appendField(12) { (output: inout OutputBlock) in
                output.appendSet(1, key)
                output.appendSet(2, value)
            }
        }
        if !cover.isEmpty { output.appendField(13, bytes: cover.span) }
        for chapter in chapters { output.appendSet(14, chapter) }
        switch availability {
        case .copies(let count): output.appendField(15, int64: Int64(count))
        case .url(let url): output.appendField(16, string: url)
        case .loan(let loan): output.appendSet(17, loan)
        case nil: break
        }
        if let recommended { output.appendField(18, bool: recommended) }
        output.appendSet(19, updateTime)
    }
}
