import Glibc
import Testing

@testable import Gateway

@Suite struct LogWriterTests {
    /// A pipe as a log's reader sees it.
    private final class Pipe: Sendable {
        let output: Int32
        let input: Int32

        init() {
            var ends: [Int32] = [-1, -1]
            _ = unsafe pipe(&ends)
            (output, input) = (ends[0], ends[1])
        }

        deinit { _ = close(output) }

        /// Everything up to the end of input.
        func readAll() -> String {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = unsafe read(output, &buffer, buffer.count)
                guard count > 0 else { return String(decoding: text, as: UTF8.self) }
                text += buffer[..<count]
            }
        }
    }

    @Test func `lines come out whole and in order`() {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.input)
        for number in 0..<100 { writer.write("line \(number)\n") }
        writer.flush()
        _ = close(pipe.input)
        #expect(pipe.readAll() == (0..<100).map { "line \($0)\n" }.joined())
    }

    @Test func `a reader that does not read holds nobody up, and is told what it missed`() async {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.input)
        let line = String(repeating: "x", count: 1023) + "\n"
        // The pipe is full and the queue behind it too before anybody reads.
        for _ in 0..<3000 { writer.write(line) }
        async let text = pipe.readAll()
        writer.flush()
        writer.write("the end\n")
        writer.flush()
        _ = close(pipe.input)
        let lines = await text.split(separator: "\n")
        #expect(lines.last == "the end")
        #expect(lines.count(where: { $0.hasPrefix("x") }) < 3000)
        #expect(lines.contains { $0.hasSuffix("log lines were dropped: standard error is slow)") })
    }
}
