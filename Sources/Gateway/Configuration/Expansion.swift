/// Puts environment variables and files in place of `${NAME}` and `${file:/path}`; `$${` stands for `${`.
///
/// What is put in is not expanded again. It may be a secret: a value that is refused is shown as it was written; only
/// addresses, names and paths are shown as they came out.
struct Expansion {
    /// The value of an environment variable, nil when it is not set.
    var environment: (String) -> String?
    /// The text of a file; a relative path is the reader's to place.
    var file: (String) throws(ConfigurationFileError) -> String

    struct Failure: Error, Equatable {
        let message: String
    }

    func expand(_ text: String) throws(Failure) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw Failure(message: "'}' is missing behind '${'")
                }
                result += try value(of: String(rest[..<end].dropFirst(2)))
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    private func value(of reference: String) throws(Failure) -> String {
        if reference.hasPrefix("file:") {
            let path = String(reference.dropFirst("file:".count))
            do throws(ConfigurationFileError) {
                return Expansion.withoutLastNewline(try file(path))
            } catch {
                throw Failure(message: "${file:\(path)}: \(error.reason)")
            }
        }
        guard Expansion.isName(reference) else {
            throw Failure(
                message:
                    "'${\(YAMLNode.shortened(reference))}' is neither ${NAME} nor ${file:/path}")
        }
        guard let value = environment(reference) else {
            throw Failure(message: "the environment variable \(reference) is not set")
        }
        return value
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    /// Secrets are written to files with a newline at their end that is not part of them.
    private static func withoutLastNewline(_ text: String) -> String {
        guard text.utf8.last == UInt8(ascii: "\n") else { return text }
        var bytes = Array(text.utf8.dropLast())
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
