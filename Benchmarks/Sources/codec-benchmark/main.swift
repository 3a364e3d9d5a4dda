// JSON ⇄ wire on the documents of the load benchmark: MB/s of JSON text, best of many runs, and allocations
// a call. With COUNT one thing runs that often and nothing is measured, for callgrind:
//
//     codec-benchmark DIR                             DIR holds what Benchmarks/load/gen.py writes
//     codec-benchmark DIR DOCUMENT in|out COUNT

import CMallocCount
import Glibc
import ProtoRuntime
import Transcode

func fail(_ message: String) -> Never {
    print("codec-benchmark: \(message)")
    exit(1)
}

func load(_ path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { fail("cannot read \(path)") }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe fread(&piece, 1, piece.count, file)
        if count == 0 { return bytes }
        bytes += piece[..<count]
    }
}

func cpuSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// One document in both forms, and the codecs.
struct Document: ~Copyable {
    let name: String
    private let path: String
    private let type: Int32
    private let tables: DescriptorTables
    private var json = OutputBlock()
    private var wire = OutputBlock()
    private var out = OutputBlock()

    /// `kind` is the message's full name.
    init(_ name: String, _ kind: String, in directory: String, _ pool: borrowing DescriptorPool) {
        self.name = name
        guard let type = pool.messageIndex(named: kind) else { fail("no \(kind)") }
        self.type = type
        tables = pool.tables
        path = "\(directory)/\(name).json"
        json.append(load(path).span)
        json.seal()
        wire.append(load("\(directory)/\(name).pb").span)
        wire.seal()
    }

    var size: Int { json.count }

    mutating func encode() {
        out.removeAll()
        do throws(JSONError) {
            let codec = JSONToProto(tables, options: JSONOptions())
            try codec.encode(json, in: 0..<json.count, as: type, into: &out)
        } catch {
            fail("\(name): \(error)")
        }
    }

    mutating func format() {
        out.removeAll()
        do throws(JSONError) {
            let codec = ProtoToJSON(tables, options: JSONOptions())
            try codec.format(wire, in: 0..<wire.count, as: type, into: &out)
        } catch {
            fail("\(name): \(error)")
        }
    }

    /// JSON → wire gives protoc's bytes, and wire → JSON what leads back to them; unknown fields are in the wire bytes
    /// alone.
    mutating func check() {
        var expected = OutputBlock()
        encode()
        let isKnown = name != "unknown"
        guard same(out.bytes, wire.bytes) == isKnown else { fail("\(name): not protoc's bytes") }
        swap(&out, &expected)
        format()
        swap(&out, &json)
        json.seal()
        encode()
        guard same(out.bytes, expected.bytes) else { fail("\(name): the JSON does not lead back") }
        swap(&out, &json)
        json.removeAll()
        json.append(load(path).span)
        json.seal()
    }

    private func same(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        left.count == right.count && left.indices.allSatisfy { left[$0] == right[$0] }
    }

    mutating func run(_ isIn: Bool, _ count: Int) {
        for _ in 0..<count { if isIn { encode() } else { format() } }
    }

    mutating func measure(_ isIn: Bool) {
        run(isIn, 3)
        let mallocs = malloc_count()
        run(isIn, 100)
        let allocations = Double(malloc_count() - mallocs) / 100
        let count = max(1, 4_000_000 / size)
        var best = Double.infinity
        for _ in 0..<40 {
            let start = cpuSeconds()
            run(isIn, count)
            best = min(best, (cpuSeconds() - start) / Double(count))
        }
        let rate = Int(Double(size) / best / 1e6)
        let nanos = Int(best * 1e9)
        let direction = isIn ? "JSON → wire" : "wire → JSON"
        print("| \(name) | \(direction) | \(rate) MB/s | \(nanos) ns | \(allocations) |")
    }
}

/// Names and types of the documents: those of the load benchmark, and those of codec.txt.
func documents(in directory: String) -> [(name: String, kind: String)] {
    let list = String(decoding: load("\(directory)/codec.txt"), as: UTF8.self)
    let own = list.split(separator: "\n").map { line in
        let words = line.split(separator: " ").map(String.init)
        return (words[0], words[1])
    }
    return [("small", "bench.v1.EchoMessage")] + ["1k", "64k", "1m"].map { ($0, "bench.v1.Batch") }
        + own
}

let arguments = CommandLine.arguments
guard arguments.count == 2 || arguments.count == 5 else {
    fail("usage: codec-benchmark DIR [DOCUMENT in|out COUNT]")
}
do throws(DescriptorError) {
    let directory = arguments[1]
    let pool = try DescriptorPool(fileDescriptorSets: [load("\(directory)/bench.pb")])
    if arguments.count == 2 {
        print("| document | direction | speed | a call | allocations a call |")
        print("|---|---|---|---|---|")
    }
    for (name, kind) in documents(in: directory) {
        if arguments.count == 5 {
            guard name == arguments[2] else { continue }
            var document = Document(name, kind, in: directory, pool)
            document.run(arguments[3] == "in", Int(arguments[4]) ?? 1)
        } else {
            var document = Document(name, kind, in: directory, pool)
            document.check()
            document.measure(true)
            document.measure(false)
        }
    }
} catch {
    fail("\(error)")
}
