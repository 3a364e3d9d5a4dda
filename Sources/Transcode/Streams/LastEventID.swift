import ProtoRuntime

/// The field of a request that takes `Last-Event-ID`, which an EventSource sends when it comes back (SEMANTICS f.3).
struct LastEventID {
    let path: FieldPath

    /// Appends the field where the head names an event. It comes last on the wire, so it counts more than a query that
    /// still says where the first connection began.
    /// - Throws: 400 for what is no value of the field.
    func bind(
        _ fields: borrowing Fields, _ tables: DescriptorTables, into output: inout OutputBlock
    ) throws(Status) {
        guard let index = fields.firstIndex(of: .lastEventID), fields.value(at: index).count > 0
        else { return }
        let start = output.count
        let outer = path.count - 1
        output.open(path, upTo: outer, tables)
        do throws(ScalarTextError) {
            try ScalarText.append(
                fields.value(at: index), field: path.leaf, tables: tables, into: &output)
        } catch {
            output.truncate(to: start)
            let name = path.name(tables)
            throw .violation(
                of: name, error.message, message: "last-event-id, for \(name): \(error.message)",
                reason: "invalid_last_event_id")
        }
        output.close(path, upTo: outer, from: start, tables)
    }
}
