/// Why bytes are not a request of HTTP/1.1; each has the status that is answered before the connection closes.
enum HTTP1Error: Error, Equatable {
    case badRequestLine, badVersion, badTarget, badFieldName, badFieldValue, badLineEnd,
        obsoleteFolding
    case missingHost, severalHosts, badContentLength, lengthAndChunked, unknownTransferCoding
    case badChunkSize, badChunkEnd, chunkExtensionTooLong, trailersTooLarge
    case unknownExpectation
    case targetTooLong, headTooLarge, tooManyFields

    /// HTTP status of the answer.
    var status: Int {
        switch self {
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .badVersion: 505
        case .unknownExpectation: 417
        case .unknownTransferCoding: 501
        default: 400
        }
    }

    var message: String {
        switch self {
        case .badRequestLine: "the request line must be: method SP target SP HTTP/1.1"
        case .badVersion: "the HTTP version is not supported; 1.0 and 1.1 are, and 2 by its preface"
        case .unknownExpectation: "the only expectation that can be met is 100-continue"
        case .badTarget: "the request target must start with '/' or be an absolute http URL"
        case .badFieldName: "a header name must be a token directly followed by ':'"
        case .badFieldValue: "a header value has a control character"
        case .badLineEnd: "lines must end in CR LF"
        case .obsoleteFolding: "folded header lines are not accepted"
        case .missingHost: "the Host header is missing"
        case .severalHosts: "there must be exactly one Host header"
        case .badContentLength: "Content-Length must be one decimal number"
        case .lengthAndChunked: "Content-Length and Transfer-Encoding exclude each other"
        case .unknownTransferCoding: "the only transfer coding accepted is chunked"
        case .badChunkSize: "a chunk size must be 1 to 15 hexadecimal digits"
        case .badChunkEnd: "chunk data must be followed by CR LF"
        case .chunkExtensionTooLong: "a chunk extension is too long"
        case .trailersTooLarge: "the trailers are too large"
        case .targetTooLong: "the request target is too long"
        case .headTooLarge: "the request head is too large"
        case .tooManyFields: "the request has too many header fields"
        }
    }
}
