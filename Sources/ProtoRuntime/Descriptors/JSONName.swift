/// The names that JSON gives to fields.
enum JSONName {
    /// lowerCamelCase as protoc computes it: `_` goes, and an ASCII lower-case letter behind it becomes upper-case.
    static func camelCase(_ name: String) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(name.utf8.count)
        var raise = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                raise = true
                continue
            }
            let isLower = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
            result.append(raise && isLower ? byte - 32 : byte)
            raise = false
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The name as it stands between quotes in a JSON document.
    static func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: needsEscape) else { return name }
        let digits = Array("0123456789abcdef".utf8)
        var result: [UInt8] = []
        for byte in name.utf8 {
            if !needsEscape(byte) {
                result.append(byte)
            } else if byte < 0x20 {
                result += Array("\\u00".utf8)
                result += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                result += [UInt8(ascii: "\\"), byte]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }
}
