import ArgumentParser
import Glibc
import ProtoRuntime
import Transcode

/// `gateway convert`: the codec on stdin and stdout, without any network.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Convert messages between JSON and protobuf's binary form.",
        discussion: """
            Reads one message from stdin and writes it to stdout. With --stream many: JSON one a line, binary with \
            a 4-byte little-endian length before each. A refused message gives an empty line, or the length \
            0xFFFFFFFF, and its error on stderr.
            """)

    enum Form: String, ExpressibleByArgument, CaseIterable { case json, binary }

    /// The length that stands for a refused message in a binary stream.
    static let refusedLength = UInt32.max

    @OptionGroup var descriptors: DescriptorArguments
    @Option(name: .customLong("type"), help: "The message's full name, such as pkg.Message.")
    var typeName: String
    @Option(name: .customLong("from"), help: "What is read.")
    var source: Form
    @Option(name: .customLong("to"), help: "What is written.")
    var target: Form
    @Flag(help: "Convert many messages.")
    var stream = false
    @OptionGroup var json: JSONArguments
    @OptionGroup var form: JSONFormArguments

    func validate() throws {
        if descriptors.files.isEmpty { throw ValidationError("--descriptors is missing") }
        if stream, form.indent > 0 {
            throw ValidationError("--indent and --stream exclude each other")
        }
    }

    func run() throws {
        let pool = try descriptors.load()
        guard let type = pool.messageIndex(named: typeName) else {
            throw CommandFailure(
                status: ExitStatus.badInput,
                message: "the descriptors have no message named \(typeName)")
        }
        var options = json.options
        form.apply(to: &options)
        let converter = MessageConverter(
            pool: pool, type: type, options: options, source: source, target: target)
        let allGood = stream ? try convertStream(converter) : try convertOne(converter)
        if !allGood { throw ExitCode(ExitStatus.badInput) }
    }

    private func convertOne(_ converter: MessageConverter) throws(CommandFailure) -> Bool {
        var input = OutputBlock()
        while try Terminal.read(0, into: &input) {}
        var output = OutputBlock()
        input.seal()
        do throws(JSONError) {
            try converter.convert(input, in: 0..<input.count, into: &output)
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: error.description)
        }
        if target == .json { output.append(UInt8(ascii: "\n")) }
        Terminal.write(output.bytes)
        return true
    }

    private func convertStream(_ converter: MessageConverter) throws(CommandFailure) -> Bool {
        var splitter = MessageSplitter(form: source)
        var message = OutputBlock()
        var output = OutputBlock()
        var number = 0
        var allGood = true
        while try splitter.next(into: &message) {
            number += 1
            let start = output.count
            if target == .binary { appendLength(0, to: &output) }
            do throws(JSONError) {
                message.seal()
                try converter.convert(message, in: 0..<message.count, into: &output)
                if target == .binary {
                    overwriteLength(
                        UInt32(clamping: output.count - start - 4), at: start, in: &output)
                }
            } catch {
                allGood = false
                output.truncate(to: start)
                if target == .binary { appendLength(ConvertCommand.refusedLength, to: &output) }
                Terminal.printError("message \(number): \(error.description)")
            }
            if target == .json { output.append(UInt8(ascii: "\n")) }
            if output.count > 1 << 16 {
                Terminal.write(output.bytes)
                output.removeAll()
            }
        }
        Terminal.write(output.bytes)
        return allGood
    }

    private func appendLength(_ length: UInt32, to output: inout OutputBlock) {
        for shift: UInt32 in [0, 8, 16, 24] {
            output.append(UInt8(truncatingIfNeeded: length >> shift))
        }
    }

    private func overwriteLength(_ length: UInt32, at offset: Int, in output: inout OutputBlock) {
        for index in 0..<4 {
            output.overwrite(
                at: offset + index, with: UInt8(truncatingIfNeeded: length >> UInt32(8 * index)))
        }
    }
}

