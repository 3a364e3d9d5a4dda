import SwiftProtobuf
import Testing

@testable import ProtoRuntime

@Suite struct CommonTypesTests {
    private func link(_ files: FileProto...) throws -> DescriptorPool {
        try DescriptorPool(fileDescriptorSets: [serializedSet(files)])
    }

    @Test(arguments: [
        "google.rpc.BadRequest.FieldViolation", "google.rpc.ErrorInfo", "google.rpc.RetryInfo",
        "google.rpc.Status", "google.protobuf.Any", "google.protobuf.Value",
        "google.protobuf.Timestamp", "google.protobuf.FieldMask", "google.protobuf.Empty",
        "google.protobuf.BytesValue",
    ])
    func `every pool knows the error details and well-known types`(name: String) throws {
        #expect(try link().messageIndex(named: name) != nil)
        #expect(try link(.make("a.proto", messages: [.make("M")])).messageIndex(named: name) != nil)
    }

    @Test func `a set's own types come first and keep their indices`() throws {
        let pool = try link(.make("a.proto", messages: [.make("M")]))
        #expect(pool.messageIndex(named: "p.M") == 0)
        #expect(pool.files.first?.name == "a.proto")
    }

    @Test func `a file of the set takes the place of the built-in one`() throws {
        let own = FileProto.make(
            "google/rpc/error_details.proto", package: "google.rpc",
            messages: [.make("ErrorInfo", [.make("reason_number", 7)])])
        let pool = try link(own)
        let index = try #require(pool.messageIndex(named: "google.rpc.ErrorInfo"))
        #expect(pool.fieldIndex(named: "reason_number", in: index) != nil)
        #expect(pool.fieldIndex(named: "reason", in: index) == nil)
        #expect(pool.messageIndex(named: "google.rpc.BadRequest") == nil)
        #expect(pool.messageIndex(named: "google.rpc.Status") != nil)
    }

    @Test(arguments: [
        // A type, an enum value, a service and a package of the same name.
        FileProto.make("v.proto", package: "google.rpc", messages: [.make("BadRequest")]),
        FileProto.make(
            "v.proto", package: "google.rpc", enums: [.make("E", [("BadRequest", 0)])]),
        FileProto.make("v.proto", package: "", messages: [.make("google")]),
        FileProto.make("v.proto", package: "google", messages: [.make("rpc")]),
        // An import that does not declare what is used.
        FileProto.make("google/protobuf/duration.proto", package: "q", messages: [.make("M")]),
    ])
    func `a built-in file that does not fit is left out`(file: FileProto) throws {
        let pool = try link(file)
        #expect(pool.messageIndex(named: "google.rpc.RetryInfo") == nil)
        #expect(pool.files.first?.name == file.name)
    }

    @Test func `of two versions of protobuf's own files the one that declares more is taken`()
        throws
    {
        func version(_ fields: Int32) throws -> [UInt8] {
            let message = MessageProto.make("M", (1...fields).map { .make("f\($0)", $0) })
            return try serializedSet([
                .make(
                    "google/protobuf/descriptor.proto", package: "google.protobuf",
                    messages: [message])
            ])
        }
        for sets in [[try version(1), try version(2)], [try version(2), try version(1)]] {
            let pool = try DescriptorPool(fileDescriptorSets: sets, common: [])
            #expect(pool.files.count == 1)
            #expect(pool.tables.message(0).fieldCount == 2)
        }
    }

    @Test func `two options of one number are no conflict, and the first is known`() throws {
        let options = FileProto.make(
            "google/protobuf/descriptor.proto", package: "google.protobuf",
            messages: [
                .make("FieldOptions") {
                    $0.extensionRange = [
                        .with {
                            $0.start = 1_000
                            $0.end = 536_870_912
                        }
                    ]
                }
            ])
        func owner(_ name: String) -> FileProto {
            .make("\(name).proto", package: name, imports: ["google/protobuf/descriptor.proto"]) {
                $0.syntax = "proto2"
                $0.extension = [
                    .make("mark", 50_000) { $0.extendee = ".google.protobuf.FieldOptions" }
                ]
            }
        }
        let pool = try link(options, owner("a"), owner("b"))
        let message = try #require(pool.messageIndex(named: "google.protobuf.FieldOptions"))
        #expect(pool.fieldIndex(named: "[a.mark]", in: message) != nil)
        #expect(pool.fieldIndex(named: "[b.mark]", in: message) == nil)
        #expect(pool.extensions.count == 2)
    }
}
