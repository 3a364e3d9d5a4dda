import ProtoRuntime
import Testing

@testable import Transcode

@Suite struct StatusJSONTests {
    /// A google.rpc.Status with details given as type URL and value.
    private func status(_ message: String, _ details: [(String, [UInt8])]) throws -> Status {
        let encoded = writtenBytes { block in
            block.appendField(1, varint: 5)
            block.appendField(2, string: message)
            for (url, value) in details {
                block.appendField(3) { any in
                    any.appendField(1, string: url)
                    any.appendField(2, bytes: value.span)
                }
            }
        }
        return Status(code: .notFound, message: "plain", encodedDetails: encoded.span)
    }

    @Test func `REST gets google.rpc.Status with the code's number`() throws {
        let pool = try TestPool.rest.get()
        #expect(
            written {
                StatusJSON.appendREST(Status(.notFound, "no \"x\"\n"), pool: pool, into: &$0)
            }
                == "{\"code\":5,\"message\":\"no \\\"x\\\"\\n\"}")
        #expect(
            written { StatusJSON.appendREST(Status(.internal), pool: nil, into: &$0) }
                == "{\"code\":13,\"message\":\"\"}")
    }

    @Test func `AIP-193 puts the HTTP status and the code's name into an envelope`() throws {
        var status = Status(.cancelled, "no")
        status.addDetail("gateway.test.rest.Thing") { $0.appendField(1, string: "a") }
        let pool = try TestPool.rest.get()
        #expect(
            written { StatusJSON.appendAIP193(status, pool: pool, into: &$0) }
                == "{\"error\":{\"code\":499,\"message\":\"no\",\"status\":\"CANCELLED\",\"details\":["
                + "{\"@type\":\"type.googleapis.com/gateway.test.rest.Thing\",\"name\":\"a\"}]}}")
        #expect(
            written { StatusJSON.appendAIP193(.routeNotFound, pool: nil, into: &$0) }
                == "{\"error\":{\"code\":404,\"message\":\"no route for this path\",\"status\":\"NOT_FOUND\"}}"
        )
    }

    @Test(
        arguments: [
            ([0x0a, 2, 0x08, 5], 5), ([0x0a, 4, 0x08, 5, 0x10, 1], 6), ([0x0a, 0], 0), ([], 0),
            ([0x0a, 2, 0x10, 1], 1), ([0x0a, 2, 0x08, 1, 0x0a, 2, 0x10, 1], 2), ([0x0a], nil),
            ([0x0a, 11, 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], nil),
            ([0x0a, 10, 0x08, 255, 255, 255, 255, 255, 255, 255, 255, 127], nil),
            ([0x0a, 11, 0x10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], nil),
        ] as [([UInt8], Int64?)])
    func `a RetryInfo tells whole seconds, rounded up`(_ value: [UInt8], _ seconds: Int64?) {
        var status = Status(.unavailable)
        #expect(status.retryAfterSeconds == nil)
        status.addDetail("google.rpc.ErrorInfo") { $0.appendField(1, string: "x") }
        #expect(status.retryAfterSeconds == nil)
        status.addDetail("google.rpc.RetryInfo") { $0.append(value.span) }
        #expect(status.retryAfterSeconds == seconds)
    }

    @Test func `Connect gets the code's name`() {
        #expect(
            written { StatusJSON.appendConnect(Status(.cancelled, "é\u{1}"), pool: nil, into: &$0) }
                == "{\"code\":\"canceled\",\"message\":\"é\\u0001\"}")
        #expect(
            written { StatusJSON.appendConnect(Status(.dataLoss), pool: nil, into: &$0) }
                == "{\"code\":\"data_loss\"}")
    }

    @Test func `details are printed by their type, or kept as base64`() throws {
        let thing: [UInt8] = [0x0a, 1, 0x61]
        let base = "type.googleapis.com/"
        let status = try status(
            "gone",
            [
                (base + "gateway.test.rest.Thing", thing), (base + "gateway.test.rest.Thing", []),
                (base + "google.protobuf.Duration", [0x08, 1]), (base + "unknown.Type", [255, 1]),
                (base + "google.protobuf.Empty", []), (base + "gateway.test.rest.Thing", [0x0a]),
            ])
        #expect(status.message == "gone")
        let pool = try TestPool.rest.get()
        #expect(
            written { StatusJSON.appendREST(status, pool: pool, into: &$0) }
                == "{\"code\":5,\"message\":\"gone\",\"details\":["
                + "{\"@type\":\"\(base)gateway.test.rest.Thing\",\"name\":\"a\"},"
                + "{\"@type\":\"\(base)gateway.test.rest.Thing\"},"
                + "{\"@type\":\"\(base)google.protobuf.Duration\",\"value\":\"1s\"},"
                + "{\"@type\":\"\(base)unknown.Type\",\"@value\":\"/wE=\"},"
                + "{\"@type\":\"\(base)google.protobuf.Empty\"},"
                + "{\"@type\":\"\(base)gateway.test.rest.Thing\",\"@value\":\"Cg==\"}]}")
        #expect(
            written { StatusJSON.appendConnect(status, pool: pool, into: &$0) }
                == "{\"code\":\"not_found\",\"message\":\"gone\",\"details\":["
                + "{\"type\":\"gateway.test.rest.Thing\",\"value\":\"CgFh\",\"debug\":{\"name\":\"a\"}},"
                + "{\"type\":\"gateway.test.rest.Thing\",\"value\":\"\",\"debug\":{}},"
                + "{\"type\":\"google.protobuf.Duration\",\"value\":\"CAE\",\"debug\":\"1s\"},"
                + "{\"type\":\"unknown.Type\",\"value\":\"/wE\"},"
                + "{\"type\":\"google.protobuf.Empty\",\"value\":\"\",\"debug\":{}},"
                + "{\"type\":\"gateway.test.rest.Thing\",\"value\":\"Cg\"}]}")
    }

    @Test func `details of another code than grpc-status are dropped`() {
        let encoded: [UInt8] = [0x08, 3, 0x12, 1, 0x61, 0x1a, 0]
        let other = Status(code: .notFound, message: "m", encodedDetails: encoded.span)
        #expect(other.code == .notFound)
        #expect(other.message == "m")
        #expect(other.details.isEmpty)
        let same = Status(code: .invalidArgument, message: "m", encodedDetails: encoded.span)
        #expect(same.message == "a")
        #expect(same.details == [0x1a, 0])
    }

    @Test(arguments: [[], [0x08], [0x0a, 9], [0x08, 3, 0x1a, 200], [0x07]] as [[UInt8]])
    func `details that cannot be read are dropped`(_ bytes: [UInt8]) {
        let status = Status(code: .invalidArgument, message: "m", encodedDetails: bytes.span)
        #expect(status == Status(.invalidArgument, "m"))
    }

    @Test func `a status goes through its serialized form`() throws {
        let status = try status("gone", [("t/x.Y", [UInt8](repeating: 7, count: 200))])
        let bytes = writtenBytes { status.encode(into: &$0) }
        #expect(Status(code: .notFound, message: "", encodedDetails: bytes.span) == status)
    }

    @Test func `broken details in a status do not break its JSON`() {
        var status = Status(.internal, "m")
        status.details = [0x1a, 2, 0x0a, 9]
        #expect(
            written { StatusJSON.appendREST(status, pool: nil, into: &$0) }
                == "{\"code\":13,\"message\":\"m\"}")
    }
}
