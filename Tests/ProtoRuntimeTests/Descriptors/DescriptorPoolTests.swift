import SwiftProtobuf
import Testing

@testable import ProtoRuntime

@Suite struct DescriptorPoolTests {
    @Test func `types are found by full name without a leading dot`() throws {
        let pool = try TestSet.pool()
        let index = try #require(pool.messageIndex(named: "gatewaytest.proto3.v1.Outer.Inner"))
        #expect(pool.messageName(index) == "gatewaytest.proto3.v1.Outer.Inner")
        #expect(pool.messageIndex(named: ".gatewaytest.proto3.v1.Outer") == nil)
        #expect(pool.messageIndex(named: "gatewaytest.proto3.v1.Mood") == nil)
        let mood = try #require(pool.enumIndex(named: "gatewaytest.proto3.v1.Mood"))
        #expect(pool.enumName(mood) == "gatewaytest.proto3.v1.Mood")
    }

    @Test(
        arguments: [
            ("Timestamp", .timestamp), ("Duration", .duration), ("FieldMask", .fieldMask),
            ("Struct", .struct), ("Value", .value), ("ListValue", .listValue), ("Any", .any),
            ("Empty", .empty), ("DoubleValue", .doubleValue), ("FloatValue", .floatValue),
            ("Int64Value", .int64Value), ("UInt64Value", .uint64Value), ("Int32Value", .int32Value),
            ("UInt32Value", .uint32Value), ("BoolValue", .boolValue), ("StringValue", .stringValue),
            ("BytesValue", .bytesValue), ("FileOptions", .none),
        ] as [(String, WellKnownType)])
    func `well-known types are recognised by full name`(name: String, type: WellKnownType) throws {
        let pool = try TestSet.pool()
        let index = try #require(pool.messageIndex(named: "google.protobuf.\(name)"))
        #expect(pool.tables.message(index).wellKnown == type)
    }

    @Test func `the name of a well-known type counts in its own package only`() throws {
        let pool = try pool(.make("a.proto", messages: [.make("Timestamp")]))
        #expect(pool.tables.message(0).wellKnown == .none)
    }

    @Test func `a map names its entry, key before value`() throws {
        let pool = try TestSet.pool()
        let field = try pool.field("gatewaytest.proto3.v1.Maps", "mood_map")
        #expect(field.flags == [.repeated, .map])
        #expect(field.kind == .message)
        let entry = pool.tables.message(field.typeIndex)
        #expect(entry.isMapEntry)
        #expect(pool.tables.field(entry.firstField).kind == .string)
        #expect(pool.tables.field(entry.firstField + 1).kind == .enumeration)
    }

    @Test func `an extension is a field of the message that it extends, by its full name`() throws {
        let pool = try TestSet.pool()
        let found = try #require(
            pool.extensions.first { $0.fullName == "gatewaytest.proto2.v1.extra_level" })
        #expect(pool.messageName(found.extendee) == "gatewaytest.proto2.v1.Extendable")
        let field = pool.tables.field(found.field)
        #expect(field.number == 536_870_911)
        #expect(field.flags == [.presence, .isExtension])
        let name = "[gatewaytest.proto2.v1.extra_level]"
        #expect(pool.fieldName(found.field, json: true) == name)
        #expect(pool.fieldName(found.field, json: false) == name)
        #expect(pool.fieldIndex(named: name, in: found.extendee) == found.field)
        #expect(pool.fieldIndex(named: "extra_level", in: found.extendee) == nil)
        #expect(pool.fieldIndex(named: "extraLevel", in: found.extendee) == nil)
        let message = pool.tables.message(found.extendee)
        #expect(message.fieldCount == 6)
        let numbers = (0..<message.fieldCount).map {
            pool.tables.field(message.firstField + $0).number
        }
        #expect(numbers == [1, 100, 101, 102, 103, 536_870_911])
    }

    @Test func `extensions of a MessageSet belong to no message`() throws {
        let pool = try TestSet.pool()
        let found = try #require(
            pool.extensions.first { $0.fullName == "gatewaytest.proto2.v1.SetMember.member" })
        #expect(pool.messageName(found.extendee) == "gatewaytest.proto2.v1.Set")
        #expect(pool.tables.message(found.extendee).fieldCount == 0)
        #expect(pool.tables.field(found.field).number == 2_147_483_646)
    }

    @Test func `files keep their bytes for reflection`() throws {
        let pool = try TestSet.pool()
        for (file, parsed) in zip(pool.files, try TestSet.parsed().file) {
            #expect(try FileProto(serializedBytes: file.serialized) == parsed)
            #expect(file.dependencies == parsed.dependency)
        }
    }
}

