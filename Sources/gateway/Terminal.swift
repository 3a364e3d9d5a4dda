import Glibc
import ProtoRuntime

/// Standard input, output and error, and files, as bytes.
enum Terminal {
    /// A line on stdout: results.
    static func print(_ line: String) { write(line + "\n", to: 1) }

    /// A line on stderr: everything that is not a result.
    static func printError(_ line: String) { write(line + "\n", to: 2) }

    /// Writes all bytes to stdout; a reader that is gone ends the process as it does any filter.
    static func write(_ bytes: Span<UInt8>, to descriptor: Int32 = 1) {
        var offset = 0
        while offset < bytes.count {
            let rest = bytes.extracting(offset..<bytes.count)
            let written = unsafe rest.withUnsafeBufferPointer { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if written > 0 {
                offset += written
            } else if errno != EINTR {
                exit(ExitStatus.badInput)
            }
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        write(Array(text.utf8).span, to: descriptor)
    }

    /// Appends up to 64 KiB from `descriptor` to `block`; false at the end of input.
    static func read(_ descriptor: Int32, into block: inout OutputBlock) throws(CommandFailure)
        -> Bool
    {
        let count = unsafe try block.append(atMost: 64 << 10) {
            (buffer) throws(CommandFailure) -> Int in
            while true {
                let count = unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                if count >= 0 { return count }
                guard errno == EINTR else {
                    throw CommandFailure(
                        status: ExitStatus.badInput, message: "cannot read: \(reason())")
                }
            }
        }
        return count > 0
    }

    /// The whole of a file.
    static func readFile(_ path: String) throws(CommandFailure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = reason()
            throw CommandFailure(
                status: ExitStatus.badInput, message: "\(path): \(reason)", reason: reason)
        }
        defer { close(descriptor) }
        var block = OutputBlock()
        while try read(descriptor, into: &block) {}
        let bytes = block.bytes
        return unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }

    private static func reason() -> String {
        guard let text = unsafe strerror(errno) else { return "error \(errno)" }
        return unsafe String(cString: text)
    }
}
