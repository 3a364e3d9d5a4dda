/// What `DescriptorTables` is made of, while it is being built.
struct TableContents {
    var messages: [MessageEntry] = []
    var fields: [FieldEntry] = []
    var enums: [EnumEntry] = []
    var enumValues: [EnumValueEntry] = []
    var slots: [UInt16] = []
    var text: [UInt8] = []
}

/// Owns the memory behind one `DescriptorTables`.
///
/// Invariants: each pointer of `tables` was allocated here for its count of entries (at least one), initialised
/// once from `TableContents`, is never written again, and is freed in `deinit` only; the entries are trivial, so
/// nothing needs deinitialising. Immutable, hence shared freely between threads.
final class TableStorage: Sendable {
    let tables: DescriptorTables

    /// Copies `contents`. Its counts fit their types: `DescriptorLinker` has checked them.
    init(_ contents: TableContents) {
        let slack = [UInt8](repeating: 0, count: DescriptorTables.textSlack)
        tables = unsafe DescriptorTables(
            messages: TableStorage.copy(contents.messages),
            fields: TableStorage.copy(contents.fields),
            enums: TableStorage.copy(contents.enums),
            enumValues: TableStorage.copy(contents.enumValues),
            slots: TableStorage.copy(contents.slots),
            text: TableStorage.copy(contents.text + slack),
            messageCount: Int32(contents.messages.count),
            fieldCount: Int32(contents.fields.count),
            enumCount: Int32(contents.enums.count),
            enumValueCount: Int32(contents.enumValues.count),
            slotCount: Int32(contents.slots.count),
            textCount: UInt32(contents.text.count))
    }

    deinit {
        unsafe tables.messages.deallocate()
        unsafe tables.fields.deallocate()
        unsafe tables.enums.deallocate()
        unsafe tables.enumValues.deallocate()
        unsafe tables.slots.deallocate()
        unsafe tables.text.deallocate()
    }

    private static func copy<Entry: BitwiseCopyable>(_ entries: [Entry]) -> UnsafePointer<Entry> {
        let start = UnsafeMutablePointer<Entry>.allocate(capacity: max(1, entries.count))
        unsafe entries.withUnsafeBufferPointer { source in
            guard let first = source.baseAddress else { return }
            unsafe start.initialize(from: first, count: source.count)
        }
        return unsafe UnsafePointer(start)
    }
}

extension NameHash {
    /// The hash of `bytes`, for the builder of the tables.
    static func hash(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe hash(start, bytes.count)
        }
    }
}
