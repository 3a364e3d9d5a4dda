import Gateway
import Logging
import Transcode

/// Asks upstreams by reflection what they serve, and says what helps where that fails.
enum ReflectionLearning {
    /// One upstream to be asked, and how messages name it.
    struct Subject {
        let upstream: UpstreamPlan
        let timeoutNanoseconds: Int64
        /// Such as "localhost:50051".
        let name: String
        /// The option or the key that sets the time.
        let timeoutName: String
        /// What to do instead.
        let hint: String
    }

    /// Asks all at once and blocks until each has told what it serves, or has failed.
    static func ask(_ subjects: [Subject]) -> [Result<ReflectedServices, ReflectionError>] {
        ReflectionFetch.run(
            subjects.map {
                ReflectionFetch.Request($0.upstream, timeoutNanoseconds: $0.timeoutNanoseconds)
            }, log: Logger(label: "gateway"))
    }

    /// What one upstream serves.
    /// - Throws: why that cannot be known, with exit code 4.
    static func learn(_ subject: Subject) throws(CommandFailure) -> ReflectedServices {
        switch ask([subject])[0] {
        case .success(let services): return services
        case .failure(let error):
            throw CommandFailure(
                status: ExitStatus.unreachable, message: message(subject, error))
        }
    }

    static func message(_ subject: Subject, _ error: ReflectionError) -> String {
        let message = "cannot learn the services of \(subject.name): \(error)"
        let time = "\(subject.timeoutNanoseconds / 1_000_000_000) s (\(subject.timeoutName))"
        switch error {
        case .unreachable: return message + "\n  tried for \(time)"
        case .incomplete: return message + "\n  waited for \(time)"
        default: return message + "\n" + subject.hint
        }
    }

    /// How a descriptor file is made, and what then becomes of it.
    static func hint(andThen use: String) -> String {
        """
          Give the descriptors as a file, made by one of
            protoc --include_imports --descriptor_set_out=api.binpb your.proto
            buf build -o api.binpb
          \(use)
        """
    }
}

extension ConfiguredGateway {
    /// What its upstreams tell, by their indices, where entries of the configuration want that. Logs what was learned,
    /// and what cannot be served. Blocks until each has told it, or its time is over.
    /// - Throws: with exit code 4 when there is nothing else to serve than what could not be learned.
    func askUpstreams(_ log: Logger) throws(CommandFailure) -> [Int: ReflectedServices] {
        let indices = upstreamsToLearn
        let subjects = indices.map { subject($0) }
        var learned: [Int: ReflectedServices] = [:]
        var failures: [String] = []
        for (position, outcome) in ReflectionLearning.ask(subjects).enumerated() {
            switch outcome {
            case .success(let services):
                learned[indices[position]] = services
                report(services, of: indices[position], log)
            case .failure(let error):
                failures.append(ReflectionLearning.message(subjects[position], error))
            }
        }
        if learned.isEmpty, methods.methods.isEmpty, !failures.isEmpty {
            throw CommandFailure(
                status: ExitStatus.unreachable, message: failures.joined(separator: "\n"))
        }
        for failure in failures {
            log.warning(
                "\(failure.split(separator: "\n")[0]); what else there is is served")
        }
        return learned
    }

    private func subject(_ index: Int) -> ReflectionLearning.Subject {
        let upstream = configuration.upstreams[index]
        let targets = upstream.targets.map(\.description).joined(separator: ",")
        return ReflectionLearning.Subject(
            upstream: upstreams[index], timeoutNanoseconds: upstream.reflectionTimeout,
            name: "upstream '\(upstream.name)' (\(targets))",
            timeoutName: "upstreams.\(upstream.name).reflection.timeout",
            hint: ReflectionLearning.hint(
                andThen: "and name it in the configuration: descriptors: { file: api.binpb }"))
    }

    func report(_ services: ReflectedServices, of index: Int, _ log: Logger) {
        let name = configuration.upstreams[index].name
        log.info(
            "upstream \(name): services known by reflection",
            metadata: [
                "protocol": "\(services.protocolName)", "files": "\(services.fileCount)",
                "services": "\(services.services.joined(separator: " "))",
            ])
        for skipped in services.skipped {
            log.warning("upstream \(name): not served: \(skipped.service): \(skipped.reason)")
        }
    }
}
