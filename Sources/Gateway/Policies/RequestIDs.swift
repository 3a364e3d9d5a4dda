import ProtoRuntime

/// Makes request ids: random UUIDs (RFC 9562 §5.4). They need to be unique, not secret, so that a generator with a seed
/// of 256 bits does (xoshiro256++), and no call asks the kernel. Pure but for its seed; one a reactor.
struct RequestIDs {
    /// Characters of one id.
    static let byteCount = 36

    private var state: (UInt64, UInt64, UInt64, UInt64)

    init(seededBy source: inout some RandomNumberGenerator) {
        // All zeros would stay so.
        state = (source.next() | 1, source.next(), source.next(), source.next())
    }

    /// Appends a new id, such as "f81d4fae-7dec-41d0-a765-00a0c91e6bf6".
    mutating func append(to output: inout OutputBlock) {
        let high = next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        output.makeRoom(RequestIDs.byteCount)
        output.put(RequestIDs.hexadecimal(UInt32(truncatingIfNeeded: high >> 32)), count: 8)
        output.put(UInt8(ascii: "-"))
        let middle = RequestIDs.hexadecimal(UInt32(truncatingIfNeeded: high))
        output.put(middle, count: 4)
        output.put(UInt8(ascii: "-"))
        output.put(middle >> 32, count: 4)
        output.put(UInt8(ascii: "-"))
        let variant = RequestIDs.hexadecimal(UInt32(truncatingIfNeeded: low >> 32))
        output.put(variant, count: 4)
        output.put(UInt8(ascii: "-"))
        output.put(variant >> 32, count: 4)
        output.put(RequestIDs.hexadecimal(UInt32(truncatingIfNeeded: low)), count: 8)
    }

    private mutating func next() -> UInt64 {
        let sum = state.0 &+ state.3
        let result = (sum << 23 | sum >> 41) &+ state.0
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// Eight digits, the first in the lowest byte: all of them at once.
    static func hexadecimal(_ value: UInt32) -> UInt64 {
        var digits = UInt64(value.byteSwapped)
        digits = (digits | digits << 16) & 0x0000_FFFF_0000_FFFF
        digits = (digits | digits << 8) & 0x00FF_00FF_00FF_00FF
        digits = (digits >> 4 & 0x000F_000F_000F_000F) | (digits & 0x000F_000F_000F_000F) << 8
        let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }
}
