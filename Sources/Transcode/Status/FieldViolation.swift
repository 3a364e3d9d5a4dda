import ProtoRuntime

extension Status {
    /// 400 for one part of a request, with a google.rpc.BadRequest that says which and why.
    ///
    /// - Parameters:
    ///   - field: as the client wrote it: the path of a JSON member, the name of a query parameter, the field that a
    ///     part of the path is for; empty for the body as a whole.
    ///   - why: without the field's name.
    ///   - message: the whole in words, for people.
    static func violation(
        of field: String, _ why: String, message: String, reason: String
    ) -> Status {
        var status = Status(.invalidArgument, message, reason: reason)
        status.addDetail("google.rpc.BadRequest") { badRequest in
            badRequest.appendField(1) { violation in
                if !field.isEmpty { violation.appendField(1, string: field) }
                violation.appendField(2, string: why)
            }
        }
        return status
    }

    /// A codec's error: the client's fault when JSON was read, the upstream's when a message was printed.
    public init(_ error: JSONError) {
        guard error.isInternal else {
            self = .violation(
                of: error.path, error.message, message: error.description, reason: "invalid_body")
            return
        }
        self.init(.internal, error.description, httpStatus: 502, reason: "bad_upstream_message")
    }
}
