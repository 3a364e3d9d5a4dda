import ProtoRuntime
import Transcode

/// Learns an upstream's services by reflection. Pure: answers, errors and the stream's end in; questions out.
///
///     start ──▶ listing ──services──▶ collecting ──all files known──▶ done
///       ▲          │                      │ a file per service, then missing imports by name
///       └ v1alpha ─┘ UNIMPLEMENTED        └ errors of single files skip the services that need them
///
/// Questions are asked a few at a time. An answer belongs to the question that it repeats, else to the oldest one;
/// what it brings is kept in any case, so that late and repeated answers do no harm.
struct ReflectionClientState {
    enum Action: Equatable {
        /// Open a stream, dropping the one before.
        case open(Reflection.Version)
        case ask(Reflection.Question)
        case finish(ReflectedServices)
        case fail(ReflectionError)
    }

    private enum Phase { case idle, listing, collecting, done }

    private let limits: ReflectionLimits
    /// Services that the gateway answers itself.
    private let ownServices: Set<String>
    private var phase = Phase.idle
    private var version = Reflection.Version.v1
    /// What was answered to the versions before.
    private var refusals: [String] = []
    /// Asked and not answered, oldest first.
    private var pending: [Reflection.Question] = []
    private var answered: Set<Reflection.Question> = []
    private var queue: [Reflection.Question] = []
    private var queueStart = 0
    private var questionCount = 0
    private var services: [String] = []
    private var files = ReflectedFiles()
    /// Why a question brought nothing.
    private var failures: [Reflection.Question: String] = [:]

    init(limits: ReflectionLimits, ownServices: Set<String>) {
        self.limits = limits
        self.ownServices = ownServices
    }

    /// Begins, by the newest version.
    mutating func start() -> [Action] { open(.v1) }

    /// What is still awaited, for people.
    var awaited: String {
        guard let first = pending.first else { return "nothing was asked yet" }
        let asked = ReflectionClientState.described(first)
        let count = pending.count + queue.count - queueStart
        return "no answer to \(asked)" + (count > 1 ? " and \(count - 1) more" : "")
    }

    /// One message of the upstream.
    mutating func receive(_ answer: Reflection.Answer) -> [Action] {
        guard phase == .listing || phase == .collecting else { return [] }
        do throws(ReflectionError) {
            guard let question = takeQuestion(answer) else {
                if case .files(let pieces) = answer.content { try add(pieces) }
                return []
            }
            if case .listServices = question { return try list(answer.content) }
            try collect(answer.content, question)
            return try askMore()
        } catch {
            return fail(error)
        }
    }

    /// The stream has ended; UNAVAILABLE is for the caller to try again.
    mutating func streamEnded(_ status: Status) -> [Action] {
        guard phase == .listing || phase == .collecting else { return [] }
        if phase == .listing, status.code == .unimplemented { return unimplemented(status) }
        if status.isOK { return fail(.malformed("the stream ends before \(awaitedAnswer)")) }
        return fail(.refused(ReflectionClientState.described(status)))
    }

    // MARK: Listing

    private mutating func open(_ version: Reflection.Version) -> [Action] {
        self.version = version
        phase = .listing
        pending = [.listServices("")]
        answered = []
        questionCount += 1
        return [.open(version), .ask(.listServices(""))]
    }

    /// The next older version, or the end.
    private mutating func unimplemented(_ status: Status) -> [Action] {
        refusals.append("grpc.reflection.\(version): \(ReflectionClientState.described(status))")
        return version == .v1 ? open(.v1alpha) : fail(.notOffered(refusals))
    }

    private mutating func list(_ content: Reflection.Content?) throws(ReflectionError) -> [Action] {
        switch content {
        case .services(let names):
            guard names.count <= limits.servicesMax else {
                throw .limit("\(names.count) services, at most \(limits.servicesMax)")
            }
            var seen = ownServices
            services = names.filter { seen.insert($0).inserted }
        case .failure(let code, let message):
            let status = Status(StatusCode(number: Int(code)), message)
            if status.code == .unimplemented { return unimplemented(status) }
            throw .refused(ReflectionClientState.described(status))
        default: throw .malformed("the list of services is answered with something else")
        }
        phase = .collecting
        queue = services.map { .fileContainingSymbol($0) }
        return try askMore()
    }

