import ProtoRuntime
import Transcode

/// Paging of lists: sizes and tokens. A token names the last item of the page before, so that it stays right when
/// items come and go.
enum DemoPage {
    static let defaultSize = 20
    static let sizeMax = 100
    /// Encoded bytes of one page; it holds one item in any case.
    static let bytesMax = 1 << 20
    private static let tokenPrefix = "after:"

    static func size(_ requested: Int32) throws(Status) -> Int {
        guard requested >= 0 else { throw .invalid("page_size", "must not be negative") }
        return requested == 0 ? defaultSize : min(Int(requested), sizeMax)
    }

    static func encode(_ name: String) -> String { tokenPrefix + name }

    /// The name in a token; nil for the first page.
    static func decode(_ token: String) throws(Status) -> String? {
        if token.isEmpty { return nil }
        guard token.hasPrefix(tokenPrefix) else {
            throw .invalid("page_token", "must be a next_page_token of an answer")
        }
        return String(token.dropFirst(tokenPrefix.count))
    }
}

/// Identifiers: the last parts of names.
enum DemoName {
    static let bytesMax = 63

    /// The identifier that was asked for, or one that is made from `text` and is not taken.
    static func chosen(
        _ requested: String, field: String, from text: String, isTaken: (String) -> Bool
    ) throws(Status) -> String {
        guard requested.isEmpty else {
            guard isValid(requested) else {
                throw .invalid(field, "must have 1 to \(bytesMax) of a-z, 0-9 and inner hyphens")
            }
            return requested
        }
        let made = slug(of: text)
        guard isTaken(made) else { return made }
        for number in 2...DemoLibrary.booksMax {
            let numbered = "\(made)-\(number)"
            if !isTaken(numbered) { return numbered }
        }
        throw Status(.resourceExhausted, "every identifier like \(made) is taken")
    }

    static func isValid(_ id: String) -> Bool {
        let hyphen = UInt8(ascii: "-")
        guard let first = id.utf8.first, let last = id.utf8.last, id.utf8.count <= bytesMax else {
            return false
        }
        return first != hyphen && last != hyphen
            && id.utf8.allSatisfy { isLetterOrDigit($0) || $0 == hyphen }
    }

    /// "Moby-Dick; or, The Whale" → "moby-dick-or-the-whale"; letters that are not ASCII are dropped.
    static func slug(of text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.lowercased().utf8 {
            // Room for a number behind it.
            if bytes.count >= bytesMax - 10 { break }
            if isLetterOrDigit(byte) {
                bytes.append(byte)
            } else if byte < 128, bytes.last != UInt8(ascii: "-"), !bytes.isEmpty {
                bytes.append(UInt8(ascii: "-"))
            }
        }
        if bytes.last == UInt8(ascii: "-") { bytes.removeLast() }
        return bytes.isEmpty ? "untitled" : String(decoding: bytes, as: UTF8.self)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
