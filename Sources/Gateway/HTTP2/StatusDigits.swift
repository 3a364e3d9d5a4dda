/// The text of every HTTP status, made once and never freed: a response's `:status` is neither formatted nor copied.
@safe
enum StatusDigits {
    static let name: StaticString = ":status"

    /// Three digits for every number from 0 to 999.
    nonisolated(unsafe) private static let digits: UnsafeMutablePointer<UInt8> = {
        let text = UnsafeMutablePointer<UInt8>.allocate(capacity: 3000)
        for code in 0..<1000 {
            unsafe text[code * 3] = UInt8(48 + code / 100)
            unsafe text[code * 3 + 1] = UInt8(48 + code / 10 % 10)
            unsafe text[code * 3 + 2] = UInt8(48 + code % 10)
        }
        return unsafe text
    }()

    /// Three bytes that live for ever. A status outside of 100...999 is taken for the nearest of them.
    static func of(_ status: Int) -> UnsafeMutablePointer<UInt8> {
        unsafe digits + min(max(status, 100), 999) * 3
    }
}
