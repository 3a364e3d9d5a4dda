import ProtoRuntime
import Testing
import Transcode

@testable import Gateway

/// The same frames twice: in any pieces, and cut within the header of every frame too, so that no head is whole in one input and
/// nghttp2 decodes every one. What is reported, and what is sent back, must be the same.
@Suite struct RepeatedHeadsTests {
    private static let rounds = 60

    @Test(arguments: 0..<20)
    func `of a client nothing is understood otherwise`(part: UInt64) throws {
        for round in 0..<UInt64(RepeatedHeadsTests.rounds) {
            var random = SeededGenerator(seed: part << 32 | round)
            let frames = try FrameScript.client(&random)
            let cuts = frames.cuts(&random)
            let plain = try Reading(.server, frames.pieces(cuts + frames.headerCuts))
            let read = try Reading(.server, frames.pieces(cuts))
            #expect(read == plain, "part \(part), round \(round)")
        }
    }

    @Test(arguments: 0..<20)
    func `of an upstream nothing is understood otherwise`(part: UInt64) throws {
        for round in 0..<UInt64(RepeatedHeadsTests.rounds) {
            var random = SeededGenerator(seed: 1 << 63 | part << 32 | round)
            let frames = try FrameScript.upstream(&random)
            let cuts = frames.cuts(&random)
            let plain = try Reading(.client, frames.pieces(cuts + frames.headerCuts))
            let read = try Reading(.client, frames.pieces(cuts))
            #expect(read == plain, "part \(part), round \(round)")
        }
    }

    @Test func `the scripts have heads that are taken, heads that are refused, and trailers`()
        throws
    {
        var random = SeededGenerator(seed: 1)
        var log: [String] = []
        for _ in 0..<50 {
            log += try Reading(.server, FrameScript.client(&random).pieces([])).log
            log += try Reading(.client, FrameScript.upstream(&random).pieces([])).log
        }
        for part in [
            " head :method=POST", " head :method=HEAD", " closed 1", " end", "grpc-status",
        ] {
            let count = log.count { $0.contains(part) }
            #expect(count >= 20, "\(part)")
        }
    }
}

/// What a session made of some input.
private struct Reading: Equatable {
    private(set) var log: [String] = []
    private var sent: [UInt8] = []

    init(_ role: HTTP2Session.Role, _ pieces: [[UInt8]]) throws {
        let pool = HTTP2StreamPool()
        let session = try HTTP2Session(role: role, limits: HTTP2Limits(), pool: pool)
        if role == .client {
            for _ in 0..<FrameScript.streamCount {
                let stream = pool.take()
                var head = Fields()
                for (name, value) in FrameScript.post {
                    head.append(name: name.utf8Span.span, value: value.utf8Span.span)
                }
                stream.finish(withTrailers: false)
                try session.request(stream, &head)
            }
            collect(session)
        }
        for piece in pieces {
            do {
                try session.receive(piece.span)
            } catch {
                note(session, piece)
                log.append("\(error)")
                break
            }
            note(session, piece)
        }
        collect(session)
        note(session, [])
    }

    private mutating func collect(_ session: HTTP2Session) {
        var output = ByteBuffer()
        _ = try? session.collect(into: &output, limit: .max)
        sent += output.readable.array
    }

    private mutating func note(_ session: HTTP2Session, _ input: [UInt8]) {
        let list = session.takeEvents()
        for event in list.events {
            guard let stream = event.stream else {
                log.append("\(event.kind)")
                continue
            }
            switch event.kind {
            case .head(let isLast):
                let text =
                    session.role == .server
                    ? ":method=\(stream.request.method.text) :path=\(stream.request.target.text)"
                        + " :authority=\(stream.request.authority.text) \(stream.request.fields.text)"
                    : "\(stream.response.status) \(stream.response.fields.text)"
                log.append("\(stream.id) head \(isLast ? "last " : "")\(text)")
            case .body(let range):
                // A frame may be reported in pieces.
                for byte in input[range] { log.append("\(stream.id) byte \(byte)") }
            case .end: log.append("\(stream.id) end \(stream.trailers.text)")
            case .closed(let code): log.append("\(stream.id) closed \(code)")
            default: log.append("\(stream.id) \(event.kind)")
            }
        }
        session.recycle(list)
    }
}