/// One direction of conversion between two forms of one message type.
struct MessageConverter {
    let pool: DescriptorPool
    let type: Int32
    let options: JSONOptions
    let source: ConvertCommand.Form
    let target: ConvertCommand.Form

    /// Appends `input[range]` in the other form. Between equal forms the message is read and written again.
    /// - Parameter input: sealed.
    func convert(
        _ input: borrowing OutputBlock, in range: Range<Int>, into output: inout OutputBlock
    ) throws(JSONError) {
        let tables = pool.tables
        switch (source, target) {
        case (.json, .binary):
            try JSONToProto(tables, options: options).encode(
                input, in: range, as: type, into: &output)
        case (.binary, .json):
            try ProtoToJSON(tables, options: options).format(
                input, in: range, as: type, into: &output)
        case (.json, .json), (.binary, .binary):
            var between = OutputBlock()
            let middle: ConvertCommand.Form = source == .json ? .binary : .json
            let first = MessageConverter(
                pool: pool, type: type, options: options, source: source, target: middle)
            let second = MessageConverter(
                pool: pool, type: type, options: options, source: middle, target: target)
            try first.convert(input, in: range, into: &between)
            between.seal()
            try second.convert(between, in: 0..<between.count, into: &output)
        }
    }
}

/// Takes messages one by one from stdin.
struct MessageSplitter: ~Copyable {
    /// The longest message of a stream.
    static let messageBytesMax = 1 << 30

    private let form: ConvertCommand.Form
    private var input = ByteBuffer()
    private var isAtEnd = false
    private var searched = 0

    init(form: ConvertCommand.Form) { self.form = form }

    /// Puts the next message into `message`; false when there is none.
    mutating func next(into message: inout OutputBlock) throws(CommandFailure) -> Bool {
        message.removeAll()
        switch form {
        case .json: return try nextLine(into: &message)
        case .binary: return try nextCounted(into: &message)
        }
    }

    private mutating func nextLine(into message: inout OutputBlock) throws(CommandFailure) -> Bool {
        while true {
            searched = findNewline(from: searched)
            if searched < input.count {
                take(searched, into: &message)
                input.consume(1)
                return true
            }
            if isAtEnd {
                guard !input.isEmpty else { return false }
                take(input.count, into: &message)
                return true
            }
            try read()
        }
    }

    /// Offset of the first line feed that is not before `start`; the number of bytes if there is none.
    private func findNewline(from start: Int) -> Int {
        let bytes = input.readable.extracting(start..<input.count)
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let first = buffer.baseAddress,
                let found = unsafe memchr(first, 10, buffer.count)
            else { return input.count }
            return start + (unsafe UnsafeRawPointer(found) - UnsafeRawPointer(first))
        }
    }

    private mutating func nextCounted(into message: inout OutputBlock) throws(CommandFailure)
        -> Bool
    {
        while input.count < 4, !isAtEnd { try read() }
        guard !input.isEmpty else { return false }
        guard input.count >= 4 else { throw MessageSplitter.truncated }
        var length = 0
        for index in 0..<4 { length |= Int(input.readable[index]) << (8 * index) }
        guard length <= MessageSplitter.messageBytesMax else {
            throw CommandFailure(
                status: ExitStatus.badInput,
                message:
                    "a message of \(length) bytes is over the limit of \(MessageSplitter.messageBytesMax)"
            )
        }
        input.consume(4)
        while input.count < length, !isAtEnd { try read() }
        guard input.count >= length else { throw MessageSplitter.truncated }
        take(length, into: &message)
        return true
    }

    private mutating func take(_ count: Int, into message: inout OutputBlock) {
        message.append(input.readable.extracting(0..<count))
        input.consume(count)
        searched = 0
    }

    private mutating func read() throws(CommandFailure) {
        isAtEnd = try !input.withBlock { (block) throws(CommandFailure) in
            try Terminal.read(0, into: &block)
        }
    }

    private static var truncated: CommandFailure {
        CommandFailure(status: ExitStatus.badInput, message: "the stream ends inside a message")
    }
}
