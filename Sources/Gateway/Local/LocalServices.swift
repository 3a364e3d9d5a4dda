/// The services that the gateway answers itself, to gRPC clients, whatever its upstreams have.
public enum LocalServices {
    static let health = "grpc.health.v1.Health"

    /// How every path of theirs begins.
    static let pathPrefix: StaticString = "/grpc."

    /// Full names. Services of these names are never proxied.
    public static let names: Set<String> = Set(
        [health] + Reflection.Version.allCases.map(\.service))

    /// Their methods alone.
    static func methods(describing index: ReflectionIndex) -> LocalMethods {
        var methods = LocalMethods()
        add(to: &methods, describing: index)
        return methods
    }

    /// Adds their methods, which tell of what `index` holds.
    static func add(to methods: inout LocalMethods, describing index: ReflectionIndex) {
        let health = HealthService(services: Set(index.services))
        methods.add(LocalServices.health, health.methods)
        for version in Reflection.Version.allCases {
            methods.add(
                version.service,
                [
                    "ServerReflectionInfo": LocalMethod(isClientStreaming: true) { call in
                        ReflectionHandler(call, index)
                    }
                ])
        }
    }
}
