import Gateway
import Logging
import Synchronization
import Transcode

/// Keeps what is served as fresh as upstreams tell it: what changed is linked, put in the place of what was served, and
/// told by the log; what does not link is not served, and what was known stays.
final class ReflectionUpkeep: Sendable {
    /// The method table of everything that is known; throws when it does not fit together.
    typealias Build = @Sendable ([Int: ReflectedServices]) throws -> MethodTable

    private struct State {
        var known: [Int: ReflectedServices]
        var methods: MethodTable
    }

    let refresher: ReflectionRefresher
    private let names: [Int: String]
    private let build: Build
    private let log: Logger
    private let state: Mutex<State>

    /// - Parameters:
    ///   - known: what the upstreams have told so far, by their indices; `methods` are made of it.
    init(
        _ subjects: [ReflectionRefresher.Subject], known: [Int: ReflectedServices],
        methods: MethodTable, log: Logger, build: @escaping Build
    ) throws(CommandFailure) {
        do throws(SystemError) {
            refresher = try ReflectionRefresher(subjects, log: log)
        } catch {
            throw CommandFailure(status: ExitStatus.badInput, message: "cannot start: \(error)")
        }
        names = Dictionary(uniqueKeysWithValues: subjects.map { ($0.index, $0.upstream.name) })
        self.build = build
        self.log = log
        state = Mutex(State(known: known, methods: methods))
    }

    /// Begins, for a server that was started.
    func start(_ server: Server) throws(SystemError) {
        let publisher = server.snapshotPublisher
        try refresher.start { index, services in self.apply(index, services, publisher) }
    }

    private func apply(
        _ index: Int, _ services: ReflectedServices, _ publisher: Server.SnapshotPublisher
    ) {
        state.withLock { state in
            var known = state.known
            known[index] = services
            let name = names[index] ?? "?"
            let methods: MethodTable
            do {
                methods = try build(known)
            } catch {
                log.error(
                    "upstream \(name): its services changed to what cannot be served, so they stay as they were: \(error)"
                )
                return
            }
            report(SchemaDifference(from: state.methods, to: methods), of: name)
            state = State(known: known, methods: methods)
            publisher.publish(Snapshot(methods: methods))
        }
    }

    private func report(_ difference: SchemaDifference, of name: String) {
        let lists = [
            ("added", difference.added), ("removed", difference.removed),
            ("changed", difference.changed), ("incompatible", difference.incompatible),
        ]
        log.notice(
            "upstream \(name): its services changed",
            metadata: Logger.Metadata(
                uniqueKeysWithValues: lists.filter { !$0.1.isEmpty }.map {
                    ($0.0, "\(ReflectionUpkeep.shortened($0.1))")
                }))
        if !difference.incompatible.isEmpty {
            log.warning(
                "upstream \(name): clients and servers of before and after misunderstand each other",
                metadata: ["fields": "\(ReflectionUpkeep.shortened(difference.incompatible))"])
        }
    }

    /// As many as a line of the log can bear.
    private static func shortened(_ list: [String]) -> String {
        let shown = list.prefix(20).joined(separator: ", ")
        return list.count > 20 ? "\(shown) and \(list.count - 20) more" : shown
    }
}

extension ConfiguredGateway {
    /// Keeps what its upstreams told fresh; nil where nothing comes by reflection.
    /// - Parameter base: the same without what they told.
    func upkeep(
        of base: ConfiguredGateway, _ learned: [Int: ReflectedServices], _ log: Logger
    ) throws(CommandFailure) -> ReflectionUpkeep? {
        let indices = base.upstreamsToLearn
        guard !indices.isEmpty else { return nil }
        let subjects = indices.map { index in
            let upstream = configuration.upstreams[index]
            return ReflectionRefresher.Subject(
                index: index, upstream: upstreams[index],
                timeoutNanoseconds: upstream.reflectionTimeout,
                interval: upstream.reflectionInterval, known: learned[index])
        }
        return try ReflectionUpkeep(subjects, known: learned, methods: methods, log: log) { known in
            try base.learning(known).methods
        }
    }
}
