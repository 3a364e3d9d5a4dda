import Gateway
import ProtoRuntime
import Transcode

/// What a gateway serves: types, the services that are exposed, and where that was learned.
struct UpstreamSchema {
    let pool: DescriptorPool
    /// Full names; nil for every service of the pool.
    private let services: Set<String>?
    /// How it is known, for people; nil for what needs no words.
    private let source: String?
    /// Whether nobody has seen the methods before.
    private let isNews: Bool
    private let skipped: [ReflectedServices.Skipped]
    /// Where it comes by reflection.
    let reflected: ReflectedServices?

    /// Everything that descriptor files declare.
    init(pool: DescriptorPool, source: String?) {
        self.pool = pool
        isNews = false
        self.source = source
        reflected = nil
        services = nil
        skipped = pool.services.map(\.fullName).filter(LocalServices.names.contains)
            .map { .init(service: $0, reason: "the gateway answers it itself") }
    }

    /// What the upstream tells by reflection. Blocks until it is known, or the time is over.
    init(reflecting upstream: UpstreamPlan, timeoutSeconds: Int) throws(CommandFailure) {
        let subject = ReflectionLearning.Subject(
            upstream: upstream, timeoutNanoseconds: Int64(timeoutSeconds) * 1_000_000_000,
            name: upstream.name, timeoutName: "--reflection-timeout",
            hint: ReflectionLearning.hint(
                andThen: "and start the gateway with --descriptors api.binpb"))
        let reflected = try ReflectionLearning.learn(subject)
        do throws(DescriptorError) {
            try self.init(reflected)
        } catch {
            let problem = ReflectionError.malformed("its files do not fit together: \(error)")
            throw CommandFailure(
                status: ExitStatus.unreachable,
                message: ReflectionLearning.message(subject, problem))
        }
    }

    /// What an upstream has told.
    init(_ reflected: ReflectedServices) throws(DescriptorError) {
        pool = try reflected.makePool()
        self.reflected = reflected
        services = Set(reflected.services)
        isNews = true
        skipped = reflected.skipped
        source = "reflection (\(reflected.protocolName), \(reflected.fileCount) files)"
    }

    /// Whether a method is exposed: its service is, and is none that the gateway answers itself.
    func includes(_ method: MethodDescriptor) -> Bool {
        let service = String(method.fullName.dropLast(method.name.count + 1))
        return !LocalServices.names.contains(service) && services?.contains(service) ?? true
    }

    /// Lines for stderr: what is served and how, and what is not.
    func report(_ methods: MethodTable, target: String) -> [String] {
        guard let source else { return [] }
        return [ServiceReport.summary(methods, target: target, source: source)]
            + (isNews ? ServiceReport.lines(methods) : []) + ServiceReport.lines(skipped)
    }
}
