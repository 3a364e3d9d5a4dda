public import ProtoRuntime

/// How one route streams, where its method does. Immutable, made once per route.
public final class StreamBinding: Sendable {
    public let options: StreamOptions
    /// What `Accept: */*` gets.
    let form: StreamForm
    /// Messages stand in `{"result":…}`, as grpc-gateway has them.
    let hasEnvelope: Bool
    let eventID: EventID?
    /// Where a request's `Last-Event-ID` goes.
    let lastEventID: FieldPath?

    /// The binding of a server stream. Fields that a message does not have count for nothing here: options hold for
    /// whole services. Start-up only.
    init(
        options: StreamOptions, rest: RESTOptions, method: MethodDescriptor, isRaw: Bool,
        _ tables: DescriptorTables
    ) {
        self.options = options
        form = isRaw ? .raw : rest.stream
        hasEnvelope = rest.streamEnvelope
        eventID = StreamBinding.eventID(options.idField, of: method, tables)
        lastEventID = StreamBinding.lastEventID(options.lastEventIDField, of: method, tables)
    }

    /// Whether events of this server stream can have the value of a field as their `id`.
    public static func canName(
        events idField: String, of method: MethodDescriptor, _ tables: DescriptorTables
    ) -> Bool {
        method.isServerStreaming && eventID(idField, of: method, tables) != nil
    }

    /// Whether a field of this server stream's request can take `Last-Event-ID`.
    public static func canTake(
        lastEventID field: String, in method: MethodDescriptor, _ tables: DescriptorTables
    ) -> Bool {
        method.isServerStreaming && lastEventID(field, of: method, tables) != nil
    }

    private static func eventID(
        _ name: String, of method: MethodDescriptor, _ tables: DescriptorTables
    ) -> EventID? {
        guard let path = path(name, in: method.output, tables),
            EventID.isSupported(tables.field(path.leaf))
        else { return nil }
        return EventID(path: path)
    }

    private static func lastEventID(
        _ name: String, of method: MethodDescriptor, _ tables: DescriptorTables
    ) -> FieldPath? {
        guard let path = path(name, in: method.input, tables),
            !tables.field(path.leaf).flags.contains(.repeated),
            ScalarText.isScalar(field: path.leaf, tables: tables)
        else { return nil }
        return path
    }

    private static func path(
        _ name: String, in message: Int32, _ tables: DescriptorTables
    ) -> FieldPath? {
        guard !name.isEmpty else { return nil }
        return try? FieldPath(name.utf8Span.span, in: message, tables)
    }

    /// The form that the client of this request gets.
    func form(for fields: borrowing Fields) -> StreamForm {
        form == .raw ? .raw : .accepted(by: fields, configured: form)
    }
}