    // MARK: Collecting

    /// The pending question that is answered; nil for an answer to one that was answered before.
    private mutating func takeQuestion(_ answer: Reflection.Answer) -> Reflection.Question? {
        var index = pending.isEmpty ? nil : 0
        if let original = answer.original?.question {
            if let found = pending.firstIndex(of: original) {
                index = found
            } else if answered.contains(original) {
                index = nil
            }
        }
        guard let index else { return nil }
        let question = pending.remove(at: index)
        answered.insert(question)
        return question
    }

    private mutating func collect(
        _ content: Reflection.Content?, _ question: Reflection.Question
    ) throws(ReflectionError) {
        switch content {
        case .files(let pieces):
            try add(pieces)
            if !isKnown(question) { failures[question] = "the answer does not contain it" }
        case .failure(let code, let message):
            failures[question] = ReflectionClientState.described(
                Status(StatusCode(number: Int(code)), message))
        default: failures[question] = "the answer is no file"
        }
    }

    private mutating func add(_ pieces: [[UInt8]]) throws(ReflectionError) {
        for piece in pieces {
            for name in try files.add(piece, limits: limits) { queue.append(.fileByName(name)) }
        }
    }

    private func isKnown(_ question: Reflection.Question) -> Bool {
        switch question {
        case .fileByName(let name): files.contains(file: name)
        case .fileContainingSymbol(let service): files.file(declaring: service) != nil
        default: false
        }
    }

    private mutating func askMore() throws(ReflectionError) -> [Action] {
        var actions: [Action] = []
        while pending.count < limits.pendingMax, queueStart < queue.count {
            let question = queue[queueStart]
            queueStart += 1
            if isKnown(question) { continue }
            questionCount += 1
            guard questionCount <= limits.questionsMax else {
                throw .limit("more than \(limits.questionsMax) questions")
            }
            pending.append(question)
            actions.append(.ask(question))
        }
        return pending.isEmpty ? try finish() : actions
    }

    // MARK: The end

    private mutating func finish() throws(ReflectionError) -> [Action] {
        phase = .done
        let broken = files.broken { name in failures[.fileByName(name)] ?? "it was not sent" }
        var served: [String] = []
        var skipped: [ReflectedServices.Skipped] = []
        for service in services {
            if let file = files.file(declaring: service) {
                guard let reason = broken[file] else {
                    served.append(service)
                    continue
                }
                skipped.append(.init(service: service, reason: "\(file) \(reason)"))
            } else {
                let reason = failures[.fileContainingSymbol(service)] ?? "it was not sent"
                skipped.append(.init(service: service, reason: "no descriptor: \(reason)"))
            }
        }
        guard !served.isEmpty else { throw .nothingToServe(skipped) }
        return [
            .finish(
                ReflectedServices(
                    protocolName: "grpc.reflection.\(version)",
                    files: files.usable(without: broken),
                    services: served, skipped: skipped))
        ]
    }

    private mutating func fail(_ error: ReflectionError) -> [Action] {
        phase = .done
        return [.fail(error)]
    }

    private var awaitedAnswer: String {
        "\(ReflectionClientState.described(pending.first ?? .listServices(""))) is answered"
    }

    private static func described(_ question: Reflection.Question) -> String {
        switch question {
        case .listServices: "the list of services"
        case .fileContainingSymbol(let name): "the file of \(name)"
        case .fileByName(let name): "the file \"\(name)\""
        case .fileContainingExtension(let type, let number): "extension \(number) of \(type)"
        case .extensionNumbers(let type): "the extensions of \(type)"
        }
    }

    static func described(_ status: Status) -> String {
        let name = status.code.name
        return status.message.isEmpty ? name : "\(name): \(status.message)"
    }
}
