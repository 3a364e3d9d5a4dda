/// Questions about sixteen bytes of text at a time.
///
/// The masks have written types and the constants are vectors: a scalar operand, or a type left to
/// inference, compiles to a loop that is a hundred times slower.
public enum ByteScan {
    /// Index of the first byte that ends a plain run of a JSON string (quote, backslash, control
    /// character); 16 if none does.
    @inlinable @inline(__always)
    public static func plainCount(_ bytes: SIMD16<UInt8>) -> Int {
        let quotes: SIMDMask<SIMD16<Int8>> = bytes .== SIMD16<UInt8>(repeating: 34)
        let escapes: SIMDMask<SIMD16<Int8>> = bytes .== SIMD16<UInt8>(repeating: 92)
        let controls: SIMDMask<SIMD16<Int8>> = bytes .< SIMD16<UInt8>(repeating: 32)
        let stops: SIMDMask<SIMD16<Int8>> = quotes .| escapes .| controls
        let halves = unsafe unsafeBitCast(stops, to: SIMD2<UInt64>.self)
        if halves[0] != 0 { return halves[0].trailingZeroBitCount &>> 3 }
        if halves[1] != 0 { return 8 &+ halves[1].trailingZeroBitCount &>> 3 }
        return 16
    }

    /// Index of the first byte that ends a run of plain ASCII: one of these, or of a longer character; 16 if none does.
    @inlinable @inline(__always)
    public static func plainASCIICount(_ bytes: SIMD16<UInt8>) -> Int {
        let quotes: SIMDMask<SIMD16<Int8>> = bytes .== SIMD16<UInt8>(repeating: 34)
        let escapes: SIMDMask<SIMD16<Int8>> = bytes .== SIMD16<UInt8>(repeating: 92)
        // As signed numbers the bytes of longer characters are negative, and so below a space too.
        let others: SIMDMask<SIMD16<Int8>> =
            signed(bytes) .< SIMD16<Int8>(repeating: 32)
        let stops: SIMDMask<SIMD16<Int8>> = quotes .| escapes .| others
        let halves = unsafe unsafeBitCast(stops, to: SIMD2<UInt64>.self)
        if halves[0] != 0 { return halves[0].trailingZeroBitCount &>> 3 }
        if halves[1] != 0 { return 8 &+ halves[1].trailingZeroBitCount &>> 3 }
        return 16
    }

    /// Whether none of the 32 bytes ends a plain run.
    @inlinable @inline(__always)
    public static func isPlain(_ first: SIMD16<UInt8>, _ second: SIMD16<UInt8>) -> Bool {
        let quote = SIMD16<UInt8>(repeating: 34)
        let escape = SIMD16<UInt8>(repeating: 92)
        let quotes: SIMDMask<SIMD16<Int8>> = (first .== quote) .| (second .== quote)
        let escapes: SIMDMask<SIMD16<Int8>> = (first .== escape) .| (second .== escape)
        let space = SIMD16<UInt8>(repeating: 32)
        let controls: SIMDMask<SIMD16<Int8>> = (first .< space) .| (second .< space)
        let stops: SIMDMask<SIMD16<Int8>> = quotes .| escapes .| controls
        let halves = unsafe unsafeBitCast(stops, to: SIMD2<UInt64>.self)
        return halves[0] | halves[1] == 0
    }

    /// The bytes as two words, the first byte lowest.
    @inlinable @inline(__always)
    public static func words(_ bytes: SIMD16<UInt8>) -> SIMD2<UInt64> {
        unsafe unsafeBitCast(bytes, to: SIMD2<UInt64>.self)
    }

    /// The reverse of `words`.
    @inlinable @inline(__always)
    public static func bytes(_ words: SIMD2<UInt64>) -> SIMD16<UInt8> {
        unsafe unsafeBitCast(words, to: SIMD16<UInt8>.self)
    }

    /// The same bits as signed numbers. (The standard library's conversion is a call.)
    @inlinable @inline(__always)
    public static func signed(_ bytes: SIMD16<UInt8>) -> SIMD16<Int8> {
        unsafe unsafeBitCast(bytes, to: SIMD16<Int8>.self)
    }

    /// The reverse of `signed`.
    @inlinable @inline(__always)
    public static func bytes(_ numbers: SIMD16<Int8>) -> SIMD16<UInt8> {
        unsafe unsafeBitCast(numbers, to: SIMD16<UInt8>.self)
    }

    /// Whether any of the bytes is not ASCII.
    @inlinable @inline(__always)
    public static func hasHighBit(_ bytes: SIMD16<UInt8>) -> Bool {
        let high = unsafe unsafeBitCast(
            bytes & SIMD16<UInt8>(repeating: 128), to: SIMD2<UInt64>.self)
        return (high[0] | high[1]) != 0
    }

    /// The first `count` bytes, zeros behind them; `count` in 1...15.
    @inlinable @inline(__always)
    public static func first(_ count: Int, of bytes: SIMD16<UInt8>) -> SIMD16<UInt8> {
        var halves = unsafe unsafeBitCast(bytes, to: SIMD2<UInt64>.self)
        let bits = UInt64(truncatingIfNeeded: count &* 8)
        let mask = UInt64.max &>> (0 &- bits)
        if count > 8 {
            halves[1] &= mask
        } else {
            halves[0] &= mask
            halves[1] = 0
        }
        return unsafe unsafeBitCast(halves, to: SIMD16<UInt8>.self)
    }
}
