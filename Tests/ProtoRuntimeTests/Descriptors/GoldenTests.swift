import SwiftProtobuf
import Testing

@testable import ProtoRuntime

/// The linked tables, printed as Protos/test/golden.py prints Python's descriptors.
private struct GoldenPrinter {
    let pool: DescriptorPool
    private var tables: DescriptorTables { pool.tables }

    init(_ pool: DescriptorPool) { self.pool = pool }

    func lines() -> [String] {
        var lines = pool.files.map { file in
            "file \(file.name) package=\(file.package.isEmpty ? "-" : file.package)"
        }
        for index in 0..<tables.messageCount { lines += message(index) }
        for index in 0..<tables.enumCount { lines += enumeration(index) }
        for declared in pool.extensions {
            let extendee = pool.messageName(declared.extendee)
            lines.append(
                "extension \(declared.fullName) of \(extendee) \(describe(declared.field))")
        }
        for method in pool.services.flatMap(\.methods) {
            let types = "\(pool.messageName(method.input)) -> \(pool.messageName(method.output))"
            let streams = words([
                ("client", method.isClientStreaming), ("server", method.isServerStreaming),
            ])
            lines.append("method \(method.fullName) \(types) streams=\(streams)")
        }
        return lines
    }

    private func message(_ index: Int32) -> [String] {
        let entry = tables.message(index)
        let name = pool.messageName(index)
        let flags = words([
            ("map_entry", entry.isMapEntry), ("message_set", entry.isMessageSet),
            ("required", entry.hasRequired),
        ])
        // Python lists extensions where they are declared.
        let own = (entry.firstField..<entry.firstField + entry.fieldCount).filter { field in
            !tables.field(field).flags.contains(.isExtension)
        }
        let fields = own.map { field in
            "field \(name).\(pool.fieldName(field, json: false)) \(describe(field))"
        }
        let counts = "fields=\(own.count) oneofs=\(entry.oneofCount)"
        return ["message \(name) \(counts) flags=\(flags)"] + fields
    }

    private func describe(_ index: Int32) -> String {
        let field = tables.field(index)
        let target =
            switch field.kind {
            case .message, .group: pool.messageName(field.typeIndex)
            case .enumeration: pool.enumName(field.typeIndex)
            default: "-"
            }
        let flags = words([
            ("repeated", field.flags.contains(.repeated)), ("map", field.flags.contains(.map)),
            ("packed", field.flags.contains(.packed)),
            ("presence", field.flags.contains(.presence)),
            ("required", field.flags.contains(.required)),
            ("utf8", field.flags.contains(.verifyUTF8)),
            ("delimited", field.flags.contains(.delimited)),
            ("extension", field.flags.contains(.isExtension)),
        ])
        return "number=\(field.number) json=\(pool.fieldName(index, json: true)) "
            + "type=\(field.kind.rawValue) target=\(target) oneof=\(field.oneofIndex) "
            + "flags=\(flags)"
    }

    private func enumeration(_ index: Int32) -> [String] {
        let entry = tables.enumeration(index)
        let name = pool.enumName(index)
        let values = (0..<entry.valueCount).map { position in
            let value = tables.enumValue(entry.firstValue + position)
            let quoted = tables.text(offset: value.quotedOffset, length: value.quotedLength)
            let bare = string(quoted.extracting(1..<quoted.count - 1))
            return "value \(name) \(position) \(bare)=\(value.number)"
        }
        return ["enum \(name) \(entry.isClosed ? "closed" : "open")"] + values
    }

    private func words(_ pairs: [(String, Bool)]) -> String {
        "[" + pairs.filter(\.1).map(\.0).joined(separator: " ") + "]"
    }
}

func string(_ bytes: Span<UInt8>) -> String {
    String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
}

@Suite struct GoldenTests {
    @Test func `every type is linked as Python's protobuf links it`() throws {
        let expected = Set(try TestSet.goldenLines())
        let actual = Set(GoldenPrinter(try TestSet.pool()).lines())
        #expect(expected.count > 900)
        #expect(expected.subtracting(actual).sorted() == [])
        #expect(actual.subtracting(expected).sorted() == [])
    }

    @Test func `the linked set does not depend on computed names being spelled out`() throws {
        var set = try TestSet.parsed()
        for file in set.file.indices {
            for message in set.file[file].messageType.indices {
                clearDefaultJSONNames(&set.file[file].messageType[message])
            }
        }
        let pool = try DescriptorPool(fileDescriptorSets: [set.serializedBytes()], common: [])
        #expect(Set(GoldenPrinter(pool).lines()) == Set(try TestSet.goldenLines()))
    }

    private func clearDefaultJSONNames(_ message: inout MessageProto) {
        let isCustom: Set = ["custom", "quoted"]
        for index in message.field.indices where !isCustom.contains(message.field[index].name) {
            message.field[index].clearJsonName()
        }
        for index in message.nestedType.indices {
            clearDefaultJSONNames(&message.nestedType[index])
        }
    }
}
