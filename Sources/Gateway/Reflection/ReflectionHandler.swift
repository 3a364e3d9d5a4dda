import ProtoRuntime
import Transcode

/// ServerReflection.ServerReflectionInfo: answers one question after the other, for as long as the client asks.
final class ReflectionHandler: LocalHandler {
    /// Bytes up to which imports are sent along with the file that was asked for; a client asks for the rest by name.
    static let importBytesMax = 1 << 20
    /// Bytes of answers that may wait for a client that asks and does not read.
    static let pendingBytesMax = 16 << 20

    private unowned let call: LocalCall
    private let index: ReflectionIndex
    /// Files that this client has, by index.
    private var sent: Set<Int> = []

    init(_ call: LocalCall, _ index: ReflectionIndex) {
        self.call = call
        self.index = index
    }

    func receive(_ message: Span<UInt8>) throws(Status) {
        let request: Reflection.Request = try LocalCall.decode(message)
        guard call.pendingBytes <= ReflectionHandler.pendingBytesMax else {
            throw Status(.resourceExhausted, "too many answers wait to be read")
        }
        call.send(Reflection.Answer(answer(request.question), to: request))
    }

    func receiveEnd() throws(Status) { call.finish(.ok) }

    func drain() { call.finish(Status(.unavailable, "the server is stopping")) }

    private func answer(_ question: Reflection.Question?) -> Reflection.Content {
        switch question {
        case .listServices: return .services(index.services)
        case .fileByName(let name): return files(index.file(named: name), "file", name)
        case .fileContainingSymbol(let name):
            return files(index.file(declaring: name), "symbol", name)
        case .fileContainingExtension(let type, let number):
            return files(
                index.file(extending: type, number: number), "extension", "\(number) of \(type)")
        case .extensionNumbers(let type):
            guard let numbers = index.extensionNumbers(of: type) else {
                return ReflectionHandler.notFound("type", type)
            }
            return .extensionNumbers(type: type, numbers)
        case nil:
            return .failure(
                code: Int32(StatusCode.invalidArgument.rawValue),
                message: "the request asks nothing that is known here")
        }
    }

    /// The file, then its imports that this client does not have yet.
    private func files(_ file: Int?, _ what: String, _ name: String) -> Reflection.Content {
        guard let file else { return ReflectionHandler.notFound(what, name) }
        sent.insert(file)
        var found = [index.bytes(of: file)]
        var byteCount = found[0].count
        var ahead = index.imports(of: file)
        var next = 0
        while next < ahead.count {
            let imported = ahead[next]
            next += 1
            let bytes = index.bytes(of: imported)
            guard !sent.contains(imported),
                byteCount + bytes.count <= ReflectionHandler.importBytesMax
            else { continue }
            sent.insert(imported)
            byteCount += bytes.count
            found.append(bytes)
            ahead += index.imports(of: imported)
        }
        return .files(found)
    }

    private static func notFound(_ what: String, _ name: String) -> Reflection.Content {
        .failure(
            code: Int32(StatusCode.notFound.rawValue), message: "there is no \(what) \(name)")
    }
}
