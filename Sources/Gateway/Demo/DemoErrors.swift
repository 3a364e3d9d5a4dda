import ProtoRuntime
import Transcode

/// Errors with details, as google/rpc/error_details.proto has them.
extension Status {
    /// INVALID_ARGUMENT with google.rpc.BadRequest {field_violations = 1 {field = 1, description = 2}}.
    static func invalid(_ field: String, _ description: String) -> Status {
        var status = Status(.invalidArgument, "\(field) \(description)")
        status.appendDetail("google.rpc.BadRequest") { output in
            output.appendField(1) { (output: inout OutputBlock) in
                output.appendField(1, string: field)
                output.appendField(2, string: description)
            }
        }
        return status
    }

    /// NOT_FOUND with google.rpc.ResourceInfo {resource_type = 1, resource_name = 2, description = 4}.
    static func notFound(_ type: String, _ name: String) -> Status {
        .resource(.notFound, type, name, "there is no \(type) of that name")
    }

    /// ALREADY_EXISTS with google.rpc.ResourceInfo.
    static func alreadyExists(_ type: String, _ name: String) -> Status {
        .resource(.alreadyExists, type, name, "there is a \(type) of that name already")
    }

    private static func resource(
        _ code: StatusCode, _ type: String, _ name: String, _ description: String
    ) -> Status {
        var status = Status(code, "\(description): \(name)")
        status.appendDetail("google.rpc.ResourceInfo") { output in
            output.appendField(1, string: type)
            output.appendField(2, string: name)
            output.appendField(4, string: description)
        }
        return status
    }

    /// Appends a `details` field of google.rpc.Status: google.protobuf.Any {type_url = 1, value = 2}.
    private mutating func appendDetail(_ type: String, _ body: (inout OutputBlock) -> Void) {
        var output = OutputBlock()
        output.appendField(3) { (output: inout OutputBlock) in
            output.appendField(1, string: "type.googleapis.com/\(type)")
            output.appendField(2) { (output: inout OutputBlock) in body(&output) }
        }
        details += [UInt8](copying: output.bytes)
    }
}
