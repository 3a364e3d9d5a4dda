import Glibc

/// A system call that failed: which one, and errno.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    public let call: StaticString
    public let code: Int32

    init(_ call: StaticString, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// "connect: Connection refused"
    public var description: String { "\(call): \(reason)" }

    /// The text of errno, such as "Connection refused".
    public var reason: String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }

    public static func == (left: SystemError, right: SystemError) -> Bool {
        left.code == right.code && "\(left.call)" == "\(right.call)"
    }
}
