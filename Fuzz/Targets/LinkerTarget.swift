import ProtoRuntime
import Transcode

/// A FileDescriptorSet of any content: refused, or linked to tables that work.
enum LinkerTarget {
    static func run(_ input: [UInt8]) throws(BrokenRule) {
        let pool: DescriptorPool
        do throws(DescriptorError) {
            pool = try DescriptorPool(fileDescriptorSets: [input])
        } catch {
            return
        }
        try use(pool.tables)
        let table: MethodTable
        do throws(MethodTableError) {
            table = try MethodTable(pool: pool)
        } catch {
            return try check(!error.problems.isEmpty, "an error without a problem")
        }
        for method in table.methods.indices {
            let path = table.methods[method].path
            let found = table.index(ofPath: path.span)
            try check(found == Int32(method), "a method is not found again")
        }
    }

    /// Looks every field up by its number; prints and reads an empty message of each type.
    private static func use(_ tables: DescriptorTables) throws(BrokenRule) {
        var empty = OutputBlock()
        var object = OutputBlock()
        object.append("{}")
        object.seal()
        empty.seal()
        let options = JSONOptions(defaults: .emit, enums: .stripped)
        var output = OutputBlock()
        for index in 0..<tables.messageCount {
            let message = tables.message(index)
            for ordinal in 0..<message.fieldCount {
                let field = tables.field(message.firstField + ordinal)
                let found = tables.ordinal(ofNumber: UInt32(field.number), in: message)
                try check(found == ordinal, "field \(field.number) of message \(index) is lost")
            }
            output.removeAll()
            try? ProtoToJSON(tables, options: options).format(
                empty, in: 0..<0, as: index, into: &output)
            try? JSONToProto(tables, options: options).encode(
                object, in: 0..<2, as: index, into: &output)
        }
    }
}
