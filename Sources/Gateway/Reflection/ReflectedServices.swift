public import ProtoRuntime

/// What an upstream's reflection told: files that can be linked, and the services to be served by them.
public struct ReflectedServices: Sendable, Equatable {
    /// A service that the upstream lists and the gateway cannot serve.
    public struct Skipped: Sendable, Equatable {
        public let service: String
        public let reason: String

        public init(service: String, reason: String) {
            self.service = service
            self.reason = reason
        }
    }

    /// "grpc.reflection.v1" or "grpc.reflection.v1alpha".
    public let protocolName: String
    /// Serialized FileDescriptorProtos, every import among them.
    let files: [[UInt8]]
    /// Full names, in the upstream's order. Files may declare more than the upstream serves.
    public let services: [String]
    public let skipped: [Skipped]

    public var fileCount: Int { files.count }

    /// Every file, as a serialized FileDescriptorSet.
    var descriptorSet: [UInt8] {
        var set = OutputBlock()
        for file in files { set.appendField(1, bytes: file.span) }
        return [UInt8](copying: set.bytes)
    }

    /// The linked files.
    public func makePool() throws(DescriptorError) -> DescriptorPool {
        try DescriptorPool(fileDescriptorSets: [descriptorSet])
    }
}

/// Why the services of an upstream could not be learned.
public enum ReflectionError: Error, Equatable, Sendable {
    /// Neither version of the reflection service is there; what was answered to each.
    case notOffered([String])
    /// No address could be reached in time; the last reason.
    case unreachable(String)
    /// The upstream was reached, and not everything was answered in time.
    case incomplete(String)
    /// The upstream answered with an error.
    case refused(String)
    /// The upstream's answers make no sense.
    case malformed(String)
    /// Two different files came under this name.
    case conflictingFile(String)
    /// More came than is allowed.
    case limit(String)
    /// The upstream lists no service that could be served.
    case nothingToServe([ReflectedServices.Skipped])
}

extension ReflectionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notOffered(let answers):
            "it does not offer reflection (\(answers.joined(separator: "; ")))"
        case .unreachable(let reason): reason
        case .incomplete(let what): "its reflection is too slow: \(what)"
        case .refused(let answer): "its reflection answers with an error: \(answer)"
        case .malformed(let what): "its reflection makes no sense: \(what)"
        case .conflictingFile(let name):
            "its reflection sends two files with the name \"\(name)\" and different content"
        case .limit(let what): "its reflection is over a limit: \(what)"
        case .nothingToServe(let skipped):
            skipped.isEmpty
                ? "its reflection lists no services"
                : "none of its services can be served ("
                    + skipped.map { "\($0.service): \($0.reason)" }.joined(separator: "; ") + ")"
        }
    }
}

/// What an upstream may make the gateway do and keep at start-up.
public struct ReflectionLimits: Sendable, Equatable {
    public var servicesMax = 10_000
    /// Files, imports included.
    public var filesMax = 20_000
    /// Bytes of all files.
    public var fileBytesMax = 128 << 20
    /// Bytes of one answer.
    public var answerBytesMax = 32 << 20
    /// Questions asked in all.
    public var questionsMax = 40_000
    /// Questions asked before the first of them is answered.
    public var pendingMax = 8
    /// From the first attempt to connect to the last answer, in nanoseconds.
    public var timeoutNanoseconds: Int64 = 10_000_000_000

    public init() {}
}
