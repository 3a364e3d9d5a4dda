import ProtoRuntime
import Transcode

/// The transcoder both ways. The first byte of an input chooses the message, the second the options.
enum CodecTargets {
    static func json(_ input: [UInt8]) throws(BrokenRule) {
        let codec = try Codec(input)
        guard let wire = try codec.wire(Array(input.dropFirst(2))) else { return }
        guard let text = try codec.json(wire) else {
            // Any, times and masks are judged by both sides alike.
            throw BrokenRule(
                "\(codec.name): its own wire bytes are refused: \(codec.refusal(of: wire))")
        }
        try codec.roundTrip(text)
    }

    static func wire(_ input: [UInt8]) throws(BrokenRule) {
        let codec = try Codec(input)
        guard let printed = try codec.json(Array(input.dropFirst(2))) else { return }
        // A NullValue of another number than 0 prints as null, which is read as 0 and leaves a field without presence.
        try codec.roundTrip(try codec.reprinted(printed))
    }
}

private struct Codec {
    let name: String
    let message: Int32
    let tables: DescriptorTables
    let options: JSONOptions

    init(_ input: [UInt8]) throws(BrokenRule) {
        let pool = try FuzzSchemas.value(FuzzSchemas.all)
        let names = FuzzSchemas.messages
        name = names[Int(input.first ?? 0) % names.count]
        guard let index = pool.messageIndex(named: name) else {
            throw BrokenRule("the fuzzer's own schema has no \(name)")
        }
        message = index
        tables = pool.tables
        let bits = input.count > 1 ? input[1] : 0
        let enums: [JSONOptions.Enums] = [.name, .number, .stripped, .name]
        options = JSONOptions(
            unknownFields: bits & 1 == 0 ? .ignore : .reject,
            defaults: bits & 2 == 0 ? .omit : .emit, enums: enums[Int(bits >> 2 & 3)],
            int64: bits & 16 == 0 ? .string : .number, names: bits & 32 == 0 ? .json : .proto,
            indent: bits & 64 == 0 ? 0 : 2)
    }

    /// JSON → wire; nil when it is refused.
    func wire(_ json: [UInt8]) throws(BrokenRule) -> [UInt8]? {
        var block = OutputBlock()
        block.append(json.span)
        block.seal()
        var output = OutputBlock()
        output.append(0xee)
        do throws(JSONError) {
            try JSONToProto(tables, options: options).encode(
                block, in: 0..<block.count, as: message, into: &output)
        } catch {
            try check(output.count == 1 && output[0] == 0xee, "the output was not restored")
            try check(
                (0...json.count).contains(error.offset),
                "an error at \(error.offset) of \(json.count)")
            return nil
        }
        return bytes(output)
    }

    /// Wire → JSON; nil when it is refused. What lies behind the bytes must not matter.
    func json(_ wire: [UInt8]) throws(BrokenRule) -> [UInt8]? {
        let first = try json(wire, behind: [])
        let second = try json(wire, behind: [0x0a, 0xff, 0xff])
        try check(first == second, "\(name): what lies behind the message matters")
        guard let first else { return nil }
        try check((try? UTF8Span(validating: first.span)) != nil, "\(name): JSON is not UTF-8")
        return first
    }

    private func json(_ wire: [UInt8], behind: [UInt8]) throws(BrokenRule) -> [UInt8]? {
        var block = OutputBlock()
        block.append(wire.span)
        block.append(behind.span)
        var output = OutputBlock()
        output.append(0xee)
        do throws(JSONError) {
            try ProtoToJSON(tables, options: options).format(
                block, in: 0..<wire.count, as: message, into: &output)
        } catch {
            try check(output.count == 1 && output[0] == 0xee, "the output was not restored")
            return nil
        }
        return bytes(output)
    }

    /// What was printed is read, and prints the same again, but for a NullValue of another number than 0: that prints
    /// null, as protobuf's other printers do, null is read as 0, and 0 does not print.
    func roundTrip(_ printed: [UInt8]) throws(BrokenRule) {
        let again = try reprinted(printed)
        if again == printed { return }
        let isNullValue = ["\"nullValue\":", "\"null_value\":"].contains { key in
            text(printed).contains(key) && !text(again).contains(key)
        }
        let settled = isNullValue ? try reprinted(again) : printed
        try check(again == settled, "\(name): \(text(printed)) became \(text(again))")
    }

    /// What was printed is read, and gives wire bytes that print.
    func reprinted(_ printed: [UInt8]) throws(BrokenRule) -> [UInt8] {
        guard let wire = try wire(printed) else {
            throw BrokenRule("\(name): its own JSON is refused: \(text(printed))")
        }
        guard let again = try json(wire) else {
            throw BrokenRule("\(name): wire bytes of its own JSON are refused: \(text(printed))")
        }
        return again
    }

    /// Why wire bytes are refused, for a message.
    func refusal(of wire: [UInt8]) -> String {
        var block = OutputBlock()
        block.append(wire.span)
        var output = OutputBlock()
        do throws(JSONError) {
            try ProtoToJSON(tables, options: options).format(
                block, in: 0..<wire.count, as: message, into: &output)
        } catch {
            return "\(error) in \(wire)"
        }
        return "accepted the second time"
    }

    private func bytes(_ block: borrowing OutputBlock) -> [UInt8] {
        let span = block.bytes
        return (1..<span.count).map { span[$0] }
    }
}
