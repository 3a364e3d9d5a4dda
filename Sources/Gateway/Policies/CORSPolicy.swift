import ProtoRuntime
import Transcode

/// Which pages of other origins may call the gateway, and what they may see of its answers (WHATWG Fetch §3.2).
/// One policy for all protocols: what each of them sends and answers is allowed and exposed by itself. Pure.
public final class CORSPolicy: Sendable, Equatable {
    /// One entry of `cors.origins`.
    public enum Origin: Sendable, Equatable {
        /// `*`
        case any
        /// `https://app.example.com`
        case exact([UInt8])
        /// `https://*.example.com`: any name below that domain.
        case below(scheme: [UInt8], domain: [UInt8])
    }

    /// Seconds that a browser may keep the answer to a preflight where nothing is configured.
    public static let maxAgeSeconds = 7200

    let origins: [Origin]
    /// Cookies and `Authorization` of the page's user are sent. Never with `*`.
    let allowsCredentials: Bool
    private let maxAge: String
    private let allowsAny: Bool

    public init(origins: [Origin], allowsCredentials: Bool, maxAgeSeconds: Int) {
        self.origins = origins
        self.allowsCredentials = allowsCredentials
        maxAge = String(maxAgeSeconds)
        allowsAny = origins.contains(.any) && !allowsCredentials
    }

    /// Any page, without credentials.
    public static var open: CORSPolicy {
        CORSPolicy(
            origins: [.any], allowsCredentials: false, maxAgeSeconds: CORSPolicy.maxAgeSeconds)
    }

    public static func == (left: CORSPolicy, right: CORSPolicy) -> Bool {
        left.origins == right.origins && left.allowsCredentials == right.allowsCredentials
            && left.maxAge == right.maxAge
    }

    func allows(_ origin: Span<UInt8>) -> Bool {
        for entry in origins {
            switch entry {
            case .any: return true
            case .exact(let text): if CORSPolicy.isEqual(origin, text.span) { return true }
            case .below(let scheme, let domain):
                // At least one byte stands for the `*`.
                guard origin.count > scheme.count + domain.count,
                    CORSPolicy.isEqual(origin.extracting(0..<scheme.count), scheme.span),
                    CORSPolicy.isEqual(
                        origin.extracting((origin.count - domain.count)...), domain.span),
                    CORSPolicy.isHostPart(
                        origin.extracting(scheme.count..<origin.count - domain.count))
                else { continue }
                return true
            }
        }
        return false
    }

    // MARK: Answers

    /// Whether a request is a preflight, which the gateway answers itself.
    static func isPreflight(_ head: borrowing RequestHead) -> Bool {
        head.isMethod("OPTIONS") && head.fields.firstIndex(of: .origin) != nil
            && field("access-control-request-method", of: head) != nil
    }

    /// Formats the answer to a preflight: 204, with the permission where the origin has it.
    func appendPreflight(
        _ request: borrowing RequestHead, methods: MethodTable, to head: inout ResponseHead
    ) {
        head.status = 204
        guard appendOrigin(of: request, to: &head) else { return }
        let asked = CORSPolicy.field("access-control-request-method", of: request) ?? 0
        head.fields.append(
            "access-control-allow-methods",
            text: CORSPolicy.methods(
                for: request.path, asked: String(copying: request.fields.value(at: asked)), methods)
        )
        if let index = CORSPolicy.field("access-control-request-headers", of: request),
            Metadata.isValidValue(request.fields.value(at: index))
        {
            // What a page may send is for upstreams to judge; what protocols need is among it.
            head.fields.append(
                "access-control-allow-headers",
                text: String(copying: request.fields.value(at: index)))
        }
        head.fields.append("access-control-max-age", text: maxAge)
        if let index = CORSPolicy.field("access-control-request-private-network", of: request),
            request.fields.value(at: index).isEqual(to: "true")
        {
            head.fields.append("access-control-allow-private-network", "true")
        }
        head.fields.append(
            "vary",
            "Access-Control-Request-Method, Access-Control-Request-Headers")
    }

    /// Adds to a response's head what lets its page read it: all its fields, errors included.
    func append(for request: borrowing RequestHead, to head: inout ResponseHead) {
        guard appendOrigin(of: request, to: &head) else { return }
        if allowsAny {
            head.fields.append("access-control-expose-headers", "*")
            return
        }
        var names = OutputBlock()
        for index in 0..<head.fields.count {
            guard CORSPolicy.needsExposure(head.fields.name(at: index)) else { continue }
            if !names.isEmpty { names.append(", ") }
            names.append(head.fields.name(at: index))
        }
        guard !names.isEmpty else { return }
        head.fields.append("access-control-expose-headers", text: String(copying: names.bytes))
    }

