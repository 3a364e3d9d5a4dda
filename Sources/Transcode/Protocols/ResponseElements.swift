public import ProtoRuntime

// REST streams: what becomes of each message, and of the status that ends them (SEMANTICS f.2, f.3).
extension ResponseCodec {
    /// How a streamed body ends.
    public enum End: Equatable, Sendable {
        case complete
        /// The client must see that something is missing: no last chunk, or a reset.
        case broken
    }

    /// Appends the collected message as one element of the body.
    mutating func appendElement(
        _ form: StreamForm, _ methods: MethodTable, _ output: inout OutputBlock
    ) throws(Status) {
        let route = methods.bindings[Int(plan.route)]
        guard form != .raw else { return try appendRaw(route.response, methods, &output) }
        let start = output.count
        do throws(Status) {
            switch form {
            case .array, .raw:
                output.append(hasElement ? "," : "[")
                try appendValue(route, route.json, methods, &output)
            case .ndjson:
                try appendValue(route, ResponseCodec.oneLine(route.json), methods, &output)
                output.append("\n")
            case .sse:
                appendEventID(route.stream?.eventID, methods, &output)
                output.append("data: ")
                try appendEntity(route, ResponseCodec.oneLine(route.json), methods, &output)
                output.append("\n\n")
            }
        } catch {
            output.truncate(to: start)
            throw error
        }
        hasElement = true
    }

    private static func oneLine(_ options: JSONOptions) -> JSONOptions {
        var options = options
        options.indent = 0
        return options
    }

    /// Appends the message's JSON, in grpc-gateway's envelope where the route has it.
    private func appendValue(
        _ route: RouteBinding, _ json: JSONOptions, _ methods: MethodTable,
        _ output: inout OutputBlock
    ) throws(Status) {
        let hasEnvelope = route.stream?.hasEnvelope ?? false
        if hasEnvelope { output.append("{\"result\":") }
        try appendEntity(route, json, methods, &output)
        if hasEnvelope { output.append("}") }
    }

    private func appendEntity(
        _ route: RouteBinding, _ json: JSONOptions, _ methods: MethodTable,
        _ output: inout OutputBlock
    ) throws(Status) {
        _ = try route.response.format(
            message, in: 0..<message.count, methods.tables(of: plan.method), json: json,
            into: &output)
    }

    private func appendEventID(
        _ eventID: EventID?, _ methods: MethodTable, _ output: inout OutputBlock
    ) {
        guard let eventID else { return }
        let start = output.count
        output.append("id: ")
        if eventID.append(
            from: message, in: 0..<message.count, methods.tables(of: plan.method), to: &output)
        {
            output.append("\n")
        } else {
            output.truncate(to: start)
        }
    }

    /// Appends the data of an HttpBody; the first one tells the content type.
    private mutating func appendRaw(
        _ response: ResponseBinding, _ methods: MethodTable, _ output: inout OutputBlock
    ) throws(Status) {
        let parts = try response.locateRaw(
            message, in: 0..<message.count, methods.tables(of: plan.method))
        if !hasElement {
            hasElement = true
            var named = OutputBlock()
            swap(&named, &rawContentType)
            named.append(message.bytes.extracting(parts.contentType))
            swap(&named, &rawContentType)
            if MediaType.isCompressible(rawContentType.bytes) { beginEncoding() }
        }
        output.append(message.bytes.extracting(parts.data))
    }

    // MARK: Head and end

    /// Whether the head of a streamed response can be told now: that of raw data waits for the first of it.
    public var isHeadKnown: Bool { plan.streamForm != .raw || hasElement }

    /// Decides how the body is compressed, before its first byte.
    mutating func beginEncoding() {
        if encoder == nil { encoder = plan.responseCoding.makeEncoder() }
    }

    /// Compresses what has been appended to the output since `start`, so that the client can read all of it.
    func compressElements(
        from start: Int, isLast: Bool = false, _ tools: CodecTools, _ output: inout OutputBlock
    ) {
        guard let encoder, output.count > start || isLast else { return }
        tools.plain.removeAll()
        tools.plain.append(output.bytes.extracting(start..<output.count))
        output.truncate(to: start)
        var plain = OutputBlock()
        swap(&plain, &tools.plain)
        // A library without memory leaves the body cut off, which the client sees.
        _ = encoder.encode(plain.bytes, isLast: isLast, into: &output)
        swap(&plain, &tools.plain)
        tools.removeAll()
    }

    func appendElementsHead(
        _ form: StreamForm, leading: borrowing Fields, methods: MethodTable,
        to head: inout ResponseHead
    ) {
        let response = methods.bindings[Int(plan.route)].response
        let status = response.status(for: leading)
        head.status = ResponseBinding.mayHaveBody(status) ? status : 200
        if form == .raw {
            ResponseCodec.appendContentType(
                rawContentType.bytes, at: 0..<rawContentType.count, to: &head)
        } else {
            head.fields.append(.contentType, form.contentType)
            head.fields.append("cache-control", "no-store")
            // nginx, and what copies it, would collect the messages.
            head.fields.append("x-accel-buffering", "no")
            head.fields.append("vary", "Accept")
        }
        if encoder != nil {
            head.fields.append(.contentEncoding, plan.responseCoding.name)
            head.fields.append("vary", "Accept-Encoding")
        }
    }

    /// What stands before the first element: how long an EventSource waits between two tries.
    public func appendPreface(
        methods: MethodTable, tools: CodecTools, to output: inout OutputBlock
    ) {
        guard plan.streamForm == .sse,
            let stream = methods.bindings[Int(plan.route)].stream,
            stream.options.retryMilliseconds > 0
        else { return }
        ServerSentEvents.appendRetry(
            milliseconds: stream.options.retryMilliseconds, to: &output)
        compressElements(from: 0, tools, &output)
    }

    /// Appends a sign of life for a client of Server-Sent Events.
    public func appendHeartbeat(tools: CodecTools, to output: inout OutputBlock) {
        ServerSentEvents.appendHeartbeat(to: &output)
        compressElements(from: 0, tools, &output)
    }

    /// Appends what the status is in this form: an error is always seen (SEMANTICS f.2).
    func appendElementsEnd(
        _ form: StreamForm, _ status: Status, metadata: borrowing Fields, methods: MethodTable,
        to output: inout OutputBlock
    ) -> End {
        switch form {
        case .array:
            if status.isOK {
                output.append(hasElement ? "]" : "[]")
                return .complete
            }
            output.append(hasElement ? "," : "[")
            appendErrorElement(status, methods, &output)
            return .broken
        case .ndjson:
            if status.isOK { return .complete }
            appendErrorElement(status, methods, &output)
            output.append("\n")
            return .broken
        case .sse:
            ServerSentEvents.appendType(
                status.isOK ? ServerSentEvents.end : ServerSentEvents.error, to: &output)
            output.append("data: ")
            if status.isOK {
                ConnectEnd.appendObject(
                    .ok, metadata: metadata, pool: methods.pool(of: plan.method), to: &output)
            } else {
                appendREST(status, methods, into: &output)
            }
            output.append("\n\n")
            return .complete
        case .raw: return status.isOK ? .complete : .broken
        }
    }

    /// `{"error":{…}}`; AIP-193's errors have that envelope by themselves.
    private func appendErrorElement(
        _ status: Status, _ methods: MethodTable, _ output: inout OutputBlock
    ) {
        let hasEnvelope = methods.bindings[Int(plan.route)].errorFormat == .aip193
        if !hasEnvelope { output.append("{\"error\":") }
        appendREST(status, methods, into: &output)
        if !hasEnvelope { output.append("}") }
    }
}
