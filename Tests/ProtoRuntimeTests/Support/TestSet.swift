import Foundation
import SwiftProtobuf

@testable import ProtoRuntime

/// The committed test protos (Protos/test) and what Python says of them.
enum TestSet {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Protos/test")

    /// all.binpb: a FileDescriptorSet of all_*.proto with their imports.
    static func bytes() throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appendingPathComponent("all.binpb")))
    }

    static func parsed() throws -> Google_Protobuf_FileDescriptorSet {
        try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes())
    }

    static func pool() throws -> DescriptorPool {
        try DescriptorPool(fileDescriptorSets: [bytes()], common: [])
    }

    /// The lines of all.golden.txt.
    static func goldenLines() throws -> [String] {
        let text = try String(
            contentsOf: folder.appendingPathComponent("all.golden.txt"), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }
}

/// A small seeded generator (splitmix64), so that a failure repeats.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
