import Testing
import Transcode

@testable import Gateway

@Suite struct LocalRequestHeadTests {
    @Test(
        arguments: [
            ("application/grpc", true), ("application/grpc+proto", true),
            ("application/grpc;charset=utf-8", true), ("application/grpc ; x=y", true),
            ("application/grpc+json", false), ("application/grpc-web", false),
            ("application/json", false), ("", false),
        ])
    func `gRPC is told by its content type`(type: String, isGRPC: Bool) {
        #expect(LocalRequestHead.isGRPC(type.utf8Span.span) == isGRPC)
    }

    @Test func `what is no gRPC call gets a plain answer`() {
        var head = RequestHead()
        head.setMethod("GET".utf8Span.span)
        #expect(LocalRequestHead.refusal(of: head, isTooLarge: false)?.status == 405)
        head.setMethod("POST".utf8Span.span)
        #expect(LocalRequestHead.refusal(of: head, isTooLarge: false)?.status == 415)
        head.fields.append(.contentType, "application/grpc")
        #expect(LocalRequestHead.refusal(of: head, isTooLarge: false) == nil)
        #expect(LocalRequestHead.refusal(of: head, isTooLarge: true)?.status == 431)
    }

    @Test(arguments: [("1S", 1_000_000_000), ("0n", 0), ("x", nil)] as [(String, Int64?)])
    func `the timeout is read or refused`(text: String, nanoseconds: Int64?) {
        var head = RequestHead()
        #expect((try? LocalRequestHead.timeout(head)) == .some(nil))
        head.fields.append(.grpcTimeout, text.utf8Span.span)
        #expect((try? LocalRequestHead.timeout(head)) == nanoseconds)
    }

    @Test(
        arguments: [("identity", nil), ("gzip", StatusCode.unimplemented)]
            as [(String, StatusCode?)])
    func `compressed messages are not implemented`(coding: String, expected: StatusCode?) {
        var head = RequestHead()
        head.fields.append(.grpcEncoding, coding.utf8Span.span)
        var code: StatusCode?
        do throws(Status) {
            try LocalRequestHead.checkCompression(head)
        } catch {
            code = error.code
        }
        #expect(code == expected)
    }
}