/// Frames of one side of a connection, by chance, most of them as they should be.
private struct FrameScript {
    static let streamCount = 20
    static let post = [
        (":method", "POST"), (":scheme", "http"), (":path", "/library.v1.Library/Get"),
        (":authority", "test"), ("te", "trailers"), ("content-type", "application/grpc"),
    ]

    private var frames: [[UInt8]] = []
    private let packer: HeaderPacker

    private init() throws { packer = try HeaderPacker() }

    /// Behind the fifth byte of each frame.
    var headerCuts: [Int] {
        var start = frames[0].count
        return frames.dropFirst().map { frame in
            defer { start += frame.count }
            return start + 5
        }
    }

    /// Anywhere, or hardly at all.
    func cuts(_ random: inout SeededGenerator) -> [Int] {
        let most = [40, 300, 3000, 100_000].randomElement(using: &random) ?? 1
        let count = frames.reduce(0) { $0 + $1.count }
        var cuts: [Int] = []
        var next = Int.random(in: 1...most, using: &random)
        while next < count {
            cuts.append(next)
            next += Int.random(in: 1...most, using: &random)
        }
        return cuts
    }

    /// All bytes, cut there. Of a body that is too long nghttp2 reports what was whole, so that both readings need the same
    /// cuts within one.
    func pieces(_ cuts: [Int]) -> [[UInt8]] {
        let bytes = frames.flatMap { $0 }
        var pieces: [[UInt8]] = []
        var start = 0
        for end in Set(cuts).sorted() + [bytes.count] {
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }

    static func client(_ random: inout SeededGenerator) throws -> FrameScript {
        var script = try FrameScript()
        script.frames.append(HeaderPacker.preface)
        var open: [Int32] = []
        var next: Int32 = 1
        for step in 0..<40 {
            if let id = open.randomElement(using: &random), Bool.random(using: &random) {
                if try script.goOn(id, with: [("x-sum", "1")], &random) {
                    open.removeAll { $0 == id }
                }
                continue
            }
            let isLast = Int.random(in: 0..<4, using: &random) == 0
            try script.head(of: next, requests(step, &random), isLast: isLast, &random)
            if !isLast { open.append(next) }
            next += 2
        }
        return script
    }

    static func upstream(_ random: inout SeededGenerator) throws -> FrameScript {
        var script = try FrameScript()
        script.frames.append(HeaderPacker.frame(type: 4, flags: 0, of: 0, []))
        var waiting = (0..<Int32(streamCount)).map { $0 * 2 + 1 }
        var open: [Int32] = []
        for step in 0..<60 {
            if let id = open.randomElement(using: &random), Bool.random(using: &random) {
                let trailers = [("grpc-status", "\([0, 0, 0, 5][step % 4])")]
                if try script.goOn(id, with: trailers, &random) { open.removeAll { $0 == id } }
            } else if let id = waiting.randomElement(using: &random) {
                let answer = answers(step, &random)
                let isLast = Int.random(in: 0..<6, using: &random) == 0
                try script.head(of: id, answer, isLast: isLast, &random)
                if answer.first?.1.hasPrefix("1") == true, !isLast { continue }
                waiting.removeAll { $0 == id }
                if !isLast { open.append(id) }
            }
        }
        return script
    }

    /// Requests, of which every second one is the plain one.
    private static func requests(
        _ step: Int, _ random: inout SeededGenerator
    ) -> [(String, String)] {
        switch Int.random(in: 0..<40, using: &random) {
        case 0: post + [("content-length", "5")]
        case 1, 2, 3: post + [("content-length", "3")]
        case 4: post + [("content-length", "0")]
        case 5: [(":method", "GET")] + post[1...]
        case 6, 7, 8: [(":method", "HEAD")] + post[1...]
        case 9: [(":method", "CONNECT"), (":authority", "test:1")]
        case 10: [(":method", "OPTIONS"), (":scheme", "http"), (":path", "*"), (":authority", "t")]
        case 11: post + [("connection", "close")]
        case 12: post + [("te", "gzip")]
        case 13: post + [("X-Upper", "1")]
        case 14: Array(post.dropFirst())
        case 15: [("x-sum", "1")]
        case 16: post + [("content-length", "3"), ("content-length", "3")]
        case 17, 18: post + [("x-new", "\(step)")]
        case 19: post + [("authorization", "secret\(step % 2)")]
        case 20: post + [("cookie", "a=1"), ("cookie", "b=2")]
        case 21: post + [(":path", "/twice")]
        case 22: Array(post[..<3]) + [("host", "other")] + post[4...]
        default: post
        }
    }

    private static func answers(
        _ step: Int, _ random: inout SeededGenerator
    ) -> [(String, String)] {
        let plain = [(":status", "200"), ("content-type", "application/grpc")]
        return switch Int.random(in: 0..<40, using: &random) {
        case 0: plain + [("content-length", "5")]
        case 1, 2: plain + [("content-length", "3")]
        case 3: [(":status", "204")]
        case 4: [(":status", "304"), ("content-length", "9")]
        case 5, 6, 7: [(":status", "103"), ("link", "</a>")]
        case 8: [(":status", "100")]
        case 9: [(":status", "101")]
        case 10, 11: [(":status", "404"), ("content-type", "text/plain")]
        case 12: [("content-type", "application/grpc")]
        case 13: [("grpc-status", "0")]
        case 14: plain + [("connection", "close")]
        case 15, 16: plain + [("x-new", "\(step)")]
        case 17, 18: plain + [("grpc-status", "0")]
        case 19: plain + [(":status", "200")]
        default: plain
        }
    }

    /// Body, or a second head, which may not be one of trailers.
    /// - Returns: whether the stream ends with it.
    private mutating func goOn(
        _ id: Int32, with trailers: [(String, String)], _ random: inout SeededGenerator
    ) throws -> Bool {
        let isLast = Int.random(in: 0..<8, using: &random) > 0
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<5:
            frames.append(
                HeaderPacker.frame(type: 0, flags: isLast ? 1 : 0, of: id, [1, 2, UInt8(id & 127)]))
        case 5: try head(of: id, FrameScript.post, isLast: isLast, &random)
        case 6: try head(of: id, [(":status", "200")], isLast: isLast, &random)
        default: try head(of: id, trailers, isLast: isLast, &random)
        }
        return isLast
    }