@Suite struct ServiceDescriptorTests {
    private func method(_ name: String) throws -> MethodDescriptor {
        let service = try #require(
            TestSet.pool().services.first { $0.fullName == "gatewaytest.proto3.v1.Shelf" })
        #expect(service.file == "all_proto3.proto")
        return try #require(service.methods.first { $0.name == name })
    }

    @Test func `a method knows its path, types and kind`() throws {
        let pool = try TestSet.pool()
        let get = try method("Get")
        #expect(get.fullName == "gatewaytest.proto3.v1.Shelf.Get")
        #expect(get.path == "/gatewaytest.proto3.v1.Shelf/Get")
        #expect(pool.messageName(get.input) == "gatewaytest.proto3.v1.Scalars")
        #expect(pool.messageName(get.output) == "gatewaytest.proto3.v1.Everything")
        #expect(!get.isClientStreaming && !get.isServerStreaming)
        #expect(get.hasNoSideEffects)
        #expect(try method("Put").hasNoSideEffects == false)
        let chat = try method("Chat")
        #expect(chat.isClientStreaming && chat.isServerStreaming)
    }

    @Test func `the HTTP rule is the option's payload`() throws {
        // get (2): "/v1/{string_value=shelves/*}"; additional_bindings (11): { get: … }
        let rule = try #require(try method("Get").httpRule)
        var reader = WireReader(rule.span)
        let get = try #require(try reader.readTag())
        #expect(get.number == 2)
        #expect(try reader.readString(get) == "/v1/{string_value=shelves/*}")
        let more = try #require(try reader.readTag())
        #expect(more.number == 11)
        try reader.skip(more)
        #expect(reader.remaining == 0)
        #expect(try method("Plain").httpRule == nil)
    }

    /// A file with one method p.S.Call(p.M) whose MethodOptions are `options`.
    private func rule(options: [UInt8]) throws -> [UInt8]? {
        let service = try Google_Protobuf_ServiceDescriptorProto.with { service in
            service.name = "S"
            service.method = [
                try .with {
                    $0.name = "Call"
                    $0.inputType = ".p.M"
                    $0.outputType = ".p.M"
                    $0.options = try Google_Protobuf_MethodOptions(serializedBytes: options)
                }
            ]
        }
        let pool = try pool(
            .make("a.proto", messages: [.make("M")]) { $0.service = [service] })
        return pool.services[0].methods[0].httpRule
    }

    /// Field 72295728, length-delimited.
    private static let tag: [UInt8] = [0x82, 0xd3, 0xe4, 0x93, 0x02]

    @Test func `a rule in pieces is joined, and other options are passed over`() throws {
        let other: [UInt8] = [0x88, 0x7d, 0x05]
        let tag = ServiceDescriptorTests.tag
        let options = other + tag + [0x03, 0x12, 0x01, 0x61] + other + tag + [0x02, 0x3a, 0x00]
        #expect(try rule(options: options) == [0x12, 0x01, 0x61, 0x3a, 0x00])
        #expect(try rule(options: other) == nil)
        #expect(try rule(options: tag + [0x00]) == [])
    }

    @Test func `a rule that is no message is refused with its method`() throws {
        let error = #expect(throws: DescriptorError.self) {
            try rule(options: [0x80, 0xd3, 0xe4, 0x93, 0x02, 0x01])
        }
        #expect(
            error?.description
                == "a.proto: p.S.Call: the option google.api.http cannot be read: a field has "
                + "the wrong wire type at byte 0")
    }
}

@Suite struct CorruptionTests {
    /// Links `set`; any outcome but a trap is fine.
    private func link(_ set: [UInt8]) -> Bool {
        do throws(DescriptorError) {
            _ = try DescriptorPool(fileDescriptorSets: [set], common: [])
            return true
        } catch {
            #expect(!error.message.isEmpty)
            return false
        }
    }

    @Test func `a truncated set links or is refused`() throws {
        let set = try TestSet.bytes()
        for count in stride(from: 0, to: set.count, by: 61) { _ = link(Array(set.prefix(count))) }
    }

    @Test func `a file truncated anywhere inside a whole set links or is refused`() throws {
        let shared = try #require(
            try TestSet.parsed().file.first { $0.name == "all_shared.proto" })
        let file: [UInt8] = try shared.serializedBytes()
        for count in 0..<file.count {
            var block = OutputBlock()
            let prefix = Array(file.prefix(count))
            block.appendField(1, bytes: prefix.span)
            _ = link(block.array)
        }
    }

    @Test(arguments: 0..<8)
    func `a set with one byte changed links or is refused`(seed: UInt64) throws {
        let set = try TestSet.bytes()
        var random = SeededGenerator(state: seed)
        var linked = 0
        for _ in 0..<50 {
            var corrupt = set
            let place = Int.random(in: 0..<set.count, using: &random)
            corrupt[place] = UInt8.random(in: 0...255, using: &random)
            if link(corrupt) { linked += 1 }
        }
        #expect(linked < 50)
    }
}
