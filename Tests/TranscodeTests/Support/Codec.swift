import Foundation
import ProtoRuntime

@testable import Transcode

/// The codecs over the committed test protos, for tests that think in strings and hexadecimal.
enum Codec {
    static let pool: DescriptorPool? = {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Protos/test/all.binpb")
        guard let bytes = try? Data(contentsOf: file) else { return nil }
        return try? DescriptorPool(fileDescriptorSets: [Array(bytes)])
    }()

    struct Missing: Error { let name: String }

    /// The schema and the index of "proto3.v1.Scalars" or "google.protobuf.Value".
    static func type(_ name: String) throws -> (tables: DescriptorTables, index: Int32) {
        let full = name.hasPrefix("google.") ? name : "gatewaytest." + name
        guard let pool, let index = pool.messageIndex(named: full) else {
            throw Missing(name: full)
        }
        return (pool.tables, index)
    }

    static func field(_ message: String, _ name: String) throws -> Int32 {
        let type = try type(message)
        guard let index = pool?.fieldIndex(named: name, in: type.index) else {
            throw Missing(name: name)
        }
        return index
    }

    /// JSON → wire.
    static func wire(
        _ json: [UInt8], _ name: String, _ options: JSONOptions = JSONOptions()
    ) throws -> [UInt8] {
        let type = try type(name)
        var input = block(json)
        input.seal()
        var output = block([0xee])
        do {
            let codec = JSONToProto(type.tables, options: options)
            try codec.encode(input, in: 0..<input.count, as: type.index, into: &output)
        } catch {
            guard bytes(output) == [0xee] else {
                throw Missing(name: "the output was not restored")
            }
            throw error
        }
        return Array(bytes(output).dropFirst())
    }

    static func wire(
        _ json: String, _ name: String, _ options: JSONOptions = JSONOptions()
    ) throws -> [UInt8] {
        try wire(Array(json.utf8), name, options)
    }

    /// Wire → JSON.
    static func json(
        _ wire: [UInt8], _ name: String, _ options: JSONOptions = JSONOptions()
    ) throws -> String {
        let type = try type(name)
        // What lies behind the range must not matter.
        let input = block(wire + [0x0a, 0xff, 0xff])
        var output = block([0xee])
        do {
            let codec = ProtoToJSON(type.tables, options: options)
            try codec.format(input, in: 0..<wire.count, as: type.index, into: &output)
        } catch {
            guard bytes(output) == [0xee] else {
                throw Missing(name: "the output was not restored")
            }
            throw error
        }
        return String(decoding: bytes(output).dropFirst(), as: UTF8.self)
    }

    static func json(
        _ hex: String, _ name: String, _ options: JSONOptions = JSONOptions()
    ) throws -> String {
        try json(bytes(hex: hex), name, options)
    }

    /// The error of reading JSON; nil if it was accepted.
    static func refusal(
        _ json: String, _ name: String, _ options: JSONOptions = JSONOptions()
    ) throws -> JSONError? {
        try refusal(Array(json.utf8), name, options)
    }

    static func refusal(
        _ json: [UInt8], _ name: String, _ options: JSONOptions = JSONOptions()
    ) throws -> JSONError? {
        do {
            _ = try wire(json, name, options)
            return nil
        } catch let error as JSONError {
            return error
        }
    }

    /// The error of printing wire bytes; nil if they were accepted.
    static func refusal(wire: [UInt8], _ name: String) throws -> JSONError? {
        do {
            _ = try json(wire, name)
            return nil
        } catch let error as JSONError {
            return error
        }
    }

    static func block(_ bytes: [UInt8]) -> OutputBlock {
        var block = OutputBlock()
        block.append(bytes.span)
        return block
    }

    static func bytes(_ block: borrowing OutputBlock) -> [UInt8] {
        (0..<block.count).map { block[$0] }
    }

    /// "0a 02 68 69" as bytes.
    static func bytes(hex: String) -> [UInt8] {
        hex.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
