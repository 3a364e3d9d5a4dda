import Foundation
import ProtoRuntime
import Transcode

/// The descriptor sets of the tree, linked once.
enum FuzzSchemas {
    /// Messages of every shape; an input's first byte chooses one.
    static let messages: [String] = [
        "gatewaytest.proto3.v1.Everything", "gatewaytest.proto3.v1.Scalars",
        "gatewaytest.proto3.v1.Repeated", "gatewaytest.proto3.v1.Maps",
        "gatewaytest.proto3.v1.Oneofs", "gatewaytest.proto3.v1.WellKnown",
        "gatewaytest.proto3.v1.Recursive", "gatewaytest.proto3.v1.Names",
        "gatewaytest.proto2.v1.Everything", "gatewaytest.proto2.v1.Required",
        "gatewaytest.proto2.v1.Groups", "gatewaytest.proto2.v1.Extendable",
        "gatewaytest.proto2.v1.Set", "gatewaytest.edition2023.v1.Everything",
        "gatewaytest.edition2023.v1.Delimited", "gatewaytest.edition2023.v1.Texts",
        "google.protobuf.Value", "google.protobuf.Any", "google.protobuf.Timestamp",
        "google.protobuf.Duration", "google.protobuf.FieldMask", "google.protobuf.DoubleValue",
        "gatewaytest.edition2023.v1.Extendable", "google.rpc.Status",
        "gatewaytest.proto2.v1.Scalars", "gatewaytest.proto3.v1.Optionals",
    ]

    static let all = Result { try DescriptorPool(fileDescriptorSets: [file("test/all.binpb")]) }

    /// The annotated routes of rest.proto; bodies that are a field of every shape, and masks of PATCH.
    static let rest = Result {
        let fields = ["child", "children", "labels", "parts", "when", "value", "object", "maybe"]
        let rules =
            fields.map { (method: "POST", path: "/v1/field/\($0)", body: $0) }
            + [(method: "PATCH", path: "/v1/patch/{text}", body: "child")]
        return try MethodTable(
            pool: DescriptorPool(fileDescriptorSets: [file("test/rest.binpb")]),
            rules: rules.map { rule in
                ConfiguredRule(
                    HTTPRule(
                        selector: "gateway.test.rest.Rest.Post", httpMethod: rule.method,
                        path: rule.path, body: rule.body), appends: true)
            },
            options: { _ in
                var options = MethodOptions()
                options.rest.fillsPatchMask = true
                return options
            })
    }

    static let demo = Result { try file("demo.binpb") }

    /// A file below Protos/.
    private static func file(_ name: String) throws -> [UInt8] {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        return Array(try Data(contentsOf: root.appending(path: "Protos/\(name)")))
    }

    /// What `result` holds; a set that cannot be read breaks every rule.
    static func value<T>(_ result: Result<T, any Error>) throws(BrokenRule) -> T {
        do {
            return try result.get()
        } catch {
            throw BrokenRule("the fuzzer's own schema: \(error)")
        }
    }
}

/// Bytes cut where the input says: one byte with their number, a byte for each length, then the bytes themselves.
struct CutBytes {
    var whole: [UInt8] = []
    var pieces: [[UInt8]] = []

    init(_ input: [UInt8]) {
        guard let first = input.first else { return }
        let lengths = input.dropFirst().prefix(Int(first & 15))
        whole = Array(input.dropFirst(1 + lengths.count))
        var rest = whole[...]
        for length in lengths {
            pieces.append(Array(rest.prefix(Int(length))))
            rest = rest.dropFirst(Int(length))
        }
        pieces.append(Array(rest))
    }
}