    /// A head in one frame, or now and then with padding, with a priority, or in two; after a change of the table's size.
    private mutating func head(
        of id: Int32, _ fields: [(String, String)], isLast: Bool, _ random: inout SeededGenerator
    ) throws {
        if Int.random(in: 0..<30, using: &random) == 0 {
            packer.changeTable(to: [0, 64, 300, 4096].randomElement(using: &random) ?? 0)
        }
        let never: Set<String> = Bool.random(using: &random) ? [] : ["authorization"]
        let block = try packer.block(fields, neverIndexed: never)
        let end: UInt8 = isLast ? 1 : 0
        switch Int.random(in: 0..<24, using: &random) {
        case 0:
            frames.append(
                HeaderPacker.frame(type: 1, flags: 12 | end, of: id, [2] + block + [0, 0]))
        case 1:
            let priority: [UInt8] = [0, 0, 0, 0, 15]
            frames.append(HeaderPacker.frame(type: 1, flags: 36 | end, of: id, priority + block))
        case 2:
            let cut = block.count / 2
            frames.append(HeaderPacker.frame(type: 1, flags: end, of: id, Array(block[..<cut])))
            frames.append(HeaderPacker.frame(type: 9, flags: 4, of: id, Array(block[cut...])))
        default: frames.append(HeaderPacker.frame(type: 1, flags: 4 | end, of: id, block))
        }
    }
}
