import ProtoRuntime
import Transcode

/// Formats responses of HTTP/1.1 into a connection's output.
enum HTTP1Writer {
    /// How the end of a body is told to the client.
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// HTTP/1.0: the body ends with the connection.
        case untilClose
        /// 204, 304: there is none.
        case none
    }

    static func appendHead(
        _ head: borrowing ResponseHead, framing: Framing, keepsAlive: Bool, date: [UInt8],
        to output: inout OutputBlock
    ) {
        appendStatusLine(head.status, to: &output)
        for index in 0..<head.fields.count {
            output.append(head.fields.name(at: index))
            output.append(": ")
            output.append(head.fields.value(at: index))
            output.append("\r\n")
        }
        output.append("date: ")
        output.append(date.span)
        switch framing {
        case .length(let length):
            output.append("\r\ncontent-length: ")
            appendDecimal(length, to: &output)
        case .chunked: output.append("\r\ntransfer-encoding: chunked")
        case .untilClose, .none: break
        }
        output.append(keepsAlive ? "\r\n\r\n" : "\r\nconnection: close\r\n\r\n")
    }

    /// One chunk; nothing for no bytes, since an empty chunk would end the body.
    static func appendChunk(_ bytes: Span<UInt8>, to output: inout OutputBlock) {
        guard bytes.count > 0 else { return }
        appendHexadecimal(bytes.count, to: &output)
        output.append("\r\n")
        output.append(bytes)
        output.append("\r\n")
    }

    static func appendLastChunk(to output: inout OutputBlock) { output.append("0\r\n\r\n") }

    static func appendContinue(to output: inout OutputBlock) {
        output.append("HTTP/1.1 100 Continue\r\n\r\n")
    }

    static func appendDecimal(_ number: Int, to output: inout OutputBlock) {
        guard number >= 10 else {
            output.append(UInt8(truncatingIfNeeded: 48 + max(number, 0)))
            return
        }
        appendDecimal(number / 10, to: &output)
        output.append(UInt8(truncatingIfNeeded: 48 + number % 10))
    }

    private static func appendHexadecimal(_ number: Int, to output: inout OutputBlock) {
        if number >= 16 { appendHexadecimal(number >> 4, to: &output) }
        let digit = UInt8(truncatingIfNeeded: number & 15)
        output.append(digit < 10 ? 48 + digit : 87 + digit)
    }

    private static func appendStatusLine(_ status: Int, to output: inout OutputBlock) {
        if status == 200 {
            output.append("HTTP/1.1 200 OK\r\n")
            return
        }
        output.append("HTTP/1.1 ")
        appendDecimal(status, to: &output)
        output.append(" ")
        output.append(reason(of: status))
        output.append("\r\n")
    }

    /// The customary phrase of a status (RFC 9110 §15); empty for an unusual one.
    static func reason(of status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
