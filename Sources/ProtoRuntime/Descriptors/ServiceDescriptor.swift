/// One service of the pool.
public struct ServiceDescriptor: Sendable {
    /// "pkg.Service"
    public let fullName: String
    /// Name of the file that declares it.
    public let file: String
    /// In declaration order.
    public let methods: [MethodDescriptor]
}

/// One method of a service, as the schema declares it.
public struct MethodDescriptor: Sendable {
    public let name: String
    /// "pkg.Service.Method"
    public let fullName: String
    /// "/pkg.Service/Method", the path of a gRPC call.
    public let path: String
    /// Message indices.
    public let input: Int32
    public let output: Int32
    public let isClientStreaming: Bool
    public let isServerStreaming: Bool
    /// idempotency_level = NO_SIDE_EFFECTS: the call may be made by GET.
    public let hasNoSideEffects: Bool
    /// The encoded google.api.HttpRule of the option `google.api.http` (extension 72295728), pieces joined.
    public let httpRule: [UInt8]?
}
