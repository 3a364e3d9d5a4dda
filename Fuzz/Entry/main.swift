import Foundation

// The fuzzer: `FUZZ_TARGET` names what is fuzzed, the arguments are libFuzzer's; `--list` prints the names.

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ runOne: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Says what is wrong and aborts, which libFuzzer takes for a finding.
private func give(up reason: String) -> Never {
    FileHandle.standardError.write(Data("fuzz: \(reason)\n".utf8))
    abort()
}

private let target = ProcessInfo.processInfo.environment["FUZZ_TARGET"]
    .flatMap(FuzzTarget.init(rawValue:))

if CommandLine.arguments.contains("--list") {
    print(FuzzTarget.allCases.map(\.rawValue).joined(separator: "\n"))
    exit(0)
}
guard target != nil else {
    print("FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
    exit(2)
}

private var count = CommandLine.argc
private var arguments = unsafe CommandLine.unsafeArgv
exit(
    unsafe runDriver(&count, &arguments) { bytes, count in
        let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
        do throws(BrokenRule) {
            try target?.run(input)
        } catch {
            give(up: error.description)
        }
        return 0
    })
