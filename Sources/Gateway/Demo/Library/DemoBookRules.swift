import Transcode

extension Demo.ListBooksRequest.Filter {
    /// Whether the book is what every part that is set asks for. An author may be given in part, in any case.
    func matches(_ book: Demo.Book) -> Bool {
        if !author.isEmpty {
            let wanted = author.lowercased()
            guard book.authors.contains(where: { $0.lowercased().contains(wanted) }) else {
                return false
            }
        }
        if format != .unspecified, book.format != format { return false }
        if minPages > 0, book.pageCount < minPages { return false }
        if let publishedAfter {
            guard let publishTime = book.publishTime, publishTime > publishedAfter else {
                return false
            }
        }
        return titles.isEmpty || titles.contains(book.title)
    }
}

extension Demo.Book {
    /// Replaces the fields that `paths` name by those of `patch`, all of them when there are no paths. The name stays,
    /// and so does the time of the update: those are the library's.
    mutating func replaceFields(_ paths: [String], by patch: Demo.Book) throws(Status) {
        guard !paths.isEmpty, paths != ["*"] else {
            let (name, updateTime) = (name, updateTime)
            self = patch
            self.name = name
            self.updateTime = updateTime
            return
        }
        for path in paths {
            guard replaceField(path, by: patch) || replaceAvailability(path, by: patch) else {
                throw .invalid("update_mask", "names '\(path)', which is no field of a book")
            }
        }
    }

    /// - Returns: whether there is such a field.
    private mutating func replaceField(_ path: String, by patch: Demo.Book) -> Bool {
        switch path {
        case "name", "update_time": break
        case "title": title = patch.title
        case "authors": authors = patch.authors
        case "isbn": isbn = patch.isbn
        case "format": format = patch.format
        case "page_count": pageCount = patch.pageCount
        case "publish_time": publishTime = patch.publishTime
        case "reading_time": readingTime = patch.readingTime
        case "price": price = patch.price
        case "rating": rating = patch.rating
        case "subtitle": subtitle = patch.subtitle
        case "labels": labels = patch.labels
        case "cover": cover = patch.cover
        case "chapters": chapters = patch.chapters
        case "recommended": recommended = patch.recommended
        default: return false
        }
        return true
    }

    /// The members of the oneof, and the fields of the loan. A member that `patch` lacks is taken away.
    private mutating func replaceAvailability(_ path: String, by patch: Demo.Book) -> Bool {
        switch (path, patch.availability) {
        case ("copies", .copies), ("url", .url), ("loan", .loan): availability = patch.availability
        case ("copies", _): if case .copies = availability { availability = nil }
        case ("url", _): if case .url = availability { availability = nil }
        case ("loan", _): if case .loan = availability { availability = nil }
        case ("loan.reader", _): replaceLoan(by: patch) { $0.reader = $1.reader }
        case ("loan.due_time", _): replaceLoan(by: patch) { $0.dueTime = $1.dueTime }
        default: return false
        }
        return true
    }

    private mutating func replaceLoan(
        by patch: Demo.Book, _ replace: (inout Demo.Loan, Demo.Loan) -> Void
    ) {
        var loan = Demo.Loan()
        if case .loan(let present) = availability { loan = present }
        var wanted = Demo.Loan()
        if case .loan(let given) = patch.availability { wanted = given }
        replace(&loan, wanted)
        availability = .loan(loan)
    }
}
