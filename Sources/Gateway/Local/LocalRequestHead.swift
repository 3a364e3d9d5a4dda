import Transcode

/// What a local call reads in the head of its request.
enum LocalRequestHead {
    /// An answer in plain HTTP: its status, and one field that goes with it.
    struct Refusal {
        let status: Int
        let name: StaticString
        let value: StaticString
    }

    /// Why the request is no gRPC call; nil when it is one.
    static func refusal(of head: borrowing RequestHead, isTooLarge: Bool) -> Refusal? {
        if isTooLarge { return Refusal(status: 431, name: "content-length", value: "0") }
        guard head.isMethod("POST") else {
            return Refusal(status: 405, name: "allow", value: "POST")
        }
        guard let index = head.fields.firstIndex(of: .contentType),
            isGRPC(head.fields.value(at: index))
        else { return Refusal(status: 415, name: "accept-post", value: GRPC.contentType) }
        return nil
    }

    /// "application/grpc" or "application/grpc+proto", each with or without parameters.
    static func isGRPC(_ type: Span<UInt8>) -> Bool {
        var end = 0
        while end < type.count, type[end] != UInt8(ascii: ";"), type[end] != UInt8(ascii: " ") {
            end += 1
        }
        let bare = type.extracting(0..<end)
        return bare.isEqual(to: "application/grpc") || bare.isEqual(to: "application/grpc+proto")
    }

    /// - Throws: UNIMPLEMENTED for messages in any coding.
    static func checkCompression(_ head: borrowing RequestHead) throws(Status) {
        guard let index = head.fields.firstIndex(of: .grpcEncoding),
            !head.fields.value(at: index).isEqual(to: "identity")
        else { return }
        throw Status(.unimplemented, "compressed messages are not taken here")
    }

    /// Nanoseconds that the client gives the call; nil without `grpc-timeout`.
    static func timeout(_ head: borrowing RequestHead) throws(Status) -> Int64? {
        guard let index = head.fields.firstIndex(of: .grpcTimeout) else { return nil }
        guard let nanoseconds = Timeout.parse(grpc: head.fields.value(at: index)) else {
            throw Status(.internal, "malformed grpc-timeout")
        }
        return nanoseconds
    }

    static func path(_ head: borrowing RequestHead) -> String {
        String(decoding: [UInt8](copying: head.path), as: UTF8.self)
    }
}