    /// Whether the origin has permission; says so, and that the answer depends on who asks.
    private func appendOrigin(
        of request: borrowing RequestHead, to head: inout ResponseHead
    ) -> Bool {
        if !allowsAny { head.fields.append("vary", "Origin") }
        guard let index = request.fields.firstIndex(of: .origin),
            allows(request.fields.value(at: index))
        else { return false }
        if allowsAny {
            head.fields.append("access-control-allow-origin", "*")
        } else {
            head.fields.append(
                "access-control-allow-origin",
                text: String(copying: request.fields.value(at: index)))
        }
        if allowsCredentials {
            head.fields.append("access-control-allow-credentials", "true")
        }
        return true
    }

    /// The methods of a path. Of one that is not there the method that is asked for, so that the page sees the 404.
    private static func methods(
        for path: Span<UInt8>, asked: String, _ methods: MethodTable
    ) -> String {
        if methods.index(ofPath: path) >= 0 { return "POST, GET" }
        let allowed = methods.routes.allowedMethods(path: path)
        // A route of any method names none.
        return allowed.isEmpty || allowed.contains("*") ? asked : allowed
    }

    /// Names that pages may read anyway, or never (WHATWG Fetch §2.2.2), and CORS's own.
    private static func needsExposure(_ name: Span<UInt8>) -> Bool {
        let known: [StaticString] = [
            "cache-control", "content-language", "content-length", "content-type", "expires",
            "last-modified", "pragma", "set-cookie", "vary",
        ]
        return !known.contains { name.isEqual(to: $0) } && !name.hasPrefix("access-control-")
    }

    private static func field(_ name: StaticString, of head: borrowing RequestHead) -> Int? {
        for index in 0..<head.fields.count where head.fields.name(at: index).isEqual(to: name) {
            return index
        }
        return nil
    }

    private static func isEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        for index in left.indices where left[index] != right[index] { return false }
        return true
    }

    /// Letters, digits, `-` and `.` only, so that `*` is no way around the scheme or the port.
    private static func isHostPart(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            switch text[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."):
                continue
            default: return false
            }
        }
        return true
    }
}

extension CORSPolicy.Origin {
    /// Why a text is no origin.
    public struct ParseError: Error, Equatable { public var message: String }

    /// `*`, `https://app.example.com`, `http://localhost:3000`, `https://*.example.com`, `capacitor://localhost`, or
    /// `null`.
    public init(_ text: String) throws(ParseError) {
        if text == "*" {
            self = .any
            return
        }
        if text == "null" {
            self = .exact(Array(text.utf8))
            return
        }
        guard let end = text.firstRange(of: "://") else {
            throw ParseError(
                message: "an origin has a scheme, such as https://app.example.com, or is *")
        }
        let scheme = text[..<end.lowerBound]
        let host = text[end.upperBound...]
        guard CORSPolicy.Origin.isScheme(scheme), !host.isEmpty, text == text.lowercased(),
            !host.utf8.contains(where: { "/?#@ ".utf8.contains($0) })
        else {
            throw ParseError(
                message:
                    "an origin is a scheme, a host and perhaps a port, in lower case and without a path"
            )
        }
        let defaultPort = scheme == "https" ? ":443" : scheme == "http" ? ":80" : nil
        if let defaultPort, host.hasSuffix(defaultPort) {
            throw ParseError(message: "browsers leave out the port \(defaultPort.dropFirst())")
        }
        guard host.utf8.contains(UInt8(ascii: "*")) else {
            self = .exact(Array(text.utf8))
            return
        }
        let domain = host.dropFirst()
        guard host.hasPrefix("*."), domain.utf8.count > 1, !domain.utf8.contains(UInt8(ascii: "*"))
        else {
            throw ParseError(
                message: "a * stands for the first names of a host: https://*.example.com")
        }
        self = .below(scheme: Array(text[..<end.upperBound].utf8), domain: Array(domain.utf8))
    }

    /// `https`, `http`, and what browser extensions and packed apps have (`capacitor`). RFC 3986 §3.1.
    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first)
        else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
