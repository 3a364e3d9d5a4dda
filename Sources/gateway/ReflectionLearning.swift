import Gateway
import Logging

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

    /// Asks all at once and blocks until each has told what it serves.
    /// - Throws: what failed for each that has not, with exit code 4.
    static func learn(_ subjects: [Subject]) throws(CommandFailure) -> [ReflectedServices] {
        let outcomes = ReflectionFetch.run(
            subjects.map {
                ReflectionFetch.Request($0.upstream, timeoutNanoseconds: $0.timeoutNanoseconds)
            }, log: Logger(label: "gateway"))
        var learned: [ReflectedServices] = []
        var failures: [String] = []
        for (subject, outcome) in zip(subjects, outcomes) {
            switch outcome {
            case .success(let services): learned.append(services)
            case .failure(let error): failures.append(message(subject, error))
            }
        }
        guard failures.isEmpty else {
            throw CommandFailure(
                status: ExitStatus.unreachable, message: failures.joined(separator: "\n"))
        }
        return learned
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
    /// The same with the services that its upstreams tell, where entries of the configuration want that. Logs what was
    /// learned, and what cannot be served.
    func learningServices(_ log: Logger) throws -> ConfiguredGateway {
        let indices = upstreamsToLearn
        guard !indices.isEmpty else { return self }
        let learned = try ReflectionLearning.learn(
            indices.map { index in
                let upstream = configuration.upstreams[index]
                let targets = upstream.targets.map(\.description).joined(separator: ",")
                return ReflectionLearning.Subject(
                    upstream: upstreams[index], timeoutNanoseconds: upstream.reflectionTimeout,
                    name: "upstream '\(upstream.name)' (\(targets))",
                    timeoutName: "upstreams.\(upstream.name).reflection.timeout",
                    hint: ReflectionLearning.hint(
                        andThen:
                            "and name it in the configuration: descriptors: { file: api.binpb }"
                    ))
            })
        for (index, services) in zip(indices, learned) {
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
        return try learning(Dictionary(uniqueKeysWithValues: zip(indices, learned)))
    }
}
