import ProtoRuntime

/// Spreads compact JSON over lines: one member or element a line, `"name": value`, empty objects and arrays
/// closed at once.
enum JSONIndenter {
    /// Rewrites the JSON that stands in `output` from `start` on. The output grows; the work is linear.
    static func indent(_ output: inout OutputBlock, from start: Int, by width: Int) {
        var compact = OutputBlock()
        compact.append(output.bytes.extracting(start..<output.count))
        compact.seal()
        output.truncate(to: start)
        let step = min(max(width, 0), 16)
        var depth = 0
        var position = 0
        while position < compact.count {
            let byte = compact[position]
            position += 1
            output.append(byte)
            switch byte {
            case JSONByte.quote:
                let stop = endOfString(compact, from: position)
                output.append(compact.bytes.extracting(position..<stop))
                position = stop
            case JSONByte.openBrace, JSONByte.openBracket:
                let next = compact[position]
                if next == JSONByte.closeBrace || next == JSONByte.closeBracket {
                    output.append(next)
                    position += 1
                } else {
                    depth += 1
                    breakLine(&output, depth * step)
                }
            case JSONByte.comma: breakLine(&output, depth * step)
            case JSONByte.colon: output.append(UInt8(ascii: " "))
            default: break
            }
            guard position < compact.count else { break }
            let next = compact[position]
            if next == JSONByte.closeBrace || next == JSONByte.closeBracket {
                depth -= 1
                breakLine(&output, depth * step)
            }
        }
    }

    private static func breakLine(_ output: inout OutputBlock, _ spaces: Int) {
        output.append(UInt8(ascii: "\n"))
        for _ in 0..<spaces { output.append(UInt8(ascii: " ")) }
    }

    /// Behind the closing quote of the string whose content starts at `start`.
    private static func endOfString(_ text: borrowing OutputBlock, from start: Int) -> Int {
        var position = start
        while position < text.count, text[position] != JSONByte.quote {
            position += text[position] == JSONByte.backslash ? 2 : 1
        }
        return min(position + 1, text.count)
    }
}
