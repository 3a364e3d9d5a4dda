import Gateway
import Logging
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

    /// Everything that descriptor files declare.
    init(pool: DescriptorPool, source: String?) {
        self.pool = pool
        isNews = false
        self.source = source
        services = nil
        skipped = pool.services.map(\.fullName).filter(LocalServices.names.contains)
            .map { .init(service: $0, reason: "the gateway answers it itself") }
    }

    /// What the upstream tells by reflection. Blocks until it is known, or the time is over.
    init(reflecting upstream: UpstreamPlan, timeoutSeconds: Int) throws(CommandFailure) {
        var limits = ReflectionLimits()
        limits.timeoutNanoseconds = Int64(timeoutSeconds) * 1_000_000_000
        let target = upstream.name
        let reflected: ReflectedServices
        do throws(ReflectionError) {
            reflected = try ReflectionFetch.run(
                upstream, limits: limits, log: Logger(label: "gateway"))
        } catch {
            throw UpstreamSchema.failure(target, error, timeoutSeconds)
        }
        do throws(DescriptorError) {
            pool = try reflected.makePool()
        } catch {
            throw UpstreamSchema.failure(
                target, .malformed("its files do not fit together: \(error)"), timeoutSeconds)
        }
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

    private static func failure(
        _ target: String, _ error: ReflectionError, _ timeoutSeconds: Int
    ) -> CommandFailure {
        var message = "cannot learn the services of \(target): \(error)"
        switch error {
        case .unreachable: message += "\n  tried for \(timeoutSeconds) s (--reflection-timeout)"
        case .incomplete: message += "\n  waited for \(timeoutSeconds) s (--reflection-timeout)"
        default: message += "\n\(hint)"
        }
        return CommandFailure(status: ExitStatus.unreachable, message: message)
    }

    /// What helps without reflection.
    private static let hint = """
          Give the descriptors as a file, made by one of
            protoc --include_imports --descriptor_set_out=api.binpb your.proto
            buf build -o api.binpb
          and start the gateway with --descriptors api.binpb
        """
}
