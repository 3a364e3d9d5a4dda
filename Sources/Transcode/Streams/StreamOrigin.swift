import ProtoRuntime

/// What the head of a REST client stream says for its first message: path, query and content type. Kept because the
/// messages come when the head is not at hand.
struct StreamOrigin: ~Copyable {
    private var text = OutputBlock()
    private var pathEnd = 0
    private var queryEnd = 0
    /// The call's, which serves no other call while this one is under way.
    private(set) var match: RouteMatch?

    var path: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(0..<pathEnd) }
    }

    var query: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(pathEnd..<queryEnd) }
    }

    var contentType: Span<UInt8> {
        @_lifetime(borrow self)
        get { text.bytes.extracting(queryEnd..<text.count) }
    }

    mutating func keep(_ head: borrowing RequestHead, _ match: RouteMatch) {
        text.append(head.path)
        pathEnd = text.count
        text.append(head.query)
        queryEnd = text.count
        if let index = head.fields.firstIndex(of: .contentType) {
            text.append(head.fields.value(at: index))
        }
        self.match = match
    }

    mutating func removeAll() {
        text.removeAll()
        pathEnd = 0
        queryEnd = 0
        match = nil
    }
}
