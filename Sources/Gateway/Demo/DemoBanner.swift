/// What `gateway demo` tells whoever started it: where it listens, and what to try.
public enum DemoBanner {
    /// Lines for people. Those that begin with `curl ` after their indentation answer with a success; they need bash
    /// and can be repeated. `upstreamAddress` is the demo's own gRPC server.
    public static func lines(
        gatewayAddress: SocketAddress, upstreamAddress: SocketAddress
    ) -> [String] {
        let gateway = Target(gatewayAddress)
        let service = "gateway.demo.v1.LibraryService"
        return [
            "The demo: a library, a ticker, a chat and an upload behind the gateway.",
            "  gateway   \(gateway.shown)   (REST/JSON, Connect, gRPC-Web, gRPC; HTTP/1.1 and HTTP/2)",
            "  upstream  \(upstreamAddress)   (gRPC only)",
            "",
            "REST, a list and a book:",
            "  \(gateway.curl) '\(gateway.url)/v1/shelves/classics/books?pageSize=2'",
            "  \(gateway.curl) \(gateway.url)/v1/shelves/classics/books/moby-dick",
            "REST, a new book:",
            "  \(gateway.curl) -H 'content-type: application/json'"
                + " -d '{\"title\":\"Middlemarch\",\"authors\":[\"George Eliot\"],\"pageCount\":880}'"
                + " \(gateway.url)/v1/shelves/classics/books",
            "Connect, by POST and by GET:",
            "  \(gateway.curl) -H 'content-type: application/json'"
                + " -d '{\"name\":\"shelves/science\"}' \(gateway.url)/\(service)/GetShelf",
            "  \(gateway.curl) -G -d encoding=json --data-urlencode 'message={\"name\":\"shelves/science\"}'"
                + " \(gateway.url)/\(service)/GetShelf",
            "gRPC (one empty message in its envelope; the answer is binary):",
            "  \(gateway.curl) --http2-prior-knowledge -H 'content-type: application/grpc'"
                + " -H 'te: trailers' --data-binary @<(printf '\\0\\0\\0\\0\\0')"
                + " \(gateway.url)/\(service)/ListShelves | od -c",
            "REST, a stream as events, as lines, and as an array:",
            "  \(gateway.curl) -N -H 'accept: text/event-stream'"
                + " '\(gateway.url)/v1/ticker?count=3&interval=0.5s'",
            "  \(gateway.curl) -N -H 'accept: application/x-ndjson'"
                + " '\(gateway.url)/v1/ticker?count=3&interval=0.5s'",
            "  \(gateway.curl) -N '\(gateway.url)/v1/ticker?count=3&interval=0.5s'",
            "A gRPC stream by buf (https://buf.build), which asks the gateway's reflection for the schema:",
            "  buf curl --protocol grpc --http2-prior-knowledge"
                + " -d '{\"count\":3}' \(gateway.url)/gateway.demo.v1.TickerService/Watch",
            "An error, with its details: \(gateway.curl) -i"
                + " -H 'content-type: application/json' -d '{\"isbn\":\"0\"}'"
                + " \(gateway.url)/v1/shelves/classics/books",
        ]
    }

    /// How a client on this machine reaches a listener.
    private struct Target {
        /// As the ready line names it.
        let shown: String
        let url: String
        /// `curl -s`, and how it finds a Unix socket.
        let curl: String

        init(_ address: SocketAddress) {
            shown = address.isUnix ? "\(address)" : "http://\(address)"
            switch address.form {
            case .unix(let path):
                url = "http://localhost"
                curl = "curl -s --unix-socket '\(path)'"
            case .ip4([0, 0, 0, 0], let port):
                url = "http://127.0.0.1:\(port)"
                curl = "curl -s"
            case .ip6(let bytes, let port, _) where bytes.allSatisfy { $0 == 0 }:
                url = "http://[::1]:\(port)"
                curl = "curl -s"
            case .ip4, .ip6:
                url = "http://\(address)"
                curl = "curl -s"
            }
        }
    }
}
