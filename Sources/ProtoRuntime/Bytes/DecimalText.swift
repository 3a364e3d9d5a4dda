import CLinux
import Glibc

/// Text of numbers in the C locale, whatever the process's own locale is.
enum CLocale {
    /// LC_ALL_MASK (0x1fbf) is a macro that Swift does not see. Made once, never freed.
    nonisolated(unsafe) static let handle: locale_t? = unsafe newlocale(0x1fbf, "C", nil)
}

extension ByteCursor {
    /// The double nearest to the decimal number that starts at `offset` (sign, digits, fraction, exponent;
    /// the caller has checked the syntax, and the text is sealed, so the reading stops where it ends).
    public func nearestDouble(at offset: Int) -> Double {
        precondition(offset >= 0 && offset <= end, "ByteCursor.nearestDouble outside")
        return unsafe UnsafeRawPointer(base + offset).withMemoryRebound(to: CChar.self, capacity: 1)
        {
            unsafe strtod_l($0, nil, CLocale.handle)
        }
    }

    /// The same for a float: rounded once, from the decimal digits.
    public func nearestFloat(at offset: Int) -> Float {
        precondition(offset >= 0 && offset <= end, "ByteCursor.nearestFloat outside")
        return unsafe UnsafeRawPointer(base + offset).withMemoryRebound(to: CChar.self, capacity: 1)
        {
            unsafe strtof_l($0, nil, CLocale.handle)
        }
    }
}

extension OutputBlock {
    /// Appends the shortest decimal text that reads back as `value`, which must be finite.
    public mutating func appendShortest(_ value: Double) {
        var sink = ShortText()
        value.write(to: &sink)
        append(sink)
    }

    public mutating func appendShortest(_ value: Float) {
        var sink = ShortText()
        value.write(to: &sink)
        append(sink)
    }

    private mutating func append(_ text: ShortText) {
        makeRoom(32)
        for index in 0..<text.count { put(text.bytes[index]) }
    }
}

/// Catches the standard library's text of a number without a String.
struct ShortText: TextOutputStream {
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    var count = 0

    mutating func write(_ string: String) {
        for byte in string.utf8 { take(byte) }
    }

    mutating func _writeASCII(_ buffer: UnsafeBufferPointer<UInt8>) {
        for index in buffer.indices { take(unsafe buffer[index]) }
    }

    private mutating func take(_ byte: UInt8) {
        guard count < 32 else { return }
        bytes[count] = byte
        count += 1
    }
}
